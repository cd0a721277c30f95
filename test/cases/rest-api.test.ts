import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Config } from '../../src/config/index.ts'
import { PipelineError } from '../../src/errors/index.ts'
import { extract, MarkedRows, resource, type ResourceState, type Source } from '../../src/extract/index.ts'
import { loadSourceFile, restSource, type RestSourceSpec } from '../../src/sources/rest/index.ts'

interface Answer {
  status: number
  json?: unknown
  text?: string
  headers?: Record<string, string>
}
type Server = Record<string, Answer | Answer[]>
interface Expectation {
  rows?: unknown[]
  requests?: string[]
  error?: { message: string }
  row_count?: number
  request_count?: number
  never_ends?: boolean
}
interface Case {
  id: string
  title: string
  config: Record<string, unknown>
  server: Server | Server[] | 'mock API M'
  resources?: string[]
  expect: Expectation
  runs?: { tables_after: Record<string, Record<string, unknown>[]>; requests: string[] }[]
}

const origin = 'https://api.example.com'
const { cases } = JSON.parse(readFileSync(new URL('rest-api.json', import.meta.url), 'utf8')) as { cases: Case[] }

/** The API that several cases share: 25 posts in pages of five, paged in every way. */
function mockApi(method: string, url: URL, body: string, base: string): Answer {
  const { pathname } = url
  const asked = body === '' ? {} : (JSON.parse(body) as { page?: number; offset?: number })
  const posts = (page: number) =>
    Array.from({ length: 5 }, (_, at) => ({ id: (page - 1) * 5 + at, title: `Post ${(page - 1) * 5 + at}` }))
  const page = Number(asked.page ?? url.searchParams.get('page') ?? 1)
  const more = page < 5
  const next = `${base}${pathname}?page=${page + 1}`
  const detail = /^\/posts\/(\d+)\/some_details_(\d+)$/.exec(pathname)
  if (detail !== null) {
    if (detail[1] === '0') return { status: 200, json: { id: 0, body: 'Post body 0' } }
    return detail[2] === '404' ? { status: 404, json: { error: 'Not Found' } } : { status: 204 }
  }
  if (/^\/posts\/\d+\/comments$/.test(pathname)) {
    const post = Number(pathname.split('/')[2])
    const ids = [0, 1, 2, 3, 4].map((at) => (page - 1) * 5 + at)
    const comments = ids.map((id) => ({ id, post_id: post, body: `Comment ${id} for post ${post}` }))
    return { status: 200, json: { data: comments, total_pages: 10, page } }
  }
  switch (pathname) {
    case '/posts_header_link':
      return { status: 200, json: posts(page), headers: more ? { Link: `<${next}>; rel="next"` } : {} }
    case '/posts_header_cursor':
      return { status: 200, json: posts(page), headers: more ? { cursor: String(page + 1) } : {} }
    case '/posts_offset_limit_via_json_body': {
      const rows = posts(asked.offset! / 5 + 1)
      return { status: 200, json: { data: rows, total_records: 25 } }
    }
    case '/posts/search':
      return {
        status: method === 'POST' ? 200 : 405,
        json: { data: posts(page), total_pages: 5, ...(more ? { next_page: page + 1 } : {}) },
      }
    case '/posts':
      return { status: 200, json: { data: posts(page), page, total_pages: 5, ...(more ? { next_page: next } : {}) } }
    default:
      return { status: 404, json: { error: 'Not Found' } }
  }
}

interface Seen {
  line: string
  headers: IncomingMessage['headers']
  body: string
}

