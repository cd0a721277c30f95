import { mkdirSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { PipelineError } from '../../errors/index.ts'
import { withOptions, type Capabilities, type CapabilityOptions } from '../capabilities.ts'
import type { Destination, SqlConnection } from '../destination.ts'
import type * as driver from './connection.ts'
import { selection, sqlDestination, type BulkLoad, type SqlDestinationParts } from '../sql/sql-destination.ts'
import { duckdbDialect } from './dialect.ts'
import { duckdbErrors } from './errors.ts'
import { packageRows } from './package-rows.ts'

export interface DuckdbOptions extends CapabilityOptions {
  /** The database file, or `:memory:`. @default `<pipeline>.duckdb` in the current folder */
  path?: string
  /** DuckDB settings, such as `{ memory_limit: '2GB' }`. */
  settings?: Record<string, string>
}

/**
 * In the order of a file, rows of several threads make row groups of uneven size, which DuckDB writes again when the
 * file is closed; out of order they are written once. Where order matters, the file is read by one thread.
 *
 * A commit that is larger than the threshold writes its rows into the file; a smaller one writes them into the log, and
 * once more when the file is closed.
 */
const settings = { preserve_insertion_order: 'false', checkpoint_threshold: '1MB' }

const threads = availableParallelism()
/** DuckDB keeps in memory what it has written, up to most of the machine's; a load needs none of that. */
const memoryBytes = threads * 256 * 1024 * 1024
const rowGroupRows = 122_880

/** Wide tables need more: every thread gathers a row group of all their columns before it is compressed. */
const memoryFor = (columns: number): number => Math.min(threads * columns * rowGroupRows * 24, 0.8 * totalmem())

const capabilities: Capabilities = {
  identifiers: { maxLength: 65_536, naming: 'snake_case' },
  ddl: {},
  text: { takesNul: true },
  storage: { decimalDigits: 38 },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    replaceStrategy: 'truncate-and-insert',
    early: false,
  },
}

/** A DuckDB file as destination. */
export const duckdb = (options: DuckdbOptions = {}): Destination => sqlDestination(duckdbParts(options))

/** The parts of the destination, for tests that stand between them. */
export function duckdbParts(options: DuckdbOptions): SqlDestinationParts {
  const limitsMemory = options.settings?.memory_limit === undefined
  let limit = memoryBytes
  return {
    name: 'duckdb',
    capabilities: withOptions(capabilities, options),
    dialect: duckdbDialect,
    errors: duckdbErrors,
    async connect({ pipeline, readOnly, onWait }) {
      const given = options.path ?? `${pipeline}.duckdb`
      const path = given === ':memory:' ? given : resolve(given)
      // The driver is loaded when it is used: importing the library stays quick.
      const { openDuckdb, openDuckdbToRead } = await loadDriver()
      if (readOnly !== undefined) {
        return { connection: await openDuckdbToRead(path, readOnly.timeoutMs), location: `duckdb:${path}` }
      }
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
      const temporary = path === ':memory:' ? {} : { temp_directory: `${path}.tmp` }
      const own = { ...settings, ...temporary, memory_limit: `${memoryBytes}B` }
      const connection = await openDuckdb(path, { ...own, ...options.settings }, onWait)
      return { connection, location: `duckdb:${path}` }
    },
    bulkLoad: async (connection, load) => {
      const needed = memoryFor(load.cells.length)
      if (limitsMemory && needed > limit) {
        limit = needed
        await connection.run(`SET memory_limit = '${Math.floor(limit)}B'`)
      }
      await readCsv(connection, load)
    },
  }
}

async function loadDriver(): Promise<typeof driver> {
  try {
    return await import('./connection.ts')
  } catch (error) {
    throw new PipelineError(
      `destination "duckdb": its driver cannot be loaded: ${(error as Error).message.split('\n')[0]}`,
      {
        code: 'DRIVER_MISSING',
        fix: 'npm install @duckdb/node-api — without --omit=optional, which leaves its binaries out',
        cause: error,
      },
    )
  }
}

/** One statement per group of files, read with all cores. */
async function readCsv(connection: SqlConnection, load: BulkLoad): Promise<void> {
  const { columns, values } = selection(load)
  await connection.run(
    `INSERT INTO ${load.into} (${columns.map(duckdbDialect.quote).join(', ')}) SELECT ${values.join(', ')} ` +
      `FROM ${packageRows(load, load.cells)}`,
  )
}
