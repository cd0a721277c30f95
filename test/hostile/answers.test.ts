import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/index.ts'
import { restSource, type ClientSpec, type EndpointSpec, type RestResourceSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, tableNames, type Answer, type TestApi } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { load } from '../support/rest.ts'
import { randomFrom } from '../support/seed.ts'
import { zip } from '../support/zip.ts'
import { badInput } from './inputs.ts'

const quick: Partial<ClientSpec> = { maxAttempts: 2, timeoutMs: 5000, backoffMs: 5 }

interface Outcome {
  rows?: Record<string, unknown>[]
  error?: PipelineError
  requests: string[]
}
const random = randomFrom()

/** The rows that a resource loads, or the error that refuses it; nothing is loaded then. A quarter goes into a database. */
async function outcome(
  answer: Answer,
  endpoint: EndpointSpec = {},
  client: Partial<ClientSpec> = {},
): Promise<Outcome> {
  const target = await api(answer)
  const resources = [{ name: 't', endpoint: { path: 't', ...endpoint } }]
  const given = { ...quick, ...client }
  if (random() >= effort(0.25, 1)) return inMemory(target, resources, given)
  const into = freshPipeline()
  try {
    const { rows } = await load(target, resources, given, into)
    return { rows: (await tableNames(into)).includes('t') ? await rows('t') : [], requests: target.requests }
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineError)
    expect(await tableNames(into), 'nothing is loaded').toEqual([])
    return { error: error as PipelineError, requests: target.requests }
  }
}

async function inMemory(
  { baseUrl, requests }: TestApi,
  resources: RestResourceSpec[],
  client: Partial<ClientSpec>,
): Promise<Outcome> {
  const into = new MemoryTarget()
  try {
    await into.run(restSource({ name: 's', client: { baseUrl, ...client }, resources }))
    return { rows: (into.tables.get('t') ?? []) as Record<string, unknown>[], requests }
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineError)
    expect([...into.tables], 'nothing is loaded').toEqual([])
    return { error: error as PipelineError, requests }
  }
}

const send =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }

const single = { paginator: 'single_page' } as const

