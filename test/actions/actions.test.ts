import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { action, previewRows, restAction, sendRows, type Send } from '../../src/actions/index.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { pipeline, type Pipeline } from '../../src/index.ts'
import { chatra } from '../../src/sources/chats/chatra.ts'
import { api, json } from '../support/api.ts'
import { tiered } from '../support/effort.ts'
import { freshDatabase } from '../workers/worker-processes.ts'
import { running } from '../support/running.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-actions-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

const people = (count: number) => Array.from({ length: count }, (_, at) => ({ id: at + 1, name: `N${at + 1}` }))
const rows = 'SELECT id, name FROM shop.people'

async function shop(count: number, made?: Pipeline): Promise<Pipeline> {
  const target =
    made ?? pipeline({ name: 'shop', dataset: 'shop', destination: duckdb({ path: join(folder, 'shop.duckdb') }) })
  await target.run(people(count), { tableName: 'people' })
  return target
}

const results = async (of: Pipeline): Promise<Record<string, string>> => {
  const found = await of.dataset().table<{ key: string; status: string }>('greet_results').toArray()
  return Object.fromEntries(found.map(({ key, status }) => [key, status]))
}

/** A server that takes messages, and a way to send them there. */
async function inbox(answerFor: (id: number, times: number) => number | 'cut' | 'text') {
  const taken: { id: number; key: string | undefined }[] = []
  const times = new Map<number, number>()
  const server = await api((request, response, _url, body) => {
    const { id } = JSON.parse(body) as { id: number }
    times.set(id, (times.get(id) ?? 0) + 1)
    const answer = answerFor(id, times.get(id)!)
    if (answer === 'cut' || answer === 'text' || answer < 400)
      taken.push({ id, key: request.headers['idempotency-key'] as string | undefined })
    if (answer === 'cut') return void request.socket.destroy()
    if (answer === 'text') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('OK')
    if (answer === 204) return void response.writeHead(204).end()
    json(response, answer < 400 ? { taken: id } : { message: `no: ${id}` }, answer)
  })
  const client = { baseUrl: server.baseUrl, backoffMs: 10 }
  const greet = (of: Pipeline, extra: { idempotencyHeader?: string; concurrency?: number } = {}) =>
    action({
      name: 'greet',
      pipeline: of,
      rows,
      key: 'id',
      message: ({ id, name }: { id: number; name: string }) => ({
        path: 'greetings',
        body: { id: Number(id), text: `Hello ${name}` },
      }),
      to: restAction({ name: 'mail', client, ...extra }),
      ...(extra.concurrency === undefined ? {} : { concurrency: extra.concurrency }),
    })
  return { server, taken, greet }
}

