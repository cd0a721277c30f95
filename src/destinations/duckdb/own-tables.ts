import type { DuckDBConnection } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import { databaseName } from './instances.ts'

/**
 * Refuses a query that reads anything but tables of the database. For an instance that loads at the same time, and so cannot
 * be closed for files as a whole: DuckDB parses the query, and each table and function in it must be a known one.
 */
export async function refuseOtherSources(connection: DuckDBConnection, sql: string): Promise<void> {
  const names = { tables: new Set<string>(), functions: new Set<string>(), tableFunctions: new Set<string>() }
  collect(await parsed(connection, sql), names)
  for (const name of names.tableFunctions) {
    if (!tableFunctions.has(name)) throw refused(`${name}() reads more than the tables of the dataset`)
  }
  // A name that is no table is read as a file, and a function that is not there is looked for in an extension.
  const [unknown] = [
    ...(await missing(
      connection,
      [...names.tables].filter(mayBeFile),
      'SELECT table_name FROM information_schema.tables',
    )),
    ...(await missing(connection, [...names.functions], 'SELECT function_name FROM duckdb_functions()')),
  ]
  if (unknown !== undefined) throw refused(`there is no table and no function "${unknown}"`)
}

const tableFunctions = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
]).union(
  new Set(['duckdb_tables', 'duckdb_columns', 'duckdb_views', 'duckdb_schemas', 'duckdb_constraints', 'duckdb_types']),
)

/** Files are recognized by an extension or a protocol. */
const mayBeFile = (name: string): boolean => /[^\p{L}\p{N}_]/u.test(name)

interface Names {
  tables: Set<string>
  functions: Set<string>
  tableFunctions: Set<string>
}

/** A node of DuckDB's syntax tree, as far as it is read here. */
interface Node {
  type?: unknown
  class?: unknown
  catalog_name?: string
  table_name?: string
  function_name?: string
  function?: Node
  [key: string]: unknown
}

async function parsed(connection: DuckDBConnection, sql: string): Promise<Node> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql])
  const tree = JSON.parse(String(reader.getRows()[0]![0])) as { error: boolean; error_message?: string } & Node
  if (!tree.error) return tree
  throw refused(tree.error_message ?? 'the query cannot be parsed')
}

function collect(node: unknown, names: Names): void {
  if (Array.isArray(node)) for (const one of node) collect(one, names)
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return
  const {
    type,
    class: kind,
    table_name: table,
    function_name: name,
    function: own,
    catalog_name: catalog,
  } = node as Node
  if (type === 'TABLE_FUNCTION') names.tableFunctions.add(own!.function_name!.toLowerCase())
  else if (kind === 'FUNCTION') names.functions.add(name!.toLowerCase())
  if (type === 'BASE_TABLE') {
    if (!databases.has(catalog!.toLowerCase())) throw refused(`the database "${catalog}" is not the one of the dataset`)
    names.tables.add(table!)
  }
  for (const part of Object.values(node)) collect(part, names)
}

const databases = new Set(['', databaseName, 'system'])

async function missing(connection: DuckDBConnection, names: readonly string[], known: string): Promise<string[]> {
  if (names.length === 0) return []
  const wanted = names.map((_, at) => `($${at + 1}::VARCHAR)`).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT name FROM (VALUES ${wanted}) AS wanted (name) WHERE name NOT IN (${known})`,
    [...names],
  )
  return reader.getRows().map(([name]) => String(name))
}

const refused = (message: string): PipelineError =>
  new PipelineError(message, {
    code: 'READ_ONLY',
    fix: 'read tables of the dataset only, with functions that DuckDB has built in',
  })