describe('answers', () => {
  badInput(26, async () => {
    const spaces = Buffer.alloc(200_000_000, ' ')
    const limit = { maxResponseBytes: 1_000_000 }
    const [gzip, brotli] = [
      gzipSync(spaces),
      brotliCompressSync(spaces, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    ]
    const bombs: [string, Answer][] = [
      ['gzip', send(gzip, { 'content-encoding': 'gzip' })],
      ['brotli', send(brotli, { 'content-encoding': 'br' })],
      ['gzip twice', send(gzipSync(gzipSync(spaces)), { 'content-encoding': 'gzip, gzip' })],
      ['gzip in gzip', send(gzipSync(gzip), { 'content-encoding': 'gzip' })],
      ['a file of gzip', send(gzip, { 'content-type': 'application/gzip' })],
      ['zip', send(zip({ 'a.json': spaces }), { 'content-type': 'application/zip' })],
      [
        'without end',
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' })
          const more = (): void => void (response.writableEnded || response.write(Buffer.alloc(65_536, ' '), more))
          more()
        },
      ],
    ]
    for (const [what, bomb] of bombs) {
      const before = process.memoryUsage().rss
      const { error } = await outcome(bomb, single, limit)
      expect(error, what).toMatchObject({ code: 'HTTP_TOO_LARGE' })
      expect(error!.message, what).toContain('resource "t"')
      expect(process.memoryUsage().rss - before, `${what}: memory`).toBeLessThan(150_000_000)
    }
  })

  badInput(27, async () => {
    const text = '[{"id":1,"v":"Zoë"}]'
    const rows = [{ id: 1, v: 'Zoë' }]
    const inUtf16 = Buffer.from(`\ufeff${text}`, 'utf16le')
    expect((await outcome(send(`\ufeff${text}`), single)).rows).toEqual(rows)
    expect((await outcome(send(inUtf16, { 'content-type': 'application/json; charset=utf-16' }), single)).rows).toEqual(
      rows,
    )
    expect((await outcome(send(inUtf16), single)).rows).toEqual(rows)
    const inLatin1 = Buffer.from(text, 'latin1')
    const declared = { 'content-type': 'application/json; charset=iso-8859-1' }
    expect((await outcome(send(inLatin1, declared), single)).rows).toEqual(rows)
    const { error } = await outcome(send(inLatin1), single)
    expect(error).toMatchObject({ code: 'HTTP_NOT_JSON' })
    expect(error!.message).toMatch(/UTF-8/)
    expect((await outcome(send(inLatin1), { ...single, charset: 'windows-1252' })).rows).toEqual(rows)
    expect((await outcome(send(text, { 'content-type': 'application/json; charset=klingon' }), single)).rows).toEqual(
      rows,
    )
    const csv = { 'content-type': 'text/csv' }
    expect((await outcome(send('id,v\n1,Zo\u00eb', csv), single)).rows).toEqual([{ id: '1', v: 'Zoë' }])
    expect((await outcome(send(Buffer.from('id,v\n1,Zo\u00eb', 'latin1'), csv), single)).error?.message).toMatch(
      /UTF-8/,
    )
  })

  badInput(28, async () => {
    const broken: [string, RegExp, Record<string, string>?][] = [
      ['[{"id":1},{"id":', /text that is not JSON/],
      ['[{"id":1}] garbage', /text that is not JSON/],
      ['<!doctype html><title>Log in</title>', /HTML/],
      ['<html><body>Down for maintenance</body></html>', /HTML/, { 'content-type': 'text/html' }],
    ]
    for (const [body, message, headers] of broken) {
      const { error } = await outcome(send(body, headers), single)
      expect(error, body).toMatchObject({ code: 'HTTP_NOT_JSON' })
      expect(error!.message, body).toMatch(message)
      expect(error!.message, body).toContain('resource "t"')
    }
    const jsonl = { 'content-type': 'application/x-ndjson' }
    expect((await outcome(send('{"id":1}\r\n{"id":2}', jsonl), single)).rows).toHaveLength(2)
    const { error } = await outcome(send('{"id":1}\n{"id":2', jsonl), single)
    expect(error?.message).toMatch(/line 2/)
  })

  badInput(29, async () => {
    const linked = { paginator: { type: 'json_link', nextUrlPath: 'next' } } as const
    const withNext =
      (next: unknown): Answer =>
      (_request, response, url) =>
        json(response, url.searchParams.has('page') ? { data: [{ id: 2 }], next: null } : { data: [{ id: 1 }], next })
    for (const next of [
      '//evil.test/p',
      'http://169.254.169.254/latest',
      'file:///etc/passwd',
      'http://2130706433/',
      'http://[::ffff:7f00:1]/',
      'https://evil.test/?page=2',
    ]) {
      const { error, requests } = await outcome(withNext(next), linked)
      expect(error, next).toMatchObject({ code: 'LINK_FORBIDDEN' })
      expect(requests, next).toHaveLength(1)
    }
    for (const next of ['data:application/json,[]', 'javascript:alert(1)']) {
      expect((await outcome(withNext(next), linked)).error, next).toMatchObject({ code: 'LINK_FORBIDDEN' })
    }
    for (const next of ['/t?page=2', '?page=2', 't?page=2']) {
      expect((await outcome(withNext(next), linked)).rows, next).toHaveLength(2)
    }
    for (const next of ['', null]) expect((await outcome(withNext(next), linked)).rows, String(next)).toHaveLength(1)
    const number = await outcome(withNext(2), linked)
    expect(number.error ?? number.rows).toBeDefined()
    const long = await outcome(withNext(`/t?page=${'9'.repeat(1_000_000)}`), linked)
    expect(long.error).toBeDefined()
    expect(long.error!.message.length).toBeLessThan(1000)
    const circle = await outcome(
      (_request, response, url) =>
        json(response, { data: [{ id: 1 }], next: url.searchParams.get('page') === '2' ? '/t?page=1' : '/t?page=2' }),
      linked,
    )
    expect(circle.error).toMatchObject({ code: 'PAGING_LOOP' })
    const self = await outcome((_request, response) => json(response, { data: [{ id: 1 }], next: '/t' }), linked)
    expect(self.error).toMatchObject({ code: 'PAGING_LOOP' })
    const credentials = await outcome((request, response, url) => {
      if (url.searchParams.has('page')) expect(request.headers.authorization).toBeUndefined()
      json(response, {
        data: [{ id: 1 }],
        next: url.searchParams.has('page') ? null : `http://user:pass@${request.headers.host}/t?page=2`,
      })
    }, linked)
    expect(credentials.error?.message ?? '').not.toContain('pass@')
  })

  badInput(30, async () => {
    const other = await api((_request, response) => json(response, [{ id: 9 }]))
    for (const status of [301, 302, 303, 307, 308]) {
      const { error } = await outcome(
        (_request, response) => response.writeHead(status, { location: `${other.baseUrl}/x` }).end(),
        single,
        { auth: { type: 'bearer', token: 'secret-token' } },
      )
      expect(error, String(status)).toMatchObject({ code: 'LINK_FORBIDDEN' })
    }
    expect(other.requests).toEqual([])
    const round = await outcome((_request, response) => response.writeHead(302, { location: '/t' }).end(), single)
    expect(round.error).toMatchObject({ code: 'HTTP_FAILED' })
  })

  badInput(31, async () => {
    for (const value of ['-1', 'Thu, 01 Jan 1970 00:00:00 GMT', 'soon', '', 'NaN']) {
      let asked = 0
      const { rows } = await outcome((_request, response) => {
        asked += 1
        if (asked === 1) json(response, '', 429, { 'retry-after': value })
        else json(response, [{ id: 1 }])
      }, single)
      expect(rows, value).toHaveLength(1)
      expect(asked, value).toBe(2)
    }
    const startedAt = performance.now()
    const { error } = await outcome(send('', { 'retry-after': '1000000000' }, 429), single)
    expect(performance.now() - startedAt).toBeLessThan(5000)
    expect(error).toMatchObject({ code: 'HTTP_STATUS' })
    expect(error!.message).toMatch(/429/)
  })

  badInput(32, async () => {
    const linkHeader = { paginator: 'header_link' } as const
    const withLink =
      (link: string): Answer =>
      (_request, response, url) =>
        json(
          response,
          [{ id: url.searchParams.has('page') ? 2 : 1 }],
          200,
          url.searchParams.has('page') ? {} : { link },
        )
    for (const link of [
      '</t?page=2>; rel="next"',
      '</t?page=2>; rel=next',
      '</t?page=0>; rel="prev", </t?page=2,3;x>; title="a, b; rel=\\"last\\""; rel="next"',
      '</t?page=2>;rel="last next"',
      '</t?page=2>; REL="NEXT"',
    ]) {
      expect((await outcome(withLink(link), linkHeader)).rows, link).toHaveLength(2)
    }
    for (const link of [
      '',
      '<',
      '</t?page=2>',
      'rel="next"',
      '</t?page=2; rel="next"',
      ',,,;;',
      '</t?page=2>; title="rel=next"',
    ]) {
      expect((await outcome(withLink(link), linkHeader)).rows, link).toHaveLength(1)
    }
  })

  badInput(33, async () => {
    const pages = (total: (asked: number) => unknown): Answer => {
      let asked = 0
      return (_request, response, url) => {
        asked += 1
        const page = Number(url.searchParams.get('page'))
        json(response, { data: page <= 3 ? [{ id: page }] : [], total_pages: total(asked) })
      }
    }
    const numbered = { paginator: { type: 'page_number', basePage: 1, totalPath: 'total_pages' } } as const
    for (const total of [1e12, '10', 3, '3']) {
      expect(
        (
          await outcome(
            pages(() => total),
            numbered,
          )
        ).rows,
        String(total),
      ).toHaveLength(3)
    }
    expect(
      (
        await outcome(
          pages((asked) => 1 + asked),
          numbered,
        )
      ).rows,
    ).toHaveLength(3)
    for (const total of [-1, 'many', {}, null]) {
      const { rows, error } = await outcome(
        pages(() => total),
        numbered,
      )
      expect(rows?.length ?? error?.code, String(total)).toSatisfy((seen) => seen === 3 || typeof seen === 'string')
    }
  })

  badInput(34, async () => {
    const linked = { paginator: { type: 'json_link', nextUrlPath: 'next' } } as const
    const middle = await outcome((_request, response, url) => {
      const page = Number(url.searchParams.get('page') ?? 1)
      json(response, { data: page === 2 ? [] : [{ id: page }], next: page < 3 ? `/t?page=${page + 1}` : null })
    }, linked)
    expect(middle.rows).toHaveLength(2)
    const twice = await outcome((_request, response, url) => {
      const page = Number(url.searchParams.get('page') ?? 1)
      json(response, { data: [{ id: Math.ceil(page / 2) }], next: page < 4 ? `/t?page=${page + 1}` : null })
    }, linked)
    expect(twice.rows).toHaveLength(4)
    const forever = await outcome((_request, response) => json(response, { data: [{ id: 1 }] }), {
      paginator: { type: 'page_number', basePage: 1 },
    })
    expect(forever.error).toMatchObject({ code: 'PAGING_LOOP' })
  })
})

