import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/index.ts'
import { decompressed, type Compression } from '../../src/sources/rest/formats/decompress.ts'
import { NotInFormat } from '../../src/sources/rest/formats/not-in-format.ts'
import { Spool } from '../../src/sources/rest/formats/spool.ts'
import { checkPacked } from '../../src/sources/rest/formats/unpack.ts'
import { readDocument } from '../../src/sources/rest/openapi/document.ts'
import { restSource, RestWriter, type EndpointSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, type Answer } from '../support/api.ts'
import { effort, tiered } from '../support/effort.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { randomFrom } from '../support/seed.ts'
import { zip } from '../support/zip.ts'

const random = randomFrom()
const below = (limit: number): number => Math.floor(random() * limit)
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)]!

type Compressor = [name: string, as: Compression, compress: (bytes: Buffer) => Buffer]
const compressors: Compressor[] = [
  ['gzip', 'gzip', (bytes) => gzipSync(bytes)],
  [
    'gzip of two members',
    'gzip',
    (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 9)), gzipSync(bytes.subarray(9))]),
  ],
  ['deflate', 'deflate', (bytes) => deflateSync(bytes)],
  ['raw deflate', 'deflate', (bytes) => deflateRawSync(bytes)],
  ['brotli', 'br', (bytes) => brotliCompressSync(bytes)],
  ['zstd', 'zstd', (bytes) => zstdCompressSync(bytes)],
]

async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const size = 1 + below(oneOf([1, 10, bytes.length]))
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function unpacked(packed: Buffer, as: Compression): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of decompressed(inChunks(packed), as)) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    expect(error).toBeInstanceOf(NotInFormat)
    return undefined
  }
}

const someBytes = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => (random() < 0.7 ? 97 + below(4) : below(256))))

describe('compressed bytes', () => {
  it.each(compressors)('%s: whole, or refused', async (_name, as, compress) => {
    for (let round = 0; round < effort(12, 500); round++) {
      const bytes = someBytes(10 + below(oneOf([10, 3000])))
      const packed = compress(bytes)
      expect(await unpacked(packed, as)).toEqual(bytes)
      // The first member alone is a whole file.
      const cut = packed.subarray(0, below(packed.length))
      const isWhole = as === 'gzip' && cut.equals(gzipSync(bytes.subarray(0, 9)))
      if (!isWhole) expect(await unpacked(cut, as), `cut at ${cut.length}`).toBeUndefined()
      const garbage = Buffer.from(oneOf(['\0', 'x', '\n', '<html>', '{"error":1}']))
      expect(await unpacked(Buffer.concat([packed, garbage]), as), `then ${garbage.toString()}`).toBeUndefined()
    }
  })

  it('a flipped bit is noticed where the format has a checksum', async () => {
    for (let round = 0; round < effort(40, 1000); round++) {
      const bytes = someBytes(20 + below(500))
      const [, as, compress] = oneOf(compressors.slice(0, 3))
      const packed = Buffer.from(compress(bytes))
      packed[below(packed.length)]! ^= 1 << below(8)
      const found = await unpacked(packed, as)
      // In the time and the flags of gzip's header, nothing depends on it.
      if (found !== undefined) expect(found).toEqual(bytes)
    }
  })

  it('the error of whoever sends them is passed on as it is', async () => {
    const reset = new Error('ECONNRESET')
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield gzipSync('abc').subarray(0, 5)
      throw reset
    }
    const reading = decompressed(breaking(), 'gzip')
    await expect(reading.next()).rejects.toBe(reset)
  })
})

