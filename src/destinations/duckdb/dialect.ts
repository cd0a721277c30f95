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

export const duckdbDialect: SqlDialect = {
  quote,
  typeName,
  fromText: (column, cell) => (column.dataType === 'binary' ? `from_hex(${cell})` : cell),
  cellType: (dataType, column) => (dataType === 'binary' || dataType === 'json' ? 'VARCHAR' : typeName(column)),
  arrivalOrder: 'rowid',
  literal,
  timestampLiteral: (text) => `TIMESTAMPTZ ${literal(text)}`,
  listColumns:
    'SELECT table_name, column_name, data_type FROM information_schema.columns ' +
    'WHERE table_schema = $1 AND table_catalog = current_database() ORDER BY table_name, ordinal_position',
  rowAsJson: (alias) => `to_json(${alias})`,
  createStaging: (name, columns) => `CREATE OR REPLACE TEMP TABLE ${name} (${columns.join(', ')})`,
}