describe('while it is read', () => {
  it('an answer that comes byte by byte ends when the time is over', async () => {
    const startedAt = performance.now()
    const { error } = await outcome(
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('[')
        const drip = setInterval(() => response.write(' '), 20)
        request.socket.on('close', () => clearInterval(drip))
      },
      single,
      { timeoutMs: 300 },
    )
    expect(error).toMatchObject({ code: 'HTTP_FAILED' })
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it.each([
    ['as much as was said', 0],
    ['less than was said', 20],
  ])('JSON that is cut off, with %s', async (_what, missing) => {
    const body = '[{"id":1},{"id":2'
    const { error } = await outcome((request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': String(body.length + missing),
      })
      response.write(body, () => (missing === 0 ? response.end() : request.socket.destroy()))
    }, single)
    expect(error).toMatchObject({ code: missing === 0 ? 'HTTP_NOT_JSON' : 'HTTP_FAILED' })
  })

  /** Pages of three by offset; before the second one, the list changes. */
  async function paged(change: (rows: number[]) => void, options: Partial<RestResourceSpec>): Promise<number[]> {
    const rows = Array.from({ length: 9 }, (_, at) => at + 1)
    let asked = 0
    const target = await api((_request, response, url) => {
      if (++asked === 2) change(rows)
      const offset = Number(url.searchParams.get('offset') ?? 0)
      json(response, { data: rows.slice(offset, offset + 3).map((id) => ({ id })), total: rows.length })
    })
    const into = freshPipeline()
    const paginator = { type: 'offset', limit: 3 } as const
    const resource = { name: 't', endpoint: { path: 't', dataSelector: 'data', paginator }, ...options }
    // One page after the other, as the offsets come.
    await load(target, [resource], { ...quick, concurrency: 1 }, into)
    const seen = (await into.dataset().table('t').toArray()) as { id: number }[]
    return seen.map(({ id }) => Number(id)).sort((a, b) => a - b)
  }

  it('a row that is put in front moves another one into the next page: by its key it is there once', async () => {
    const insert = (rows: number[]): void => void rows.unshift(100)
    const merged = await paged(insert, { writeDisposition: 'merge', primaryKey: 'id' })
    expect(merged).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    // Without a key nobody can tell.
    expect(await paged(insert, {})).toEqual([1, 2, 3, 3, 4, 5, 6, 7, 8, 9])
  })
})
