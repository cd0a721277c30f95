import { PipelineError } from '../../errors/index.ts'
import { columnsWith, type Column, type DataType, type Table } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'
import { rowNumber } from '../duckdb/compressed-rows.ts'
import { duckdbDialect } from '../duckdb/dialect.ts'

const quote = (identifier: string): string => `\`${identifier.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``

/** Escapes of GoogleSQL; two quotes would be two texts. */
export const literal = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`

/** NUMERIC has 29 digits before the point and 9 behind it; what needs more is BIGNUMERIC. */
function decimalType({ precision, scale }: Column): string {
  const [digits, behind] = [precision ?? 38, scale ?? (precision === undefined ? 9 : 0)]
  const base = behind <= 9 && digits - behind <= 29 ? 'NUMERIC' : 'BIGNUMERIC'
  // As INFORMATION_SCHEMA writes it, so that stored and wanted types can be compared.
  return behind === 0 ? `${base}(${digits})` : `${base}(${digits}, ${behind})`
}

const typeNames: Record<DataType, (column: Column) => string> = {
  text: () => 'STRING',
  double: () => 'FLOAT64',
  bool: () => 'BOOL',
  timestamp: ({ timezone }) => (timezone === false ? 'DATETIME' : 'TIMESTAMP'),
  bigint: () => 'INT64',
  binary: () => 'BYTES',
  json: () => 'JSON',
  decimal: decimalType,
  wei: () => 'BIGNUMERIC(38)',
  date: () => 'DATE',
  time: () => 'TIME',
}
const typeName = (column: Column): string => typeNames[column.dataType!](column)

/** dlt's hints: the column by whose days a table is divided, and those by which it is sorted inside. */
function tableOptions(table?: Table): string {
  if (table === undefined) return ''
  const [partition, another] = columnsWith(table, 'partition')
  const cluster = columnsWith(table, 'cluster').slice(0, 4)
  if (another !== undefined) throw cannotPartition(table, `${partition} and ${another}`, 'one column is all it takes')
  const by = partition === undefined ? '' : ` PARTITION BY ${partitionOf(table, table.columns.get(partition)!)}`
  return `${by}${cluster.length === 0 ? '' : ` CLUSTER BY ${cluster.map(quote).join(', ')}`}`
}

function partitionOf(table: Table, { name, dataType, timezone }: Column): string {
  if (dataType === 'date') return quote(name)
  if (dataType === 'timestamp')
    return timezone === false ? `DATETIME_TRUNC(${quote(name)}, DAY)` : `DATE(${quote(name)})`
  throw cannotPartition(table, name, `it is of the type ${dataType ?? 'unknown'}`)
}

const cannotPartition = (table: Table, columns: string, why: string): PipelineError =>
  new PipelineError(`table "${table.name}": BigQuery cannot partition by ${columns}: ${why}`, {
    code: 'WRONG_USE',
    fix: 'put the hint partition on one date or timestamp column; use cluster for others',
  })

const refusedFunctions = ['external_query']

export const bigqueryDialect: SqlDialect = {
  refusedFunctions,
  quote,
  typeName,
  // Files are written by DuckDB, with its types.
  fromText: duckdbDialect.fromText,
  cellType: duckdbDialect.cellType,
  arrivalOrder: quote(rowNumber),
  literal,
  timestampLiteral: (text) => `TIMESTAMP ${literal(text)}`,
  rowAsJson: (alias, columns) =>
    `JSON_OBJECT(${columns.map(({ name }) => `${literal(name)}, ${alias}.${quote(name)}`).join(', ')})`,
  changesByMerge: true,
  dayOf: ({ dataType }, cell) => (dataType === 'date' ? cell : `DATE(${cell})`),
  lockByUpdate: true,
  tableOptions,
  // One statement: a table takes five changes in ten seconds.
  addColumns: (table, definitions) => [
    `ALTER TABLE ${table} ${definitions.map((definition) => `ADD COLUMN IF NOT EXISTS ${definition}`).join(', ')}`,
  ],
  changeType(quoted, column, table) {
    const [name, type] = [quote(column.name), typeName(column)]
    if (column.dataType !== 'timestamp') return [`ALTER TABLE ${quoted} ALTER COLUMN ${name} SET DATA TYPE ${type}`]
    // A date becomes no moment in place.
    return [
      `CREATE OR REPLACE TABLE ${quoted}${tableOptions(table)} AS SELECT * REPLACE (CAST(${name} AS ${type}) AS ${name}) FROM ${quoted}`,
    ]
  },
  requiredColumns: (dataset, table) =>
    `SELECT column_name AS name FROM ${quote(dataset)}.INFORMATION_SCHEMA.COLUMNS WHERE table_name = ${literal(table)} AND is_nullable = 'NO'`,
  // A job of a process that died may still fill a table: never one of the next try.
  stagingTable: ({ loadId, place, attempt }) => `_sluice_stage_${loadId.replaceAll(/\W/g, '_')}_${place}_${attempt}`,
  createStaging: (name, columns) =>
    `CREATE OR REPLACE TABLE ${name} (${columns.join(', ')}, ${quote(rowNumber)} INT64) ` +
    'OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY))',
  stagedType: (column) => (column.dataType === 'json' ? 'STRING' : typeName(column)),
  fromStaged: (column, cell) => (column.dataType === 'json' ? `PARSE_JSON(${cell})` : cell),
}
