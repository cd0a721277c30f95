import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../../src/index.ts'

const kills = 50
const eventCount = 2000
const chatCount = 400
const pageRows = 50

let server: Server
let baseUrl: string
let generation = 1

const tables: Record<string, () => { id: number }[]> = {
  events: () => Array.from({ length: eventCount }, (_, at) => ({ id: at + 1, text: `event ${at + 1}`, at: at * 1.5 })),
  chats: () =>
    Array.from({ length: chatCount }, (_, at) => ({
      id: at + 1,
      messages: [{ text: `hello ${at}`, tags: ['a', 'b'] }, { text: 'bye' }],
    })),
  snapshot: () => Array.from({ length: 500 }, (_, at) => ({ id: at + 1, generation })),
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1')
    const rows = tables[url.pathname.slice(1)]!()
    const after = Number(url.searchParams.get('after'))
    response.end(JSON.stringify(rows.filter((row) => row.id > after).slice(0, pageRows)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

interface Ended {
  output: string[]
  signal: NodeJS.Signals | null
  code: number | null
  ms: number
}

/** Runs the load in a process of its own; kills it after so many milliseconds when they are given. */
function load(path: string, mode: string, killAfterMs?: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    const script = fileURLToPath(new URL('load.ts', import.meta.url))
    const child = spawn(process.execPath, [script, baseUrl, path, mode], {
      env: { ...process.env, SLUICE_DATA_DIR: `${path}.data` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code !== 0 && signal === null) reject(new Error(`the load failed: ${errors}`))
      else resolve({ output: output.trim().split('\n'), signal, code, ms: performance.now() - begun })
    })
  })
}

async function contents(path: string) {
  process.env.SLUICE_DATA_DIR = `${path}.read`
  const data = pipeline({ name: 'read', dataset: 'data', destination: duckdb({ path }) }).dataset()
  const [row] = await data
    .query(
      `select (select count(*) from data.events) as events, (select count(distinct id) from data.events) as event_ids,
        (select count(*) from data.chats) as chats, (select count(distinct id) from data.chats) as chat_ids,
        (select count(*) from data.chats__messages) as messages,
        (select count(*) from data.chats__messages__tags) as tags,
        (select count(*) from data.chats__messages m anti join data.chats c on m._dlt_parent_id = c._dlt_id) as orphans,
        (select count(*) - count(distinct load_id) from data._dlt_loads) as doubled_loads,
        (select count(*) from data.events e anti join data._dlt_loads l on e._dlt_load_id = l.load_id) as unledgered`,
    )
    .toArray()
  return row
}

const complete = {
  events: eventCount,
  event_ids: eventCount,
  chats: chatCount,
  chat_ids: chatCount,
  messages: 2 * chatCount,
  tags: 2 * chatCount,
  orphans: 0,
  doubled_loads: 0,
  unledgered: 0,
}

it(`loses nothing and doubles nothing when it is killed at ${kills} random moments`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
  await load(join(folder, 'clean.duckdb'), 'merge')
  expect(await contents(join(folder, 'clean.duckdb'))).toEqual(complete)
  // The first run warms the machine up; the second tells how long a run takes.
  const whole = await load(join(folder, 'timed.duckdb'), 'merge')
  let killed = 0
  for (let trial = 0; killed < kills; trial++) {
    expect(trial, 'too many runs end before they are killed').toBeLessThan(2 * kills)
    const path = join(folder, `trial-${trial}.duckdb`)
    // The first part of every run is the start of the process, where nothing can be lost.
    const moment = whole.ms * (0.2 + 0.7 * Math.random())
    const { signal } = await load(path, 'merge', moment)
    if (signal === 'SIGKILL') killed += 1
    const { output } = await load(path, 'merge')
    const where = `trial ${trial}, killed after ${moment.toFixed(0)} of ${whole.ms.toFixed(0)} ms`
    expect(await contents(path), where).toEqual(complete)
    expect(output.at(-1), where).toBe('{}')
  }
  rmSync(folder, { recursive: true, force: true })
})

it('replaces a table wholly or not at all', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
  const path = join(folder, 'replace.duckdb')
  generation = 1
  const { ms } = await load(path, 'replace')
  process.env.SLUICE_DATA_DIR = `${path}.read`
  const data = pipeline({ name: 'read', dataset: 'data', destination: duckdb({ path }) }).dataset()
  for (generation = 2; generation <= 11; generation++) {
    await load(path, 'replace', ms * (0.4 + 0.6 * Math.random()))
    const [seen] = await data
      .query<{ rows: number; generations: number }>(
        'select count(*) as rows, count(distinct generation) as generations from data.snapshot',
      )
      .toArray()
    expect(seen).toEqual({ rows: 500, generations: 1 })
  }
  rmSync(folder, { recursive: true, force: true })
})
