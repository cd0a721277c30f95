import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { pipeline, PipelineError, type Destination } from '../../src/index.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { contents, crashSource, pageOf } from './crash-source.ts'

/**
 * Runs with a small disk of its own mounted at `disk`: fills it up to some free kilobytes, loads, makes room, loads
 * again, and tells what is there then. What is on the full disk: the destination, or the packages.
 */
const [disk, name, place] = process.argv.slice(2) as [string, string, 'destination' | 'packages']
const other = `${disk}.other`
const filler = join(disk, 'filler')

const free = (): number => {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

function fillUp(leaveKilobytes: number): void {
  const bytes = free() - leaveKilobytes * 1024
  if (bytes > 0) writeFileSync(filler, Buffer.alloc(bytes))
}

const onDisk = place === 'destination' ? disk : other
const server = name === 'postgres' ? await startPostgres({ folder: makeFolder(join(onDisk, 'server')) }) : undefined
const dataDir = place === 'packages' ? disk : other

function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true })
  return path
}

function destination(trial: number): Destination {
  if (name === 'postgres') return postgres({ url: server!.url })
  const folder = makeFolder(join(onDisk, `trial-${trial}`))
  return name === 'duckdb' ? duckdb({ path: join(folder, 'full.duckdb') }) : filesystem({ bucketUrl: folder })
}

const results: { free: number; error: string | undefined; contents: unknown; again: unknown }[] = []
for (const [trial, kilobytes] of [0, 8, 40, 100, 200, 400, 800, 1600, 3200].entries()) {
  process.env.SLUICE_DATA_DIR = join(dataDir, `data-${trial}`)
  const dataset = `full_${trial}`
  const target = pipeline({ name: 'full', dataset, destination: destination(trial), package: { maxBytes: 20_000 } })
  const source = crashSource(async (table, after) => pageOf(table, after))
  fillUp(kilobytes)
  const error = await target.run(source).then(
    () => undefined,
    (reason: unknown) =>
      reason instanceof PipelineError ? `${reason.fix} (${reason.summary})` : `not a PipelineError: ${String(reason)}`,
  )
  rmSync(filler, { force: true })
  await target.run(source)
  results.push({
    free: kilobytes,
    error,
    contents: await contents(target, dataset),
    again: (await target.run(source)).rows,
  })
}
await server?.stop()
console.log(JSON.stringify(results))
