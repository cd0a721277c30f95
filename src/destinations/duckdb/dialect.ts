import type { Column, DataType } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'

export const quote = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

const typeNames: Record<DataType, (column: Column) => string> = {
  text: () => 'VARCHAR',
  double: () => 'DOUBLE',
  bool: () => 'BOOLEAN',
  timestamp: (column) => (column.timezone === false ? 'TIMESTAMP' : 'TIMESTAMP WITH TIME ZONE'),
  bigint: () => 'BIGINT',
  binary: () => 'BLOB',
  json: () => 'JSON',
  decimal: (column) => `DECIMAL(${column.precision ?? 38},${column.scale ?? (column.precision === undefined ? 9 : 0)})`,
  wei: () => 'DECIMAL(38,0)',
  date: () => 'DATE',
  time: () => 'TIME',
}

const typeName = (column: Column): string => typeNames[column.dataType!](column)

const inDataset = 'schema_name = $1 AND database_name = current_database()'

export const duckdbDialect: SqlDialect = {
  quote,
  typeName,
  fromText: (column, cell) => (column.dataType === 'binary' ? `from_hex(${cell})` : cell),
  cellType: (dataType, column) => (dataType === 'binary' || dataType === 'json' ? 'VARCHAR' : typeName(column)),
  arrivalOrder: 'rowid',
  literal,
  timestampLiteral: (text) => `TIMESTAMPTZ ${literal(text)}`,
  // The functions that `information_schema` is made of: its views take up to twice the time.
  listTables:
    `SELECT table_name AS name FROM duckdb_tables() WHERE ${inDataset} ` +
    `UNION ALL SELECT view_name FROM duckdb_views() WHERE ${inDataset}`,
  findSchema: `SELECT schema_name AS name FROM duckdb_schemas() WHERE ${inDataset}`,
  listColumns: `SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE ${inDataset} ORDER BY table_name, column_index`,
  rowAsJson: (alias) => `to_json(${alias})`,
  createStaging: (name, columns) => `CREATE OR REPLACE TEMP TABLE ${name} (${columns.join(', ')})`,
}
