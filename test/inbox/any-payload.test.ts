import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, source, type PipelineError } from '../../src/index.ts'
import { inbox, inboxSource, serveInbox } from '../../src/inbox/index.ts'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'
import { shapeLimits } from '../../src/inbox/payload-shape.ts'
import { effort } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

// Whatever was acknowledged is loaded, once, and stops nothing that comes after it.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-any-payload-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

const secret = '0123456789abcdef'
const loading = () =>
  pipeline({ name: 'hooks', dataset: 'hooks', destination: duckdb({ path: join(folder, 'hooks.duckdb') }) })
const inboxFolder = (): string => join(folder, 'data', 'inbox', 'shop')

async function served(onBusy?: (error: PipelineError) => void) {
  const server = await serveInbox({ hooks: [{ name: 'shop', secret }], port: 0, ...(onBusy && { onBusy }) })
  onTestFinished(() => server.close())
  const send = async (body: string): Promise<number> => {
    const headers = { 'content-type': 'application/json' }
    const sent = await fetch(`${server.url}/hooks/shop/${secret}`, { method: 'POST', headers, body })
    await sent.arrayBuffer()
    return sent.status
  }
  return { server, send }
}

const random = randomFrom()
const below = (limit: number): number => Math.floor(random() * limit)
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)]!
const nested = (levels: number, [open, close]: readonly [string, string]): string =>
  open.repeat(levels) + '1' + close.repeat(levels)
const objectOf = (keys: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, at])))