describe('rows sent to an API', () => {
  it('are noted on disk before they are sent, and that they were after', async () => {
    const of = await shop(2)
    const journals = () =>
      readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('journal.jsonl'))
        .map((file) =>
          readFileSync(join(folder, 'data', file), 'utf8')
            .trim()
            .split('\n')
            .slice(1),
        )
    const seen: unknown[] = []
    const look = action({
      name: 'look',
      pipeline: of,
      rows: `${rows} ORDER BY id`,
      key: 'id',
      message: ({ id }: { id: number }) => id,
      to: async () => void seen.push(journals().map((lines) => lines.map((line) => Object.keys(JSON.parse(line))[1]))),
    })
    expect(await sendRows(look)).toEqual({ sent: 2, refused: 0, unknown: 0 })
    expect(seen).toEqual([[['begun']], [['begun', 'ended', 'begun']]])
    expect(journals()).toEqual([])
  })

  it('are each sent once; a dry run sends nothing; new rows follow', async () => {
    const of = await shop(120)
    const { taken, greet } = await inbox((id) => (id % 3 === 0 ? 'text' : id % 3 === 1 ? 201 : 204))
    const preview = await previewRows(greet(of), { limit: 2 })
    expect(preview.total).toBe(120)
    expect(preview.messages).toHaveLength(2)
    expect(taken).toEqual([])
    expect(await sendRows(greet(of), { limit: 5 })).toEqual({ sent: 5, refused: 0, unknown: 0 })
    expect(await sendRows(greet(of, { concurrency: 4 }))).toEqual({ sent: 115, refused: 0, unknown: 0 })
    expect(await sendRows(greet(of))).toEqual({ sent: 0, refused: 0, unknown: 0 })
    await of.run([{ id: 121, name: 'N121' }], { tableName: 'people' })
    expect(await sendRows(greet(of))).toEqual({ sent: 1, refused: 0, unknown: 0 })
    expect(taken.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(people(121).map(({ id }) => id))
    const [row] = await of.dataset().query("SELECT * FROM shop.greet_results WHERE key = '1'").toArray()
    expect(row).toMatchObject({ status: 'sent', answer: '{"taken":1}', error: null })
    expect(row!.idempotency_key).toMatch(/^[0-9a-f]{32}$/)
  })

  const keys: [what: string, expression: string][] = [
    ['a timestamp', "TIMESTAMPTZ '2026-01-01 00:00:00+00' + id * INTERVAL 1 HOUR"],
    ['a number with a fraction', 'CAST(id AS DOUBLE) / 3'],
    ['a decimal', 'CAST(id AS DECIMAL(20, 4))'],
    ['a boolean', 'id > 60'],
  ]
  for (const [[what, expression], options] of tiered(keys, 2))
    it(`are distinguished by ${what}`, options, async () => {
      // More than one batch of 100.
      const of = await shop(120)
      const seen = new Set<string>()
      let sent = 0
      const greet = action({
        name: 'greet',
        pipeline: of,
        rows: `SELECT ${expression} AS k, id FROM shop.people`,
        key: 'k',
        message: ({ k }: { k: unknown }) => String(k),
        to: async (message: string) => {
          seen.add(message)
          sent += 1
        },
      })
      for (let time = 0; time < 2; time++) await sendRows(greet)
      expect(sent).toBe(expression === 'id > 60' ? 2 : 120)
      expect(seen.size).toBe(sent)
    })

  it('that the API refuses are kept with its reason, and sent again only when asked', async () => {
    const of = await shop(3)
    const { server, greet } = await inbox((id, times) => (id === 2 && times === 1 ? 422 : 200))
    expect(await sendRows(greet(of))).toEqual({ sent: 2, refused: 1, unknown: 0 })
    expect(await results(of)).toEqual({ 1: 'sent', 2: 'refused', 3: 'sent' })
    const [{ error } = {}] = await of.dataset().query("SELECT error FROM shop.greet_results WHERE key = '2'").toArray()
    expect(error).toContain('answered 422: no: 2')
    expect(await sendRows(greet(of))).toEqual({ sent: 0, refused: 0, unknown: 0 })
    expect(await sendRows(greet(of), { again: ['refused'] })).toEqual({ sent: 1, refused: 0, unknown: 0 })
    expect(server.requests).toHaveLength(4)
  })

  it('that may have arrived are not sent again, but to an API that knows idempotency keys', async () => {
    const of = await shop(4)
    const breaks = await inbox((id, times) => (id === 2 ? 'cut' : id === 3 && times === 1 ? 500 : 200))
    expect(await sendRows(breaks.greet(of))).toEqual({ sent: 2, refused: 0, unknown: 2 })
    expect(await results(of)).toEqual({ 1: 'sent', 2: 'unknown', 3: 'unknown', 4: 'sent' })
    expect(await sendRows(breaks.greet(of))).toEqual({ sent: 0, refused: 0, unknown: 0 })
    expect(breaks.server.requests).toHaveLength(4)
    // A person looks, and asks; the one that breaks each time is unknown again, and the run ends.
    expect(await sendRows(breaks.greet(of), { again: ['unknown'] })).toEqual({ sent: 1, refused: 0, unknown: 1 })
    expect(breaks.server.requests).toHaveLength(6)
    const knows = await inbox((_id, times) => (times === 1 ? 'cut' : 200))
    expect(await sendRows(knows.greet(of, { idempotencyHeader: 'Idempotency-Key' }))).toEqual({
      sent: 1,
      refused: 0,
      unknown: 0,
    })
    const keys = knows.taken.map(({ key }) => key)
    expect(keys).toHaveLength(2)
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
  })

  it('wait when the API asks for it, stop at a wrong key, and are not claimed then', { tags: ['slow'] }, async () => {
    const of = await shop(3)
    const { greet } = await inbox((id, times) => (id === 2 && times < 3 ? 429 : 200))
    expect(await sendRows(greet(of), { limit: 2 })).toEqual({ sent: 2, refused: 0, unknown: 0 })
    const closed = await inbox(() => 401)
    await expect(sendRows(closed.greet(of))).rejects.toThrow('answered 401')
    expect(await results(of)).toMatchObject({ 3: 'released' })
    expect(await sendRows(greet(of))).toEqual({ sent: 1, refused: 0, unknown: 0 })
  })

  it('that are on their way when the run is asked to end are waited for; broken then, they may have arrived', async () => {
    for (const ends of ['answered', 'cut'] as const) {
      const of = await shop(2)
      const abort = new AbortController()
      const server = await api((request, response) => {
        abort.abort()
        setTimeout(() => (ends === 'cut' ? request.socket.destroy() : json(response, {})), 100)
      })
      const greet = action({
        name: `greet_${ends}`,
        pipeline: of,
        rows,
        key: 'id',
        message: ({ id }: { id: number }) => ({ path: 'greetings', body: { id: Number(id) } }),
        to: restAction({ name: 'mail', client: { baseUrl: server.baseUrl, backoffMs: 10 } }),
      })
      const counts = await sendRows(greet, { signal: abort.signal })
      expect(counts).toEqual({ sent: ends === 'cut' ? 0 : 1, refused: 0, unknown: ends === 'cut' ? 1 : 0 })
      expect(server.requests).toHaveLength(1)
    }
  })

  it('need a key and a message', async () => {
    const of = await shop(2)
    const to: Send<unknown> = () => Promise.resolve({})
    const made = (extra: object) =>
      action({ name: 'greet', pipeline: of, rows, key: 'id', message: (row: object) => row, to, ...extra })
    await expect(sendRows(made({ key: 'email' }))).rejects.toThrow(/email/)
    await expect(sendRows(made({ rows: 'SELECT NULL AS id' }))).rejects.toThrow('no value in "id"')
    const broken = made({
      message: () => {
        throw new Error('no address')
      },
    })
    await expect(sendRows(broken)).rejects.toThrow('no message for')
    expect(await sendRows(made({}))).toEqual({ sent: 2, refused: 0, unknown: 0 })
    expect(() => made({ name: 'Greet!' })).toThrow('no name')
    expect(() => made({ concurrency: 0 })).toThrow('whole number')
  })

  it('by the platforms: one rate budget for all messages of a run', async () => {
    const of = await shop(4)
    const at: number[] = []
    const server = await api((_request, response) => {
      at.push(performance.now())
      json(response, { id: `m${at.length}` })
    })
    process.env.SOURCES__CHATRA__API_KEY_PAIR = 'public:private'
    onTestFinished(() => void delete process.env.SOURCES__CHATRA__API_KEY_PAIR)
    const push = action({
      name: 'greet',
      pipeline: of,
      rows,
      key: 'id',
      message: ({ id, name }: { id: number; name: string }) => ({ clientId: `c${id}`, text: `Hello ${name}` }),
      // 3 a minute: the fourth would wait for it.
      to: (message: { clientId: string; text: string }, options) =>
        chatra.actions.pushMessage(message, { baseUrl: server.baseUrl, requestsPerMinute: 3, ...options }),
    })
    const abort = new AbortController()
    const sent: string[] = []
    const counts = await sendRows(push, {
      signal: abort.signal,
      emit(event) {
        if (event.type === 'row') sent.push(event.key)
        if (sent.length === 3) setTimeout(() => abort.abort(), 300)
      },
    })
    expect(at).toHaveLength(3)
    expect(server.requests).toEqual(Array.from({ length: 3 }, () => 'POST /pushedMessages/'))
    expect(counts).toEqual({ sent: 3, refused: 0, unknown: 0 })
    // The fourth waited for its turn: it was not sent, and is there for the next run.
    expect(Object.values(await results(of)).toSorted()).toEqual(['released', 'sent', 'sent', 'sent'])
  })
})

