import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DuckDBTypeId,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBType,
} from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import type { QueryResult, ResultColumn, RowObject, SqlConnection } from '../destination.ts'
import { cutQuery, type CutQuery } from '../sql/cut-values.ts'
import { resultColumn, uniqueNames } from '../sql/result-types.ts'
import { keepByteOrderMarks } from './driver-strings.ts'
import { acquire, acquireToRead, databaseName, isWritten, settled, type OpenInstance } from './instances.ts'
import { interruptAfter, lockDown } from './lock-down.ts'
import { prepareQuery } from './one-query.ts'
import { refuseOtherSources } from './own-tables.ts'
import { jsValue } from './values.ts'

/** A connection that can be closed for everything but queries. */
export interface DuckdbConnection extends SqlConnection {
  /** From here on there are only queries, for as long as the time lasts; of files, only those named can be read. */
  lockDown(limits: { timeoutMs: number; files: readonly string[] }): Promise<void>
  /** The same for one connection of an instance that loads: there are only queries of tables of the database. */
  onlyOwnTables(timeoutMs: number): void
}

/** Opens a DuckDB file. Waits for a process that has it open, since readers come and go; `onWait` receives its name. */
export async function openDuckdb(
  path: string,
  options: Record<string, string>,
  onWait?: (holder: string) => void,
): Promise<DuckdbConnection> {
  return connected(await acquire(path, options, onWait))
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
  await settled(path)
  if (isWritten(path)) {
    const connection = await connected(await acquire(path, {}))
    connection.onlyOwnTables(timeoutMs)
    return connection
  }
  const connection = await connected(await openWithSpill(path))
  await connection.lockDown({ timeoutMs, files: [] })
  return connection
}

/** An instance whose spilled rows are in a folder of its own that only this user can read. DuckDB would make it readable for all. */
async function openWithSpill(path: string): Promise<OpenInstance> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-spill-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const { instance, release } = await acquireToRead(path, { temp_directory: folder })
    return { instance, release: () => release().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

async function connected({ instance, release }: OpenInstance): Promise<DuckdbConnection> {
  keepByteOrderMarks()
  const connection = await instance.connect()
  // Reads and results must not depend on the zone of the machine.
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`USE ${databaseName}`)
  return duckdbConnection(connection, async () => {
    // A result that was not read to its end holds the file until the connection does something else.
    await connection.run('SELECT 1').catch(() => undefined)
    connection.closeSync()
    await release()
  })
}

async function* chunksOf(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    yield chunk
  }
}

async function* pagesOf(result: DuckDBResult, names: readonly string[]): AsyncGenerator<RowObject[]> {
  for await (const chunk of chunksOf(result)) {
    yield chunk.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
  }
}

const pageBytes = 4 * 1024 * 1024

/**
 * Pages of a query that may find anything. A chunk has 2,048 rows, however wide they are: its rows are read one by one, and a
 * page ends before its values take much memory.
 */
async function* pagesBySize(
  result: DuckDBResult,
  names: readonly string[],
  cut: CutQuery | undefined,
): AsyncGenerator<RowObject[]> {
  for await (const chunk of chunksOf(result)) {
    let page: RowObject[] = []
    let bytes = 0
    for (let at = 0; at < chunk.rowCount; at++) {
      const values = chunk.getRowValues(at).map(jsValue)
      const cells = cut === undefined ? values : cut.row(values)
      page.push(Object.fromEntries(names.map((name, column) => [name, cells[column]])))
      for (const value of values) if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
      if (bytes < pageBytes) continue
      yield page
      page = []
      bytes = 0
    }
    if (page.length > 0) yield page
  }
}

/** JSON is text with another name. */
const typeName = (type: DuckDBType): string => type.alias ?? type.toString()

function duckdbConnection(connection: DuckDBConnection, close: () => Promise<void>): DuckdbConnection {
  let unwatch: (() => void) | undefined
  let check: ((connection: DuckDBConnection, sql: string) => Promise<void>) | undefined
  const query: SqlConnection['query'] = async (sql, values, { longestValue } = {}) => {
    if (unwatch === undefined && longestValue === undefined) {
      return found(await connection.stream(sql, values as never))
    }
    await check?.(connection, sql)
    const prepared = unwatch === undefined ? await connection.prepare(sql) : await prepareQuery(connection, sql)
    const cut = longestValue === undefined ? undefined : await prepareCut(connection, { sql, prepared, longestValue })
    const run = cut?.prepared ?? prepared
    if (values !== undefined) run.bind(values as never)
    return found(await run.stream(), { cut })
  }
  return {
    query,
    async run(sql, values) {
      await connection.run(sql, values as never)
    },
    async rows(sql, values) {
      if (unwatch !== undefined) return (await Array.fromAsync((await query(sql, values)).pages)).flat()
      const reader = await connection.runAndReadAll(sql, values as never)
      const names = uniqueNames(reader.columnNames())
      return reader.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
    },
    async lockDown({ timeoutMs, files }) {
      await lockDown(connection, files)
      unwatch = interruptAfter(connection, timeoutMs)
    },
    onlyOwnTables(timeoutMs) {
      check = refuseOtherSources
      unwatch = interruptAfter(connection, timeoutMs)
    },
    async close() {
      unwatch?.()
      await close()
    },
  }
}

/** Columns and rows of a result. With `bySize`, pages are small; a `cut` knows the columns that were asked for. */
function found(result: DuckDBResult, bySize?: { cut: PreparedCut | undefined }): QueryResult {
  const columns = bySize?.cut?.columns ?? columnsOf(uniqueNames(result.columnNames()), (at) => result.columnType(at))
  const names = columns.map(({ name }) => name)
  return { columns, pages: bySize === undefined ? pagesOf(result, names) : pagesBySize(result, names, bySize.cut) }
}

const columnsOf = (names: readonly string[], typeOf: (at: number) => DuckDBType): ResultColumn[] =>
  names.map((name, at) => resultColumn(name, typeName(typeOf(at))))

interface PreparedCut extends CutQuery {
  prepared: DuckDBPreparedStatement
  columns: ResultColumn[]
}

async function prepareCut(
  connection: DuckDBConnection,
  { sql, prepared, longestValue }: { sql: string; prepared: DuckDBPreparedStatement; longestValue: number },
): Promise<PreparedCut | undefined> {
  const places = Array.from({ length: prepared.columnCount }, (_, at) => at)
  // Where the type of a column is that of a value, it is not known before the query runs.
  if (places.some((at) => prepared.columnTypeId(at) === DuckDBTypeId.INVALID)) return undefined
  const types = places.map((at) => prepared.columnType(at).toString())
  const kinds = types.map((type) => (type === 'VARCHAR' ? 'text' : type === 'BLOB' ? 'bytes' : undefined))
  const bytes = (value: string, longest: number): string => `ARRAY_SLICE(${value}, 1, ${longest})`
  const cut = cutQuery(sql, kinds, { longest: longestValue, bytes })
  if (cut === undefined) return undefined
  const columns = columnsOf(uniqueNames(places.map((at) => prepared.columnName(at))), (at) => prepared.columnType(at))
  // Statements such as PRAGMA are queries that cannot be part of one.
  const around = await connection.prepare(cut.sql).catch(() => undefined)
  return around && { ...cut, prepared: around, columns }
}
