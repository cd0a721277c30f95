import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdb, duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { sqlDestination } from '../../src/destinations/sql/sql-destination.ts'
import { pipeline, type Destination, type Pipeline } from '../../src/index.ts'
import { running } from './running.ts'

export type DestinationName = 'duckdb' | 'postgres' | 'filesystem' | 's3' | 'azure'
const all: DestinationName[] = ['duckdb', 'postgres', 'filesystem', 's3', 'azure']

/** The destinations of this run: `DESTINATIONS=duckdb,postgres` chooses. */
export const destinationNames: DestinationName[] =
  process.env.DESTINATIONS === undefined
    ? all
    : all.filter((name) => process.env.DESTINATIONS!.split(',').includes(name))

/** Those that differ in how they work; buckets are the filesystem's way, through another store. */
export const isEngine = (name: DestinationName) => name !== 's3' && name !== 'azure'
export const engineNames = destinationNames.filter(isEngine)

/** DuckDB, its rows changed the way of databases that know MERGE alone. */
export function mergingDuckdb(path: string): Destination {
  const parts = duckdbParts({ path })
  return sqlDestination({ ...parts, dialect: { ...parts.dialect, changesByMerge: true } })
}

/** A pipeline into an empty DuckDB file whose rows are changed by MERGE alone. */
export function mergingTarget(): Pipeline {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-merging-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  return pipeline({ name: 'test', dataset: 'd', destination: mergingDuckdb(join(folder, 'test.duckdb')) })
}

let used = 0

/** A pipeline into an empty dataset of its own. */
export async function emptyTarget(
  name: DestinationName,
  options: { pipeline?: string; maxIdentifierLength?: number } = {},
): Promise<{ target: Pipeline; dataset: string; destination: Destination }> {
  const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  used += 1
  const { maxIdentifierLength = 63 } = options
  const destination =
    name === 'duckdb'
      ? duckdb({ path: join(folder, 'test.duckdb'), maxIdentifierLength })
      : name === 'postgres'
        ? postgres({ url: await running('postgres'), maxIdentifierLength })
        : name === 'filesystem'
          ? filesystem({ bucketUrl: join(folder, 'lake'), maxIdentifierLength })
          : filesystem({ ...(await running(name)), maxIdentifierLength })
  const dataset = `d_${process.pid}_${used}`
  return { target: pipeline({ name: options.pipeline ?? 'test', dataset, destination }), dataset, destination }
}
