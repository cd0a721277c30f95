import { readFileSync, rmSync, statSync } from 'node:fs'
import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import type { RowObject, SqlConnection } from '../destination.ts'
import { resultColumn } from '../sql/result-types.ts'
import { jsValue } from './values.ts'

/** Opens a DuckDB file. Waits a moment when another process holds it: readers come and go. */
export async function openDuckdb(path: string, options: Record<string, string>): Promise<SqlConnection> {
  const shared = await acquire(path, options)
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

async function openInstance(path: string, options: Record<string, string>): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', options)
  try {
    const connection = await instance.connect()
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS ${databaseName}`)
    connection.closeSync()
    return instance
  } catch (error) {
    instance.closeSync()
    throw error
  }
}

const lockAttempts = 20

async function retrying<T>(path: string, open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open()
    } catch (error) {
      const text = String(error)
      const locked = /could not set lock|used by another process/i.test(text)
      const full = /no space left/i.test(text)
      if (!locked && !full && attempt < lockAttempts && isUnfinished(path)) {
        rmSync(path)
        continue
      }
      if (!locked || attempt === lockAttempts) {
        throw new PipelineError(`cannot open the DuckDB file ${path}: ${firstLine(error)}`, {
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
      await new Promise((resolve) => setTimeout(resolve, 50 * Math.min(attempt, 10)))
    }
  }
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

function duckdbConnection(connection: DuckDBConnection, close: () => void): SqlConnection {
  return {
    async run(sql, values) {
      await connection.run(sql, values as never)
    },
    async rows(sql, values) {
      const reader = await connection.runAndReadAll(sql, values as never)
      const names = reader.deduplicatedColumnNames()
      return reader.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
    },
    async query(sql, values) {
      const result = await connection.stream(sql, values as never)
      const names = result.deduplicatedColumnNames()
      const columns = names.map((name, at) => resultColumn(name, typeName(result.columnType(at))))
      return { columns, pages: pagesOf(result, names) }
    },
    async close() {
      close()
    },
  }
}
