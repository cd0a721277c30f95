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
import { complete, contents, pageOf } from './crash-source.ts'

const kills = 50
let server: Server
let baseUrl: string
let generation = 1

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1')
    const after = Number(url.searchParams.get('after'))
    response.end(JSON.stringify(pageOf(url.pathname.slice(1), after, generation)))
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

/** Looked at by another pipeline, so that nothing of the first one's state is touched. */
function contentsOf(path: string): Promise<Record<string, unknown>> {
  process.env.SLUICE_DATA_DIR = `${path}.read`
  return contents(pipeline({ name: 'read', dataset: 'data', destination: duckdb({ path }) }), 'data')
}

it(`loses nothing and doubles nothing when it is killed at ${kills} random moments`, { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-'))
  await load(join(folder, 'clean.duckdb'), 'merge')
  expect(await contentsOf(join(folder, 'clean.duckdb'))).toEqual(complete)
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
    expect(await contentsOf(path), where).toEqual(complete)
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