/** Payloads near the limits and far beyond, with how the server has to respond. */
function anyPayload(): { body: string; status: 200 | 422 } {
  const { levels, keys, keyLength } = shapeLimits
  const kinds: (() => { body: string; status: 200 | 422 })[] = [
    () => {
      const depth = oneOf([3, levels, levels + 1, 10_000])
      const brackets = oneOf([
        ['[', ']'],
        ['{"a":', '}'],
        ['[{"a":', '}]'],
      ] as const)
      const times = Math.floor(depth / brackets[0].match(/[[{]/g)!.length)
      const body = nested(times, brackets)
      return { body, status: times * brackets[0].match(/[[{]/g)!.length <= levels ? 200 : 422 }
    },
    () => {
      const count = oneOf([0, 30, keys + 1, 20_000])
      return { body: objectOf(count), status: count <= keys ? 200 : 422 }
    },
    () => {
      const length = oneOf([keyLength, keyLength + 1, 100_000])
      return {
        body: JSON.stringify({ [oneOf(['-', 'x', 'ß']).repeat(length)]: 1 }),
        status: length <= keyLength ? 200 : 422,
      }
    },
    () => {
      const key = oneOf(['x', 'ß']).repeat(oneOf([10, keyLength]))
      return { body: nested(oneOf([3, 11, levels]), [`{"${key}":`, '}']), status: 200 }
    },
    () => ({ body: `{"n":${oneOf(['1.', '1e', '-', ''])}${'1'.repeat(oneOf([5, 30, 400]))}}`, status: 200 }),
    () => ({ body: `{"digits":1.${'0'.repeat(oneOf([3, 500, 2000]))}1}`, status: 200 }),
    () => ({ body: oneOf(['[]', '{}', 'null', '7', '"text"', '[[]]', '[null]', '[1,{"a":[]}]']), status: 200 }),
    () => ({
      body: JSON.stringify({ text: oneOf(['\0', '\u2028', 'a\nb', '\ud800', '"}\n{"sequence":9']) }),
      status: 200,
    }),
    () => ({ body: '{"__proto__":1,"constructor":{"prototype":2}}', status: 200 }),
    () => ({ body: '{"payload_id":"x","received_at":[1],"raw_payload":{"a":1},"raw_reason":3}', status: 200 }),
  ]
  return oneOf(kinds)()
}

it('a payload of any shape is refused at once, or loaded, and the next one is loaded too', async () => {
  const { send } = await served()
  let acknowledged = 0
  for (let round = 0; round < effort(1, 30); round++) {
    for (let at = 0; at < 12; at++) {
      const { body, status } = anyPayload()
      // So that no two are the same.
      const own = ' '.repeat(round * 12 + at) + body.replace(/^\{(?!\})/, `{"round":${round * 12 + at},`)
      expect(await send(own), body.slice(0, 200)).toBe(status)
      if (status === 200) acknowledged += 1
    }
    expect(await send(`{"after":${round}}`)).toBe(200)
    await loading().run(inboxSource('shop'))
    const data = loading().dataset()
    expect(await data.table('webhook_payload').where('after', '=', round).count()).toBe(1)
    expect((await loading().run(inboxSource('shop'))).rows).toEqual({})
  }
  expect(acknowledged).toBeGreaterThan(0)
})

describe('a payload that cannot become rows', () => {
  it('is one row with all of it as text: too deep or too wide, cut on disk, or with more keys than the table can have', async () => {
    const writer = new InboxWriter('shop')
    const poison = [nested(10_000, ['[', ']']), objectOf(20_000), '[]']
    for (const text of ['{"a":1}', ...poison, '{"a":2}']) await writer.add(text, new Date())
    await writer.close()
    const [file] = readdirSync(inboxFolder())
    appendFileSync(join(inboxFolder(), file!), '{"sequence":6,"receivedAt"\0\0\0\n')
    const narrow = () => source('shop_inbox', [inbox('shop')], { maxTableColumns: 20 })
    await loading().run(narrow())
    const second = new InboxWriter('shop')
    for (let at = 0; at < 10; at++) await second.add(`{"b${at}":1,"f${at}":1,"c${at}":{"d":[{"e":2}]}}`, new Date())
    await second.add('{"a":3}', new Date())
    await second.close()
    await loading().run(narrow())
    const rows = await loading().dataset().table('webhook_payload').orderBy('a').toArray()
    expect(rows.flatMap(({ a }) => (a === null ? [] : [Number(a)]))).toEqual([1, 2, 3])
    const raw = rows.flatMap(({ raw_payload: text }) => (text === null ? [] : [String(text)]))
    expect(raw).toEqual(expect.arrayContaining(poison))
    // Some of the ten have found room.
    expect(rows).toHaveLength(3 + 3 + 1 + 10)
    expect(raw.length).toBeGreaterThan(poison.length + 1)
    expect(rows.filter(({ raw_reason: reason }) => /20 columns/.test(String(reason))).length).toBeGreaterThan(0)
  })
})

/** Ever new keys, by the limit that they come to: of columns, of all keys, of one column's keys, of the length of a name. */
const strangeKeys: Record<string, (next: () => number) => Record<string, unknown>> = {
  columns: (next) => ({ [`c${next()}`]: 1, [`c${next()}`]: 'x' }),
  objects: (next) => Object.fromEntries(Array.from({ length: 30 }, () => [`o${next()}`, {}])),
  lists: (next) => ({ below: Object.fromEntries(Array.from({ length: 30 }, () => [`l${next()}`, []])) }),
  'one column': (next) => {
    const words = oneOf(['same name', 'raw payload', 'raw reason', 'payload id', 'received at'])
    return Object.fromEntries(Array.from({ length: 60 }, () => [words.replace(' ', '-'.repeat(next())), 1]))
  },
  'long names': (next) => JSON.parse(nested(12, [`{"${`k${next()}`.padEnd(shapeLimits.keyLength, 'x')}":`, '}'])),
}

describe('payloads of ever new keys', () => {
  /** Loads the payloads of each run; all of them have to be there once, as a row or as text. Returns how many are text. */
  const loadedOnce = async (runs: readonly (readonly object[])[], maxTableColumns = 20): Promise<number> => {
    let sent = 0
    for (const payloads of runs) {
      const writer = new InboxWriter('shop')
      const texts = payloads.map((own) => JSON.stringify({ payload_id: 'x', received_at: 1, ...own, at: sent++ }))
      await Promise.all(texts.map((text) => writer.add(text, new Date())))
      await writer.close()
      await loading().run(source('shop_inbox', [inbox('shop')], { maxTableColumns }))
    }
    const rows = await loading().dataset().table('webhook_payload').toArray()
    // In a variant column, where a payload has given `raw_payload` another type.
    const texts = rows.flatMap((row) =>
      Object.values(row).flatMap((text) => /"at":(\d+)\}$/.exec(String(text))?.[1] ?? []),
    )
    const loaded = [...texts, ...rows.flatMap(({ at }) => at ?? [])].map(Number)
    expect(loaded.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, at) => at))
    return texts.length
  }
  const keyOf = (words: string, at: number): string => words.replace(' ', '-'.repeat(at + 1))

  it('are rows or text, in every order and over any number of runs', async () => {
    let keys = 0
    const strange = (): object => (random() < 0.2 ? {} : oneOf(Object.values(strangeKeys))(() => (keys += 1)))
    const runs = Array.from({ length: effort(2, 40) }, () => Array.from({ length: 12 }, strange))
    expect(await loadedOnce(runs)).toBeGreaterThan(0)
  })

  it('leave room for the text of what comes after them: of all keys, and of the keys of its columns', async () => {
    const filling = Array.from({ length: 200 }, (_, at) => ({ [`o${at}`]: {} }))
    const sharing = Array.from({ length: 110 }, (_, at) => ({ [keyOf('raw payload', at)]: 1 }))
    const keys = 4 * 40 - 1
    expect(await loadedOnce([filling, sharing], 40)).toBe(200 - keys + 110 - 100)
  })

  it('do not take the place of their id', async () => {
    expect(await loadedOnce([[{ 'payload-id': 1 }, { 'Payload-ID': 1, 'received-at': 'x' }]])).toBe(0)
  })
})

describe('a second server of an inbox', () => {
  it('refuses its payloads and says who receives them, until that one has ended', async () => {
    const [first, busy] = [await served(), [] as PipelineError[]]
    const second = await served((error) => busy.push(error))
    expect(busy).toMatchObject([{ code: 'PIPELINE_BUSY', recovery: 'retry' }])
    expect(busy[0]!.message).toContain(`inbox "shop" is being received by another process (${process.pid})`)
    expect([await first.send('{"id":1}'), await second.send('{"id":2}'), await first.send('{"id":3}')]).toEqual([
      200, 503, 200,
    ])
    await first.server.close()
    expect(await second.send('{"id":4}')).toBe(200)
    await loading().run(inboxSource('shop'))
    const rows = await loading().dataset().table('webhook_payload').orderBy('id').toArray()
    expect(rows.map(({ id }) => Number(id))).toEqual([1, 3, 4])
  })
})

it('files of writers that did not know of each other are loaded whole, in any order of writing and loading', async () => {
  // As two servers of earlier versions left them, or of two machines with one folder.
  mkdirSync(inboxFolder(), { recursive: true })
  const writers = Array.from({ length: 3 }, () => ({ file: '', next: 1 }))
  const written: number[] = []
  const write = (writer: (typeof writers)[number]): void => {
    const id = written.length
    if (writer.file === '') {
      const taken = readdirSync(inboxFolder()).map((file) => Number(file.slice(0, 16)))
      while (taken.includes(writer.next)) writer.next += 1
      writer.file = join(inboxFolder(), `${String(writer.next).padStart(16, '0')}.jsonl`)
    }
    const entry = {
      sequence: writer.next++,
      receivedAt: new Date().toISOString(),
      payloadId: `p${id}`,
      payload: { id },
    }
    appendFileSync(writer.file, `${JSON.stringify(entry)}\n`)
    written.push(id)
  }
  for (let step = 0; step < effort(20, 400); step++) {
    const action = random()
    if (action < 0.8) write(oneOf(writers))
    else if (action < 0.85) Object.assign(oneOf(writers), { file: '' })
    else if (action < 0.9) writeFileSync(join(inboxFolder(), 'lock'), '')
    else await loading().run(inboxSource('shop'))
  }
  await loading().run(inboxSource('shop'))
  const rows = await loading().dataset().table('webhook_payload').orderBy('id').toArray()
  expect(rows.map(({ id }) => Number(id))).toEqual(written)
  const own = new InboxWriter('shop')
  await own.add('{"own":1}', new Date())
  await own.close()
  const last = readdirSync(inboxFolder())
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .at(-1)!
  const { sequence } = JSON.parse(readFileSync(join(inboxFolder(), last), 'utf8')) as { sequence: number }
  expect(sequence).toBeGreaterThanOrEqual(Math.max(...writers.map(({ next }) => next)))
})
