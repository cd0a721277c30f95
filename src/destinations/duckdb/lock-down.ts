import { StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import { literal } from './dialect.ts'

/**
 * From here on the connection answers queries and does nothing else: no file but those named can be opened, no setting
 * changed, and what runs when the time is over is ended. Returns what ends the watch over that time.
 */
export async function lockDown(
  connection: DuckDBConnection,
  { timeoutMs, files }: { timeoutMs: number; files: readonly string[] },
): Promise<() => void> {
  await connection.run(`SET allowed_paths = [${files.map(literal).join(', ')}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
  const deadline = performance.now() + timeoutMs
  // An interruption ends what runs at that moment, so it is repeated for what is begun later.
  const watch = setInterval(() => performance.now() > deadline && connection.interrupt(), 50).unref()
  return () => clearInterval(watch)
}

const queries = new Set([StatementType.SELECT, StatementType.EXPLAIN])

/** The one query that the text is; anything else is refused before it runs. */
export async function theQuery(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) {
    throw refused(`${statements.count} statements; only one can be asked at a time`, 'ask one query after the other')
  }
  const prepared = await statements.prepare(0)
  if (queries.has(prepared.statementType)) return prepared
  const type = StatementType[prepared.statementType] ?? 'this'
  throw refused(`${type} is no query`, 'here one can only look: SELECT, WITH, FROM, DESCRIBE, SUMMARIZE or EXPLAIN')
}

const refused = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'READ_ONLY', fix })
