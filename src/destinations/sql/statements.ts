import type { SqlDialect, SqlValue } from '../destination.ts'

/** Small pieces of SQL that every statement is built from; identifiers are quoted here and nowhere else. */
export interface SqlNames {
  dialect: SqlDialect
  /** `"dataset"."table"` */
  table(name: string): string
  column(name: string): string
  columns(names: readonly string[], prefix?: string): string
}

export function sqlNames(dialect: SqlDialect, dataset: string): SqlNames {
  const column = (name: string): string => dialect.quote(name)
  return {
    dialect,
    table: (name) => `${dialect.quote(dataset)}.${dialect.quote(name)}`,
    column,
    columns: (names, prefix = '') => names.map((name) => prefix + column(name)).join(', '),
  }
}

/**
 * Table aliases of generated statements: the staged rows, the stored rows, and intermediate results. They start with the reserved
 * prefix `_sluice_`, which no column of the data has: where an alias is also the name of a column, Spark (in a correlated subquery),
 * PostgreSQL and DuckDB (where the alias denotes a whole row) resolve it as the column.
 */
export const alias = { staged: '_sluice_s', stored: '_sluice_t', result: '_sluice_rows' } as const

/** `a."x" = b."x" AND …` for the columns of a key. */
export const equalKeys = (sql: SqlNames, keys: readonly string[], left: string, right: string): string =>
  keys.map((key) => `${left}.${sql.column(key)} = ${right}.${sql.column(key)}`).join(' AND ')

/** A statement whose values `$1`, `$2`, … are written out, for databases that have no such places. */
export const withLiterals = (dialect: SqlDialect, sql: string, values: readonly SqlValue[] = []): string =>
  values.length === 0
    ? sql
    : sql.replace(/\$(\d+)/g, (_, place: string) => {
        const value = values[Number(place) - 1]
        if (value === null || value === undefined) return 'NULL'
        return typeof value === 'string' ? dialect.literal(value) : String(value)
      })