async function serve(given: Server | 'mock API M') {
  const seen: Seen[] = []
  const counts = new Map<string, number>()
  let base = ''
  const answerTo = (method: string, url: URL, body: string): Answer => {
    if (given === 'mock API M') return mockApi(method, url, body, base)
    const target = `${url.pathname}${url.search}`
    const keys = [decodeURIComponent(target), target, url.pathname].map((path) => `${method} ${path}`)
    const key = keys.flatMap((one) => Object.keys(given).filter((name) => name.replace(` ${origin}`, ' ') === one))[0]
    if (key === undefined) return { status: 404, json: { error: 'no such path' } }
    const answers = [given[key]!].flat()
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return answers[Math.min(count, answers.length - 1)]!
  }
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const url = new URL(request.url!, base)
      seen.push({ line: `${request.method} ${url.href.replace(base, origin)}`, headers: request.headers, body })
      if (seen.length > 300) return void request.socket.destroy()
      const answer = answerTo(request.method!, url, body)
      const text = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json))
      const headers = JSON.parse(JSON.stringify(answer.headers ?? {}).replaceAll(origin, base)) as Record<
        string,
        string
      >
      response.writeHead(answer.status, { 'content-type': 'application/json', ...headers })
      response.end(answer.status === 204 ? undefined : text.replaceAll(origin, base))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      // A request that the client gave up keeps its connection for seconds.
      server.closeAllConnections()
    })
  return { base, seen, close }
}

/** Rows as resources yield them, before they become tables. */
async function rowsOf(source: Source, states: Map<string, ResourceState>): Promise<unknown[]> {
  const rows: unknown[] = []
  await extract(source, {
    signal: AbortSignal.timeout(20_000),
    config: new Config({ env: {} }),
    stateOf: (resource) => states.get(resource) ?? {},
    sourceState: {},
    write: (_resource, page) => void rows.push(...(page instanceof MarkedRows ? page.rows : page)),
    discard: () => undefined,
    checkpoint: () => undefined,
    pageDone: async () => undefined,
    rootFailed: async (_tree, error) => {
      throw error
    },
    rootDone(_root, _tree, ended) {
      for (const [name, state] of ended) states.set(name, state)
    },
    emit: () => undefined,
  })
  return rows
}

function sourceOf(one: Case, base: string): Source {
  const made = inCode[one.id]?.({ baseUrl: base })
  if (made !== undefined) return selected(restSource(made), one)
  const text = JSON.stringify(one.config).replaceAll(origin, base)
  const withLogin = text.replaceAll('https://user:pw@api.example.com', base.replace('//', '//user:pw@'))
  const config = JSON.parse(withLogin) as { client?: Record<string, unknown> }
  if (config.client !== undefined && typeof config.client === 'object') config.client.backoff_ms ??= 1
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-rest-case-')), 'rest_api.source.json')
  writeFileSync(path, JSON.stringify({ name: 'rest_api', ...config }))
  return selected(loadSourceFile(path), one)
}

const selected = (source: Source, { resources }: Case): Source =>
  resources === undefined ? source : source.withResources(...resources)

/** `GET https://…  headers={…}  body=…`, as far as the case says; the order of parameters does not count. */
function normal(line: string): string {
  const [request] = line.split('  ')
  const [method, target] = request!.split(' ')
  const url = new URL(target!)
  const params = [...url.searchParams].map(([key, value]) => `${key}=${value}`).sort()
  return `${method} ${decodeURIComponent(url.pathname)} ${params.join('&')}`
}

