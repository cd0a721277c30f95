import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import type { SqlConnection } from '../destination.ts'
import { jsValue } from './values.ts'

/**
 * Opens a DuckDB file. Waits a moment when another process holds it: readers come and go. DuckDB names a database after
 * its file; with an alias, a schema of the file's name can be told apart from it.
 */
export async function openDuckdb(
  path: string,
  options: Record<string, string>,
  alias: string | undefined,
): Promise<SqlConnection> {
  const { instance, connection } = await retrying(path, async () => {
    const opened = await DuckDBInstance.create(alias === undefined ? path : ':memory:', options)
    const connected = await opened.connect()
    if (alias === undefined) return { instance: opened, connection: connected }
    try {
      await connected.run(`ATTACH '${path.replaceAll("'", "''")}' AS ${alias}`)
      await connected.run(`USE ${alias}`)
      return { instance: opened, connection: connected }
    } catch (error) {
      connected.closeSync()
      opened.closeSync()
      throw error
    }
  })
  // Reads and results must not depend on the zone of the machine.
  await connection.run("SET TimeZone = 'UTC'")
  return duckdbConnection(connection, () => {
    connection.closeSync()
    instance.closeSync()
  })
}

const lockAttempts = 20

async function retrying<T>(path: string, open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open()
    } catch (error) {
      const text = String(error)
      const locked = text.includes('lock')
      if (!locked || attempt === lockAttempts) {
        throw new PipelineError(`cannot open the DuckDB file ${path}: ${firstLine(error)}`, {
          code: 'LOAD_FAILED',
          fix: locked
            ? 'close the other program that has this file open, then run again'
            : 'check that the path is writable and that the file is a DuckDB database',
          cause: error,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, 50 * Math.min(attempt, 10)))
    }
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!

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
    async *stream(sql) {
      const result = await connection.stream(sql)
      const names = result.deduplicatedColumnNames()
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return
        yield chunk.getRows().map((row) => Object.fromEntries(names.map((name, at) => [name, jsValue(row[at])])))
      }
    },
    async close() {
      close()
    },
  }
}