const rows = Array.from({ length: 40 }, (_, id) => ({ id: String(id), v: `value ${id * 7919}` }))
const bodies: [name: string, type: string, text: string, endpoint: EndpointSpec][] = [
  ['JSON', 'application/json', JSON.stringify(rows), {}],
  ['JSONL', 'application/x-ndjson', rows.map((row) => `${JSON.stringify(row)}\n`).join(''), {}],
  ['CSV', 'text/csv', `id,v\n${rows.map(({ id, v }) => `${id},${v}\n`).join('')}`, {}],
  [
    'XML',
    'application/xml',
    `<a>${rows.map(({ id, v }) => `<row><id>${id}</id><v>${v}</v></row>`).join('')}</a>`,
    { dataSelector: 'a.row' },
  ],
]
type Body = (typeof bodies)[number]

const send =
  (status: number, headers: Record<string, string | number>, body: string | Buffer = ''): Answer =>
  (_request, response) => {
    response.writeHead(status, headers)
    response.end(body)
  }

/** Ways to send something that is not the whole answer, though nothing in HTTP fails. */
const breakages: Record<string, (body: Body) => Answer> = {
  'no body': ([, type]) => send(200, { 'content-type': type }),
  'no body, of which more was said':
    ([, type]) =>
    (request, response) => {
      response.writeHead(200, { 'content-type': type, 'content-length': 100 })
      response.flushHeaders()
      setTimeout(() => request.socket.destroy(), 5)
    },
  'only blanks': ([, type]) => send(200, { 'content-type': type }, ' \n'),
  'a length of 0 before the body': ([, type]) => send(200, { 'content-type': type, 'content-length': 0 }),
  'a body that ends in a line': ([, type, text]) =>
    send(200, { 'content-type': type }, text.slice(0, text.indexOf('value', text.length >> 1) - 1).replace(/,$/, '')),
  'a redirect without an address': ([, type, text]) =>
    send(oneOf([300, 301, 302, 303, 307, 308]), { 'content-type': type }, text),
  'a redirect to no address': ([, type]) => send(302, { 'content-type': type, location: 'http://[' }),
  '304': () => send(304, {}),
  '205': () => send(205, {}),
  'a part': ([, type, text]) =>
    send(206, { 'content-type': type, 'content-range': `bytes 0-${text.length - 1}/${text.length * 2}` }, text),
  'a part that does not say of what': ([, type, text]) => send(206, { 'content-type': type }, text),
  ...Object.fromEntries(
    compressors.map(([name, as, compress]) => [
      `${name} that is cut off`,
      ([, type, text]: Body) => {
        const packed = compress(Buffer.from(text))
        return send(
          200,
          { 'content-type': type, 'content-encoding': as },
          packed.subarray(0, packed.length - 1 - below(20)),
        )
      },
    ]),
  ),
  'gzip, and more after it': ([, type, text]) =>
    send(200, { 'content-type': type, 'content-encoding': 'gzip' }, Buffer.concat([gzipSync(text), Buffer.from('x')])),
  'gzip in gzip, the inner one cut off': ([, type, text]) => {
    const inner = gzipSync(text)
    return send(
      200,
      { 'content-type': type, 'content-encoding': 'gzip' },
      gzipSync(inner.subarray(0, inner.length >> 1)),
    )
  },
  'no gzip': ([, type, text]) => send(200, { 'content-type': type, 'content-encoding': 'gzip' }, text),
  'six layers of gzip': ([, type, text]) =>
    send(200, { 'content-type': type, 'content-encoding': 'gzip,gzip,gzip,gzip,gzip,gzip' }, text),
  'a file of gzip that is cut off': ([, type, text]) => {
    const packed = gzipSync(text)
    return send(200, { 'content-type': type }, packed.subarray(0, packed.length - 1 - below(packed.length - 20)))
  },
  'a file of gzip that is damaged': ([, type, text]) => {
    const packed = gzipSync(text)
    packed[packed.length - 6]! ^= 1
    return send(200, { 'content-type': type }, packed)
  },
  'a zip that is cut off': ([, type, text]) =>
    send(200, { 'content-type': type }, zip({ data: text }).subarray(0, -30)),
  'a zip that is damaged': ([, type, text]) => {
    const packed = zip({ data: text })
    // The checksum in the list of files: the content was another one.
    packed[packed.indexOf('PK\u0001\u0002') + 16]! ^= 1
    return send(200, { 'content-type': type }, packed)
  },
}
const attempts = Object.keys(breakages).flatMap((how) => bodies.map((body) => ({ how, body })))

