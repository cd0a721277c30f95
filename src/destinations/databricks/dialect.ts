import { columnsWith, type Column, type DataType, type Table } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'
import { rowNumber } from '../duckdb/compressed-rows.ts'
import { duckdbDialect } from '../duckdb/dialect.ts'

export const quote = (identifier: string): string => `\`${identifier.replaceAll('`', '``')}\``

/** A backslash begins an escape; two quotes would be two strings. Spark replaces `${name}`, also inside of strings, by a variable. */
export const literal = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '$\\{')}'`

/** Spelled as DESCRIBE spells them, so that stored and wanted types can be compared. */
const typeNames: Record<DataType, (column: Column) => string> = {
  text: () => 'string',
  double: () => 'double',
  bool: () => 'boolean',
  timestamp: ({ timezone }) => (timezone === false ? 'timestamp_ntz' : 'timestamp'),
  bigint: () => 'bigint',
  binary: () => 'binary',
  // As in dlt: text, which every function on JSON takes.
  json: () => 'string',
  decimal: ({ precision, scale }) => `decimal(${precision ?? 38},${scale ?? (precision === undefined ? 9 : 0)})`,
  wei: () => 'decimal(38,0)',
  date: () => 'date',
  // Delta has no time of the day.
  time: () => 'string',
}
const typeName = (column: Column): string => typeNames[column.dataType!](column)

/** dlt's hints: folders by value, or liquid clustering. A table takes one of the two, and clustering serves both. */
function tableOptions(table?: Table): string {
  const [partition, cluster] = (['partition', 'cluster'] as const).map((hint) =>
    table === undefined
      ? []
      : columnsWith(table, hint).filter((name) => table.columns.get(name)!.dataType !== undefined),
  )
  const keys = [...new Set([...partition!, ...cluster!])].slice(0, 4).map(quote).join(', ')
  if (keys === '') return ' USING DELTA'
  return cluster!.length === 0 ? ` USING DELTA PARTITIONED BY (${keys})` : ` USING DELTA CLUSTER BY (${keys})`
}

const refusedFunctions = [
  'reflect',
  'java_method',
  'try_reflect',
  'secret',
  'try_secret',
  'read_files',
  'cloud_files',
  'http_request',
  'remote_query',
  'read_kafka',
  'read_kinesis',
  'read_pubsub',
  'read_pulsar',
  'list_secrets',
]

export const databricksDialect: SqlDialect = {
  refusedFunctions,
  quote,
  typeName,
  // Files are written by DuckDB, with its types.
  fromText: duckdbDialect.fromText,
  cellType: duckdbDialect.cellType,
  arrivalOrder: quote(rowNumber),
  literal,
  timestampLiteral: (text) => `TIMESTAMP ${literal(text)}`,
  rowAsJson: (alias, columns) => `to_json(struct(${columns.map(({ name }) => `${alias}.${quote(name)}`).join(', ')}))`,
  changesByMerge: true,
  overwrites: true,
  tableOptions,
  addColumns: (table, definitions) => [`ALTER TABLE ${table} ADD COLUMNS (${definitions.join(', ')})`],
  changeType(quoted, column, table) {
    const name = quote(column.name)
    const wider = `SELECT * EXCEPT (${name}), CAST(${name} AS ${typeName(column)}) AS ${name} FROM ${quoted}`
    // One statement, because nothing would take back half of several.
    return [`CREATE OR REPLACE TABLE ${quoted}${tableOptions(table)} AS ${wider}`]
  },
  requiredColumns: (dataset, table) =>
    'SELECT column_name AS name FROM information_schema.columns ' +
    `WHERE table_schema = ${literal(dataset)} AND table_name = ${literal(table)} AND is_nullable = 'NO'`,
  // Made anew by the next try; a statement of a process that died then fails, because its table was changed under it.
  stagingTable: ({ loadId, place }) => `${stagingPrefix(loadId)}${place}`,
  createStaging: (name, columns) =>
    `CREATE OR REPLACE TABLE ${name} (${columns.join(', ')}, ${quote(rowNumber)} bigint) USING DELTA`,
}

/** How all staging tables of a load begin. */
export const stagingPrefix = (loadId: string): string => `_sluice_stage_${loadId.replaceAll(/\W/g, '_')}_`