/** Where dlt is wrong, or goes another way: what is right, and why. */
interface Difference {
  why: string
  rows?: unknown[]
  error?: RegExp
  requests?: number
}
const differences: Record<string, Difference> = {
  B09: { why: 'a parent field in a parameter is sent as one', error: /404/, requests: 1 },
  B33: { why: 'null means no body', error: /404/, requests: 1 },
  C08: { why: 'true is spelled as JSON and URLs spell it, not as Python', rows: [{ id: 1 }], requests: 1 },
  D09: { why: 'a link to another host is refused, and gets no key', error: /not its own host/, requests: 1 },
  D19: { why: 'an empty cursor is the end', rows: [{ id: 1 }], requests: 1 },
  D23: {
    why: 'without a total an empty page is the end; an API that ignores the offset is found out',
    error: /same answer/,
  },
  D27: { why: 'a server may serve fewer rows than asked for: the step is what arrived', error: /404/, requests: 2 },
  D29: { why: '1 counts as true; the same answer for ever is found out', error: /same answer/ },
  D37: {
    why: 'pages whose number is known are asked for at once, so one beyond the empty page may be',
    rows: [{ id: 1 }],
  },
  D55: { why: 'the first page says where counting begins', rows: [{ id: 1 }, { id: 2 }, { id: 3 }], requests: 3 },
  D57: {
    why: 'offset, limit and total are a way of paging; this API ignores them, and is found out',
    error: /taken for offset .* but the second page is the first again/,
  },
  D59: {
    why: 'has_more says that there is more, so the total is too small',
    rows: [1, 2, 3, 4, 5, 6].map((id) => ({ id })),
    requests: 3,
  },
  D62: {
    why: 'has_more says that there is more, so the total is too small',
    rows: [1, 2, 3, 4, 5, 6].map((id) => ({ id })),
    requests: 3,
  },
  E08: { why: 'rows do not depend on the number of matches', rows: [{ id: 1 }, { id: 2 }] },
  E14: { why: 'errors are not rows', rows: [{ id: 1 }] },
  E18: { why: 'one thing with a list in it is one thing', rows: [{ id: 1, tags: ['a', 'b'] }] },
  E20: { why: 'any key can be read', rows: [{ id: 1 }] },
  E22: { why: 'a page of a proxy in between may be gone the next time', error: /HTML page/, requests: 5 },
  E24: {
    why: 'a value of the source is no parent: a list stays a list, and its next link is followed',
    error: /\/x answered 404/,
  },
  F05: { why: 'braces cannot be in the name of a header', error: /invalid header name/ },
  F13: { why: 'a null is not the text None', error: /has no value to put into a request/, requests: 1 },
  I11: {
    why: 'each parent has its own cursor, fixed for the run',
    rows: [
      { cid: 1, u: 90 },
      { cid: 2, u: 80 },
      { cid: 3, u: 50 },
      { cid: 4, u: 40 },
    ],
    requests: 6,
  },
  J09: { why: 'a response that a function returns is taken', rows: [{ id: 99 }], requests: 1 },
  J11: { why: 'a status may be written as text', rows: [], requests: 1 },
  K06: { why: 'a key in a cookie is sent', rows: [{ id: 1 }], requests: 1 },
  K12: { why: 'no token is no token', error: /without a token at "access_token"/, requests: 1 },
  K14: { why: 'one client, one token', rows: [{ id: 1 }, { id: 2 }], requests: 3 },
  K16: { why: 'a redirect to another host is refused', error: /not its own host/, requests: 1 },
  K18: { why: 'here the base is http on loopback; another scheme is another origin', error: /not its own host/ },
  L07: { why: '408 asks for another try', error: /408 after 5 attempts/, requests: 5 },
  L09: { why: 'five attempts, each with its redirect', error: /503 after 5 attempts/, requests: 10 },
  L11: { why: 'there is no session to hand in', error: /client\.session: is not known/, requests: 0 },
}

/** Cases with functions and resources from code, which a file cannot hold: the same in TypeScript. */
type Post = { id: number }
const posts = { name: 'posts', endpoint: 'posts' }
const named = (client: { baseUrl: string }, resources: RestSourceSpec['resources']): RestSourceSpec => ({
  name: 'rest_api',
  client,
  resources,
})
const inCode: Record<string, (client: { baseUrl: string }) => RestSourceSpec> = {
  A13: (client) =>
    named(client, [
      { name: 'issues', endpoint: 'dlt-hub/{resources.repositories.name}/issues/' },
      resource('repositories', [[{ name: 'a' }, { name: 'b' }]], { selected: false }),
    ]),
  F17: (client) =>
    named(client, [
      { ...posts, processingSteps: [{ filter: (row: Post) => row.id === 2 }] },
      { name: 'c', endpoint: 'posts/{resources.posts.id}/c' },
    ]),
  F19: (client) =>
    named(client, [
      { name: 'c', endpoint: 'x/{resources.seed.id}/y' },
      resource('seed', [[{ id: 1 }, { id: 1 }]], { selected: false }),
    ]),
  G01: (client) => named(client, [{ ...posts, processingSteps: [{ filter: (row: Post) => row.id === 1 }] }]),
  G03: (client) =>
    named(client, [
      {
        ...posts,
        processingSteps: [
          { map: (row: Post) => ({ ...row, id: row.id * 10 }) },
          { filter: (row: Post) => row.id === 10 },
        ],
      },
    ]),
  J09: (client) =>
    named(client, [
      {
        name: 'posts',
        endpoint: {
          responseActions: [(response) => ({ ...response, body: { data: [{ id: 99 }] } })],
          paginator: { type: 'json_link', nextUrlPath: 'next' },
        },
      },
    ]),
  G05: (client) =>
    named(client, [
      {
        ...posts,
        processingSteps: [
          { filter: (row: Post) => row.id < 2 },
          { yieldMap: ({ id }: Post) => [0, 1, 2].slice(0, id + 1).map((k) => ({ id, k })) },
        ],
      },
    ]),
}

