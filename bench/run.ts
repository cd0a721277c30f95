/**
 * The benchmark: `npm run bench`, or for one question `npm run bench -- --shapes flat --rows 20000 --rounds 1 --no-dlt`.
 * Sluice, dlt and the floors take turns in one run, each in a process of its own, reading the same server. What was
 * loaded is checked by rows and sums. Ratios are what counts; times are those of this machine.
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/support/postgres-server.ts'
import { chart } from './chart.ts'
import { check } from './check.ts'
import { shapes, type Shape } from './data.ts'
import type { Measurement } from './measured.ts'
import { table } from './report.ts'

export interface Result extends Measurement {
  shape: Shape
  tool: string
  destination: string
  rows: number
  rowsPerSecond: number
}

const { values: options } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'flat,nested' },
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    destinations: { type: 'string', default: 'duckdb,postgres,parquet' },
    tools: { type: 'string', default: 'floors,sluice,merge,dlt-tuned,dlt' },
    out: { type: 'string' },
  },
})
const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
const destinations = options.destinations.split(',')
const wanted = new Set(options.tools.split(','))

/** dlt in a virtual environment of its own; `undefined` where Python is not there. */
function installDlt(): string | undefined {
  const environment = join(here, '../.engines/dlt')
  const python = join(environment, 'bin', 'python')
  if (existsSync(python)) return python
  try {
    mkdirSync(join(here, '../.engines'), { recursive: true })
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'ignore' })
    // The same DuckDB as ours: newer ones write files that older ones cannot read.
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'dlt[duckdb,postgres]', 'pyarrow', 'duckdb<2'], {
      stdio: 'inherit',
    })
    return python
  } catch (error) {
    rmSync(environment, { recursive: true, force: true })
    console.error(`dlt cannot be installed, and is left out: ${(error as Error).message.split('\n')[0]}`)
    return undefined
  }
}

async function measure(command: string, args: string[]): Promise<Measurement & { version?: string }> {
  const home = mkdtempSync(join(folder, 'home-'))
  const env = { ...process.env, SLUICE_DATA_DIR: join(home, 'data'), HOME: home }
  const child = spawn(command, args, { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  rmSync(home, { recursive: true, force: true })
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${errors.slice(-2000)}`)
  return JSON.parse(output.trim().split('\n').at(-1)!) as Measurement
}

const python = wanted.has('dlt') || wanted.has('dlt-tuned') ? installDlt() : undefined
const server = destinations.includes('postgres') ? await startPostgres() : undefined
// Drivers that follow the rules for URLs want the password encoded.
const postgresUrl = server?.url.replace(/:\/\/([^:]+):(.*)@/, (_all, user: string, password: string) => {
  return `://${user}:${encodeURIComponent(password)}@`
})
const results: Result[] = []
let dltVersion: string | undefined

async function emptyTarget(destination: string): Promise<string> {
  if (destination !== 'postgres') return join(mkdtempSync(join(folder, 'target-')), 'data.duckdb')
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('DROP SCHEMA IF EXISTS bench CASCADE; DROP SCHEMA IF EXISTS bench_staging CASCADE; CHECKPOINT')
  await client.end()
  return postgresUrl!
}

async function one(shape: Shape, tool: string, destination: string, baseUrl: string, rows: number): Promise<void> {
  const target = destination === '-' ? '' : await emptyTarget(destination)
  const isSluice = tool === 'sluice' || tool === 'merge'
  const isDlt = tool.startsWith('dlt')
  const measurement = isSluice
    ? await measure(process.execPath, [
        join(here, 'load-sluice.ts'),
        baseUrl,
        shape,
        destination,
        target,
        tool === 'merge' ? 'merge' : 'append',
      ])
    : isDlt
      ? await measure(python!, [
          join(here, 'load_dlt.py'),
          baseUrl,
          shape,
          destination,
          target,
          tool === 'dlt' ? 'defaults' : 'tuned',
        ])
      : await measure(process.execPath, [join(here, 'floors.ts'), tool, shape, String(rows), postgresUrl ?? ''])
  dltVersion ??= measurement.version
  if (destination !== '-') await check(destination, target, shape, rows)
  if (destination !== '-' && destination !== 'postgres') rmSync(target, { recursive: true, force: true })
  results.push({ shape, tool, destination, rows, rowsPerSecond: (rows / measurement.wallMs) * 1000, ...measurement })
  const rate = Math.round(results.at(-1)!.rowsPerSecond).toLocaleString('en')
  console.error(`  ${shape.padEnd(7)} ${tool.padEnd(11)} ${destination.padEnd(9)} ${rate.padStart(10)} rows/s`)
}

/** Everything that is measured for a shape in one round, slow peers last. */
function contestants(shape: Shape, round: number): [tool: string, destination: string][] {
  const found: [string, string][] = []
  if (wanted.has('floors')) {
    found.push(['parse', '-'], ['read_json', '-'])
    if (shape === 'flat' && server !== undefined) found.push(['copy_text', '-'], ['copy_binary', '-'])
  }
  for (const destination of destinations) {
    if (wanted.has('sluice')) found.push(['sluice', destination])
    if (wanted.has('merge') && destination !== 'parquet') found.push(['merge', destination])
    if (python === undefined || destination === 'parquet') continue
    if (wanted.has('dlt-tuned')) found.push(['dlt-tuned', destination])
    // With its defaults dlt takes minutes, and varies little.
    if (wanted.has('dlt') && round === 0) found.push(['dlt', destination])
  }
  return found
}

try {
  const chosen = options.shapes.split(',').map((name) => {
    const shape = shapes.find((known) => known === name)
    if (shape === undefined) throw new Error(`--shapes: "${name}" is none of ${shapes.join(', ')}`)
    return shape
  })
  for (const shape of chosen) {
    const pages = fork(join(here, 'server.ts'), [shape, options.rows])
    const [{ baseUrl }] = (await once(pages, 'message')) as [{ baseUrl: string; bytes: number }]
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [tool, destination] of contestants(shape, round)) {
        await one(shape, tool, destination, baseUrl, Number(options.rows))
      }
    }
    pages.disconnect()
  }
  const about = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}, dlt ${dltVersion ?? 'left out'}`
  console.log(table(results, about))
  const out = options.out ?? join(here, 'latest')
  writeFileSync(`${out}.json`, `${JSON.stringify({ about, results }, null, 1)}\n`)
  writeFileSync(`${out}.svg`, chart(results, about))
  console.error(`written: ${out}.json, ${out}.svg (${readFileSync(`${out}.svg`).length} bytes)`)
} finally {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
}
