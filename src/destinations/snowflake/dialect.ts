import type { Column, DataType } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'
import { rowNumber } from '../duckdb/compressed-rows.ts'

/** Unquoted names are upper case in Snowflake: so are ours, and nobody has to quote them. */
const storedName = (name: string): string => name.toUpperCase()
const quote = (identifier: string): string => `"${storedName(identifier).replaceAll('"', '""')}"`
/** A backslash begins an escape in Snowflake's texts. */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** Spelled as `listColumns` spells them, so that stored and wanted types can be compared. */
const typeNames: Record<DataType, (column: Column) => string> = {
  text: () => 'VARCHAR',
  double: () => 'FLOAT',
  bool: () => 'BOOLEAN',
  timestamp: ({ timezone }) => (timezone === false ? 'TIMESTAMP_NTZ' : 'TIMESTAMP_TZ'),
  bigint: () => 'NUMBER(19,0)',
  binary: () => 'BINARY',
  json: () => 'VARIANT',
  decimal: ({ precision, scale }) => `NUMBER(${precision ?? 38},${scale ?? (precision === undefined ? 9 : 0)})`,
  wei: () => 'NUMBER(38,0)',
  date: () => 'DATE',
  time: () => 'TIME',
}
const typeName = (column: Column): string => typeNames[column.dataType!](column)

const refusedFunctions = ['system$*']

export const snowflakeDialect: SqlDialect = {
  refusedFunctions,
  quote,
  storedName,
  typeName,
  fromText(column, cell) {
    switch (column.dataType) {
      case 'binary':
        return `TO_BINARY(${cell}, 'HEX')`
      case 'json':
        return `PARSE_JSON(${cell})`
      default:
        return `CAST(${cell} AS ${typeName(column)})`
    }
  },
  cellType: () => 'VARCHAR',
  arrivalOrder: quote(rowNumber),
  literal,
  timestampLiteral: (text) => `CAST(${literal(text)} AS TIMESTAMP_TZ)`,
  rowAsJson: (alias, columns) =>
    `OBJECT_CONSTRUCT_KEEP_NULL(${columns.map(({ name }) => `${literal(name)}, ${alias}.${quote(name)}`).join(', ')})`,
  createStaging: (name, columns) =>
    `CREATE OR REPLACE TEMPORARY TABLE ${name} (${columns.join(', ')}, ${quote(rowNumber)} NUMBER(19,0))`,
  lockByUpdate: true,
  enter: (dataset) => `USE SCHEMA ${quote(dataset)}`,
  listColumns:
    'SELECT LOWER(table_name) AS table_name, LOWER(column_name) AS column_name, CASE data_type ' +
    "WHEN 'TEXT' THEN 'VARCHAR' WHEN 'NUMBER' THEN 'NUMBER(' || numeric_precision || ',' || numeric_scale || ')' " +
    'ELSE data_type END AS data_type FROM information_schema.columns WHERE table_schema = $1 ORDER BY table_name, ordinal_position',
  // In place only a NUMBER can get more digits. One statement, because nothing would take back half of several.
  changeType(table, column) {
    const name = quote(column.name)
    const wider = `CAST(${name} AS ${typeName(column)}) AS ${name}`
    return [`CREATE OR REPLACE TABLE ${table} COPY GRANTS AS SELECT * REPLACE (${wider}) FROM ${table}`]
  },
}