const items = (answer: (asked: number) => Answer, endpoint: EndpointSpec) => async (into: MemoryTarget) => {
  let asked = 0
  const target = await api((request, response, url, body) => answer(asked++)(request, response, url, body))
  const client = { baseUrl: target.baseUrl, maxAttempts: 2, backoffMs: 1 }
  const resources = [{ name: 'items', endpoint: { path: 'items', paginator: 'single_page', ...endpoint } as const }]
  await into.run(restSource({ name: 's', client, resources }))
}

describe('an answer that is broken', () => {
  const sampled = tiered(attempts, 16, 0, 60).map(([{ how, body }, options]) => [how, body[0], body, options] as const)
  for (const [how, format, body, options] of sampled) {
    it(`${format}, ${how}: asked for again, then refused, never no rows`, options, async () => {
      freshPipeline()
      const [, type, text, endpoint] = body
      const broken = breakages[how]!(body)
      const whole = send(200, { 'content-type': type }, text)
      const passing = new MemoryTarget()
      await items((asked) => (asked === 0 ? broken : whole), endpoint)(passing)
      expect(passing.tables.get('items')).toHaveLength(rows.length)

      const lasting = new MemoryTarget()
      const error = await items(() => broken, endpoint)(lasting).catch((one: unknown) => one)
      expect(error).toBeInstanceOf(PipelineError)
      expect((error as PipelineError).code).toMatch(/^HTTP_(FAILED|NOT_A_PAGE|NOT_JSON|STATUS)$/)
      expect((error as PipelineError).recovery).toBe('retry')
      expect([...lasting.tables.keys()]).toEqual([])
    })
  }
})

describe('an answer that is whole', () => {
  it.each(compressors)('is unpacked from %s', async (_name, as, compress) => {
    for (const [, type, text, endpoint] of bodies) {
      const into = new MemoryTarget()
      const packed = compress(Buffer.from(text))
      await items(() => send(200, { 'content-type': type, 'content-encoding': as }, packed), endpoint)(into)
      expect(into.tables.get('items')).toHaveLength(rows.length)
    }
  })

  it.each<[string, Answer, EndpointSpec]>([
    ['204', send(204, {}), {}],
    ['204 that names a coding', send(204, { 'content-encoding': 'gzip' }), {}],
    ['204 for a declared file', send(204, {}), { format: 'csv' }],
    ['an empty list', send(200, { 'content-type': 'application/json' }, '[]'), {}],
    ['an empty file of a declared format: CSV', send(200, { 'content-type': 'text/csv' }), { format: 'csv' }],
    ['an empty file of a declared format: JSONL', send(200, {}), { format: 'jsonl' }],
    ['an empty file in gzip', send(200, { 'content-type': 'text/csv' }, gzipSync('')), {}],
    ['names of columns alone', send(200, { 'content-type': 'text/csv' }, 'id,v\n'), {}],
  ])('may have no rows: %s', async (_what, answer, endpoint) => {
    const into = new MemoryTarget()
    await items(() => answer, endpoint)(into)
    expect(into.tables.get('items') ?? []).toEqual([])
  })

  it.each<[string, Record<string, string>, EndpointSpec]>([
    ['a page of an API that pages by 206', { 'content-range': 'items 0-39/40' }, {}],
    ['a part that the source asks for', { 'content-range': 'bytes 0-9/99' }, { headers: { Range: 'bytes=0-9' } }],
  ])('may be %s', async (_what, headers, endpoint) => {
    const into = new MemoryTarget()
    const [, type, text] = bodies[0]!
    await items(() => send(206, { 'content-type': type, ...headers }, text), endpoint)(into)
    expect(into.tables.get('items')).toHaveLength(rows.length)
  })

  it('is taken from what the source says about a status', async () => {
    const into = new MemoryTarget()
    await items(() => send(304, {}), { responseActions: [{ statusCode: 304, action: 'ignore' }] })(into)
    expect(into.tables.size).toBe(0)
  })

  it.runIf(existsSync('/proc/self/fd'))('keeps its download no longer than its rows are wanted', async () => {
    freshPipeline()
    const open = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).includes('downloads')
        } catch {
          return false
        }
      }).length
    const ignored: EndpointSpec = { responseActions: [{ statusCode: 200, action: 'ignore' }] }
    const csv = send(200, { 'content-type': 'text/csv' }, 'id\n1\n')
    for (const endpoint of [ignored, {}]) await items(() => csv, endpoint)(new MemoryTarget())
    expect(open()).toBe(0)
  })
})

