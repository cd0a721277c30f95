import { StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import { refuseFunctions } from '../read-only.ts'

/**
 * Functions that a SELECT can call and that change the instance or the database, run SQL from a string that is not checked
 * here, or read memory at an address. Functions that read files are refused by the engine.
 */
const refusedFunctions = [
  'checkpoint',
  'force_checkpoint',
  'enable_*',
  'disable_*',
  'truncate_duckdb_logs',
  'write_log',
  'nextval',
  'setseed',
  'query',
  'json_execute_serialized_sql',
  'arrow_scan*',
  'seq_scan',
  'sql_auto_complete',
  'check_peg_parser',
]

const allowed = 'a read-only connection takes SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, and EXPLAIN of one of these'

/** The one query in the text, prepared. Anything else is refused before it runs. */
export async function prepareQuery(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  refuseFunctions(sql, refusedFunctions)
  const prepared = await prepareOne(connection, sql)
  if (prepared.statementType === StatementType.SELECT) return prepared
  if (prepared.statementType === StatementType.EXPLAIN) return prepareExplain(connection, sql)
  throw refused(`${StatementType[prepared.statementType] ?? 'this statement'} is not a query`, allowed)
}

/**
 * EXPLAIN ANALYZE runs what it explains, whatever that is. The explained statement is checked on its own, and the text that
 * runs is put together from the checked parts: a comment that DuckDB reads in another way than this code changes nothing.
 */
async function prepareExplain(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const { analyze, options, query } = explained.exec(sql)?.groups ?? {}
  if (query === undefined)
    throw refused('this EXPLAIN cannot be checked', 'write EXPLAIN or EXPLAIN ANALYZE, then the query')
  const { statementType } = await prepareOne(connection, query)
  if (statementType !== StatementType.SELECT) {
    throw refused(`EXPLAIN of ${StatementType[statementType] ?? 'this statement'} is not read-only`, allowed)
  }
  return prepareOne(connection, `EXPLAIN ${analyze ?? ''} ${options ?? ''} ${query}`)
}

const option = String.raw`\s*(?:analyze|format\s+\w+)\s*`
const explained = new RegExp(
  String.raw`^(?:\s|--[^\n]*\n)*explain\b\s*(?<analyze>analyze\b)?\s*(?<options>\(${option}(?:,${option})*\))?(?<query>.*)$`,
  'is',
)

async function prepareOne(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql)
  if (statements.count === 1) return statements.prepare(0)
  throw refused(`the text has ${statements.count} statements, expected one`, 'run one query at a time')
}

const refused = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'READ_ONLY', fix })
