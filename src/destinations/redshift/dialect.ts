import type { Column, DataType } from '../../schema/index.ts'
import type { SqlDialect } from '../destination.ts'
import { postgresDialect } from '../postgres/dialect.ts'
import { rowNumber } from '../duckdb/compressed-rows.ts'

const { quote } = postgresDialect

/** Redshift is older than PostgreSQL's `standard_conforming_strings`: a backslash begins an escape. */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** Bytes, not characters, as in dlt. */
const longestText = 65_535
const longestBinary = 1_024_000

/** Spelled as `format_type` spells them, so that stored and wanted types can be compared. */
const typeNames: Record<DataType, (column: Column) => string> = {
  text: ({ precision }) =>
    `character varying(${precision === undefined ? longestText : Math.min(precision * 4, longestText)})`,
  double: () => 'double precision',
  bool: () => 'boolean',
  timestamp: ({ timezone }) => (timezone === false ? 'timestamp without time zone' : 'timestamp with time zone'),
  bigint: () => 'bigint',
  binary: () => `binary varying(${longestBinary})`,
  json: () => 'super',
  decimal: ({ precision, scale }) => `numeric(${precision ?? 38},${scale ?? (precision === undefined ? 9 : 0)})`,
  wei: () => 'numeric(38,0)',
  date: () => 'date',
  time: () => 'time without time zone',
}

const typeName = (column: Column): string => typeNames[column.dataType!](column)

/** Only the length of a text can be changed in place: anything else is a new column. */
function remade(table: string, column: Column): string[] {
  const [name, wider] = [quote(column.name), quote(`${column.name}_sluice_wider`)]
  return [
    `ALTER TABLE ${table} ADD COLUMN ${wider} ${typeName(column)}`,
    `UPDATE ${table} SET ${wider} = CAST(${name} AS ${typeName(column)})`,
    `ALTER TABLE ${table} DROP COLUMN ${name}`,
    `ALTER TABLE ${table} RENAME COLUMN ${wider} TO ${name}`,
  ]
}

export const redshiftDialect: SqlDialect = {
  ...postgresDialect,
  typeName,
  fromText: (column, cell) => {
    if (column.dataType === 'binary') return `TO_VARBYTE(${cell}, 'hex')`
    return column.dataType === 'json' ? `JSON_PARSE(${cell})` : cell
  },
  cellType: (dataType, column) =>
    dataType === 'binary' || dataType === 'json' ? `character varying(${longestText})` : typeName(column),
  arrivalOrder: quote(rowNumber),
  literal,
  timestampLiteral: (text) => `TIMESTAMPTZ ${literal(text)}`,
  rowAsJson: (alias, columns) => {
    const value = ({ name, dataType }: Column): string => {
      const cell = `${alias}.${quote(name)}`
      return dataType === 'json' ? cell : `CAST(${cell} AS character varying)`
    }
    return `OBJECT(${columns.map((column) => `${literal(column.name)}, ${value(column)}`).join(', ')})`
  },
  lock: undefined,
  // Temporary tables last as long as the connection.
  createStaging: (name, columns) =>
    `DROP TABLE IF EXISTS ${name}; CREATE TEMP TABLE ${name} (${columns.join(', ')}, ${quote(rowNumber)} bigint)`,
  // dlt's words: how rows are spread, and how they are sorted.
  columnOptions: ({ cluster, sort }) => `${cluster === true ? ' DISTKEY' : ''}${sort === true ? ' SORTKEY' : ''}`,
  changeType: remade,
  allowNull: remade,
}