describe('an archive', () => {
  const check = async (packed: Buffer, limit: number, signal: AbortSignal): Promise<void> => {
    freshPipeline()
    const spool = await Spool.from(inChunks(packed))
    try {
      await checkPacked(spool, { limit, url: new URL('http://127.0.0.1/a.zip'), signal })
    } finally {
      await spool.close()
    }
  }

  it('is refused where all of its files together are too large', async () => {
    const { signal } = new AbortController()
    for (let round = 0; round < effort(10, 200); round++) {
      const sizes = Array.from({ length: 1 + below(5) }, () => below(5000))
      const packed = zip(Object.fromEntries(sizes.map((size, at) => [`${at}.csv`, 'x'.repeat(size)])))
      const total = sizes.reduce((sum, size) => sum + size, 0)
      await check(packed, total, signal)
      if (total > 0) await expect(check(packed, total - 1, signal)).rejects.toMatchObject({ code: 'HTTP_TOO_LARGE' })
    }
  })

  it('is not read on once the run is asked to end', async () => {
    const signal = AbortSignal.abort()
    for (const packed of [zip({ 'a.csv': 'id\n1\n' }), gzipSync('id\n1\n')])
      await expect(check(packed, 1000, signal)).rejects.toBe(signal.reason)
  })
})

describe('a write whose response cannot be read', () => {
  const broken: [what: string, type: string, body: string][] = [
    ['text', 'text/plain', 'OK'],
    ['JSON with a number of too many digits', 'application/json', `{"id":1.${'1'.repeat(100_000)}}`],
    ['JSON of too many bytes', 'application/json', `"${'x'.repeat(200_000)}"`],
    ['JSONL that is cut off', 'application/x-ndjson', '{"id":1}\n{"id'],
    ['CSV that is cut off', 'text/csv', 'id,name\n1,"a'],
  ]
  it.each(broken)('has arrived, and is not sent again: %s', async (_, type, body) => {
    freshPipeline()
    for (const isIdempotent of [false, true]) {
      const target = await api(send(200, { 'content-type': type }, body))
      const client = { baseUrl: target.baseUrl, backoffMs: 1, maxResponseBytes: 150_000 }
      const writer = new RestWriter(client, { section: 'test', name: 'test' })
      expect(await writer.send({ path: 'items', isIdempotent }, new AbortController().signal)).toBeUndefined()
      expect(target.requests).toHaveLength(1)
    }
  })
})

it('the description of an API that is cut off is no shorter description', async () => {
  const text = `openapi: 3.0.0\ninfo: { title: t, version: '1' }\npaths:\n${'  /a: { get: { responses: {} } }\n'.repeat(200)}`
  const packed = gzipSync(text)
  const target = await api(send(200, { 'content-encoding': 'gzip' }, packed.subarray(0, -20)))
  await expect(readDocument(`${target.baseUrl}/openapi.yaml`)).rejects.toMatchObject({ code: 'HTTP_FAILED' })
})
