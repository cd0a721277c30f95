import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import type { QueryResult, RowObject, SqlConnection } from '../destination.ts'
import { resultColumn } from '../sql/result-types.ts'
import { lockDown, theQuery } from './lock-down.ts'
import { takeSnapshot } from './snapshot.ts'
import { jsValue } from './values.ts'

/** A connection that can be closed for everything but queries. */
export interface DuckdbConnection extends SqlConnection {
  /** From here on there are only queries, for as long as the time lasts; of files, only those named can be read. */
  lockDown(limits: { timeoutMs: number; files: readonly string[] }): Promise<void>
}

/** Opens a DuckDB file. Waits a moment when another process holds it: readers come and go. */
export async function openDuckdb(path: string, options: Record<string, string>): Promise<DuckdbConnection> {
  return connected(await acquire(path, options))
}

/**
 * Opens a DuckDB file only to look, also while another process writes it: then a copy of it. Whoever wants to write waits
 * until this connection is closed.
 */
export async function openDuckdbToRead(path: string, timeoutMs: number): Promise<DuckdbConnection> {
  if (!existsSync(path)) {
    throw new PipelineError(`there is no DuckDB file ${path}`, {
      code: 'LOAD_FAILED',
      fix: 'run the pipeline first, or correct the path',
    })
  }
  // A file that this process writes must not be opened a second time: closing it would end the lock on the first.
  if (openFiles.has(path)) return connected(await acquire(path, {}))
  const connection = await connected(await acquireToRead(path))
  await connection.lockDown({ timeoutMs, files: [] })
  return connection
}

async function connected(shared: SharedInstance): Promise<DuckdbConnection> {
  const connection = await shared.instance.connect()
  // Reads and results must not depend on the zone of the machine.
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`USE ${databaseName}`)
  return duckdbConnection(connection, () => {
    connection.closeSync()
    shared.release()
  })
}

interface SharedInstance {
  instance: DuckDBInstance
  release(): void
}

/**
 * Open files of this process. DuckDB's lock keeps other processes out, not this one: two instances of one file in one
 * process would not see each other's writes.
 */
const openFiles = new Map<string, { opening: Promise<DuckDBInstance>; users: number }>()