async function run(one: Case): Promise<void> {
  const server = await serve(one.server as Server)
  const states = new Map<string, ResourceState>()
  try {
    const outcome = await (async () => rowsOf(sourceOf(one, server.base), states))().then(
      (rows) => ({ rows, error: undefined }),
      (error: unknown) => ({ rows: undefined, error }),
    )
    const differs = differences[one.id]
    const requests = server.seen.map(({ line }) => normal(line)).sort()
    if (differs?.error !== undefined || (differs === undefined && one.expect.error !== undefined)) {
      expect(outcome.error, `rows: ${JSON.stringify(outcome.rows)}`).toBeInstanceOf(PipelineError)
      if (differs?.error !== undefined) expect(String(outcome.error)).toMatch(differs.error)
    } else {
      if (outcome.error !== undefined) throw outcome.error
      const wanted = differs?.rows ?? one.expect.rows
      if (wanted !== undefined) expect(JSON.parse(JSON.stringify(outcome.rows))).toEqual(wanted)
      if (one.expect.row_count !== undefined) expect(outcome.rows).toHaveLength(one.expect.row_count)
    }
    if (differs !== undefined) {
      if (differs.requests !== undefined) expect(requests).toHaveLength(differs.requests)
      return
    }
    const wanted = one.expect.requests ?? []
    if (one.expect.request_count !== undefined) expect(requests).toHaveLength(one.expect.request_count)
    if (!wanted.includes('...')) expect(requests).toEqual(wanted.map(normal).sort())
  } finally {
    await server.close()
  }
}

/** Several runs, one after the other; what an earlier one has reached is kept for the next. */
async function runAgain(one: Case): Promise<void> {
  const states = new Map<string, ResourceState>()
  const tables: unknown[] = []
  for (const [at, expected] of one.runs!.entries()) {
    const server = await serve((one.server as Server[])[at]!)
    const kept = structuredClone([...states])
    const rows = await rowsOf(sourceOf(one, server.base), states).catch(() => undefined)
    // What a failed run has reached is not kept.
    if (rows === undefined) for (const [name, state] of kept) states.set(name, state)
    tables.push(...(rows ?? []))
    expect(new Set(server.seen.map(({ line }) => normal(line)))).toEqual(new Set(expected.requests.map(normal)))
    const wanted = Object.values(expected.tables_after).flat()
    expect(JSON.parse(JSON.stringify(tables)), `after run ${at + 1}`).toEqual(wanted)
    await server.close()
  }
}

/** Cases that take seconds: a `Retry-After` of seven, and hundreds of pages. */
const seconds = new Set(['L03', 'F21'])

describe('what the rest_api source of dlt does', () => {
  const single = cases.filter(({ runs }) => runs === undefined)
  for (const one of single) {
    it(`${one.id} ${one.title}`, { tags: seconds.has(one.id) ? ['slow'] : [] }, () => run(one))
  }
  const repeated = cases.filter(({ runs }) => runs !== undefined)
  it.each(repeated.map((one) => [`${one.id} ${one.title}`, one] as const))('%s', async (_title, one) => runAgain(one))
})