describe('killed', () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const root = fileURLToPath(new URL('../../src/', import.meta.url))

  /** Writes the file of an action; what is returned begins `sluice send greet`. */
  function program(kind: 'duckdb' | 'postgres', options: object, baseUrl: string) {
    writeFileSync(
      join(folder, 'sluice.actions.ts'),
      `import { pipeline } from ${JSON.stringify(`${root}index.ts`)}
import { action, restAction } from ${JSON.stringify(`${root}actions/index.ts`)}
import { ${kind} } from ${JSON.stringify(`${root}destinations/${kind}/${kind}.ts`)}
const of = pipeline({ name: 'shop', dataset: 'shop', destination: ${kind}(${JSON.stringify(options)}) })
export const greet = action({
  name: 'greet', pipeline: of, rows: ${JSON.stringify(rows)}, key: 'id', concurrency: 3,
  message: ({ id }: { id: number }) => ({ path: 'greetings', body: { id: Number(id) } }),
  to: restAction({ name: 'mail', client: { baseUrl: ${JSON.stringify(baseUrl)} } }),
})`,
    )
    return (data = join(folder, 'data'), more: Record<string, string> = {}) =>
      spawn(process.execPath, [main, 'send', 'greet'], {
        cwd: folder,
        env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: data, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
  }

  it('no row is sent by two machines', { tags: ['slow'] }, async () => {
    const url = await freshDatabase(await running('postgres'))
    const of = await shop(200, pipeline({ name: 'shop', dataset: 'shop', destination: postgres({ url }) }))
    const got: number[] = []
    const server = await api((_request, response, _url, body) => {
      got.push((JSON.parse(body) as { id: number }).id)
      setTimeout(() => json(response, {}), 5)
    })
    const start = program('postgres', { url }, server.baseUrl)
    const machines = ['here', 'there', 'elsewhere'].map((name) => start(join(folder, name)))
    const said = machines.map((machine) => {
      let text = ''
      for (const stream of [machine.stdout, machine.stderr])
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      return once(machine, 'close').then(([code]) => ({ code: code as number, text }))
    })
    for (const { code, text } of await Promise.all(said)) expect(code, text).toBe(0)
    expect(got.toSorted((a, b) => a - b)).toEqual(people(200).map(({ id }) => id))
    expect(new Set(Object.values(await results(of)))).toEqual(new Set(['sent']))
  })

  for (const kind of ['duckdb', 'postgres'] as const) {
    it(
      `again and again while it sends: nothing twice, nothing lost, into ${kind}`,
      { tags: ['slow'], timeout: 180_000 },
      async () => {
        const url = kind === 'postgres' ? await freshDatabase(await running('postgres')) : ''
        const destination = kind === 'postgres' ? postgres({ url }) : duckdb({ path: join(folder, 'shop.duckdb') })
        const of = await shop(300, pipeline({ name: 'shop', dataset: 'shop', destination }))
        const got: number[] = []
        const server = await api((_request, response, _url, body) => {
          got.push((JSON.parse(body) as { id: number }).id)
          // Slow, so that some are left for every kill.
          setTimeout(() => json(response, {}), 20)
        })
        const start = program(
          kind,
          kind === 'postgres' ? { url } : { path: join(folder, 'shop.duckdb') },
          server.baseUrl,
        )
        for (let kills = 0; kills < 6; kills++) {
          const before = got.length
          const child = start()
          // Somewhere between its first message and the end of a batch.
          await expect.poll(() => got.length > before || child.exitCode !== null, { interval: 5 }).toBe(true)
          await new Promise((resolve) => setTimeout(resolve, 40 * kills))
          child.kill('SIGKILL')
          await once(child, 'close')
        }
        // And at each of its own steps; the last of them is passed when all is sent.
        const steps = ['send-noted:2', 'send-answered:1', 'send-outcome-noted:1', 'journal-cleared:1']
        for (const step of steps) {
          const child = start(undefined, { SLUICE_FAILPOINT: step })
          const [, signal] = (await once(child, 'close')) as [number | null, string | null]
          expect(signal, step).toBe('SIGKILL')
        }
        const last = start()
        let said = ''
        for (const stream of [last.stdout, last.stderr])
          stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
        await once(last, 'close')
        const status = await results(of)
        const counts = Object.groupBy(Object.entries(status), ([, one]) => one)
        // Sent and answered; or begun when it was killed, and then nobody knows, and nobody sends it again.
        expect(new Set(got).size, said).toBe(got.length)
        expect((counts.sent?.length ?? 0) + (counts.unknown?.length ?? 0), said).toBe(300)
        expect(counts.unknown?.length ?? 0).toBeLessThanOrEqual((6 + steps.length) * 3)
        for (const [key] of counts.sent ?? []) expect(got).toContain(Number(key))
        for (const id of got) expect(['sent', 'unknown']).toContain(status[id])
      },
    )
  }
})