async function acquire(path: string, options: Record<string, string>): Promise<SharedInstance> {
  // Every connection to `:memory:` is a database of its own.
  const key = path === ':memory:' ? `:memory: ${Math.random()}` : path
  const entry = openFiles.get(key) ?? { opening: retrying(path, () => openInstance(path, options)), users: 0 }
  openFiles.set(key, entry)
  entry.users += 1
  const release = (instance?: DuckDBInstance): void => {
    entry.users -= 1
    if (entry.users > 0) return
    openFiles.delete(key)
    instance?.closeSync()
  }
  try {
    const instance = await entry.opening
    return { instance, release: () => release(instance) }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * DuckDB names a database after its file, and then cannot tell `crm.duckdb` from a schema `crm` in it. Attached under a
 * name of its own, it can.
 */
const databaseName = 'sluice_database'

const readSettings = { memory_limit: '1GB', temp_directory: join(tmpdir(), 'sluice-read.tmp') }

/** For so long a file may be found half made: just created, or about to be closed. */
const longestUnsettledMs = 2000

/** An instance of its own for each reader: it is locked down as a whole. */
async function acquireToRead(path: string): Promise<SharedInstance> {
  const begun = performance.now()
  for (;;) {
    try {
      return await openToRead(path)
    } catch (error) {
      if (error instanceof PipelineError) throw error
      if (performance.now() - begun > longestUnsettledMs) throw cannotOpen(path, error)
      await sleep(lockPollMs)
    }
  }
}

/** The file itself, or a copy of it while another process holds it. */
async function openToRead(path: string): Promise<SharedInstance> {
  try {
    const instance = await openInstance(path, readSettings, ' (READ_ONLY)')
    return { instance, release: () => instance.closeSync() }
  } catch (error) {
    if (!isLocked(error)) throw error
  }
  const snapshot = takeSnapshot(path)
  try {
    const instance = await openInstance(snapshot.path, readSettings, ' (READ_ONLY)')
    return {
      instance,
      release() {
        instance.closeSync()
        snapshot.remove()
      },
    }
  } catch (error) {
    snapshot.remove()
    throw error
  }
}

async function openInstance(path: string, options: Record<string, string>, how = ''): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', options)
  try {
    const connection = await instance.connect()
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS ${databaseName}${how}`)
    connection.closeSync()
    return instance
  } catch (error) {
    instance.closeSync()
    throw error
  }
}

/** Longer than a reader may take, such as a query of the dashboard. */
const longestLockMs = 45_000
const lockPollMs = 250
const removals = 20

async function retrying<T>(path: string, open: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  for (let removed = 0; ;) {
    try {
      return await open()
    } catch (error) {
      if (isLocked(error) && performance.now() - begun < longestLockMs) {
        await sleep(lockPollMs)
      } else if (!isLocked(error) && !isFull(error) && removed < removals && isUnfinished(path)) {
        rmSync(path)
        removed += 1
      } else throw cannotOpen(path, error)
    }
  }
}

const isLocked = (error: unknown): boolean => /could not set lock|used by another process/i.test(String(error))
const isFull = (error: unknown): boolean => /no space left/i.test(String(error))

function cannotOpen(path: string, error: unknown): PipelineError {
  const [locked, full] = [isLocked(error), isFull(error)]
  return new PipelineError(`cannot open the DuckDB file ${path}: ${firstLine(error)}`, {
    code: 'LOAD_FAILED',
    recovery: locked || full ? 'retry' : 'abort',
    fix: locked
      ? 'close the other program that has this file open, then run again'
      : full
        ? 'make room on the disk, then run again'
        : 'check that the path is writable and that the file is a DuckDB database',
    cause: error,
  })
}

/** What DuckDB leaves when its creation of a file is cut short, by a full disk or a kill: less than its three headers. */
function isUnfinished(path: string): boolean {
  const headers = 3 * 4096
  const { size = headers } = statSync(path, { throwIfNoEntry: false }) ?? {}
  if (size >= headers) return false
  const start = readFileSync(path)
  return start.length === 0 || start.toString('latin1', 8, 12) === 'DUCK'
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!

async function* pagesOf(result: DuckDBResult, names: readonly string[]): AsyncGenerator<RowObject[]> {
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    yield chunk.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
  }
}

/** JSON is text with another name. */
const typeName = (type: DuckDBType): string => type.alias ?? type.toString()

function duckdbConnection(connection: DuckDBConnection, close: () => void): DuckdbConnection {
  let unwatch: (() => void) | undefined
  const query: SqlConnection['query'] = async (sql, values) => {
    if (unwatch === undefined) return found(await connection.stream(sql, values as never))
    const prepared = await theQuery(connection, sql)
    if (values !== undefined) prepared.bind(values as never)
    return found(await prepared.stream())
  }
  return {
    query,
    async run(sql, values) {
      await connection.run(sql, values as never)
    },
    async rows(sql, values) {
      if (unwatch !== undefined) return (await Array.fromAsync((await query(sql, values)).pages)).flat()
      const reader = await connection.runAndReadAll(sql, values as never)
      const names = reader.deduplicatedColumnNames()
      return reader.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
    },
    async lockDown(limits) {
      unwatch = await lockDown(connection, limits)
    },
    async close() {
      unwatch?.()
      close()
    },
  }
}

function found(result: DuckDBResult): QueryResult {
  const names = result.deduplicatedColumnNames()
  const columns = names.map((name, at) => resultColumn(name, typeName(result.columnType(at))))
  return { columns, pages: pagesOf(result, names) }
}
