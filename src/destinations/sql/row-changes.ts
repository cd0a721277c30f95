import { system } from '../../schema/index.ts'
import { alias, type SqlNames } from './statements.ts'

// What changes stored rows by what stands in other tables, in the two ways that databases know: DELETE and UPDATE that
// look into others, or MERGE.

/** Rows of a table that meet a row of a source, which is a quoted table or a query in brackets. */
export interface Meeting {
  table: string
  source: string
  /** Columns of the table, and the columns of the source that equal them. */
  match: Readonly<Record<string, string>>
}

/** Columns that are called alike in both. */
export const alike = (columns: readonly string[]): Meeting['match'] =>
  Object.fromEntries(columns.map((name) => [name, name]))

const equal = (sql: SqlNames, match: Meeting['match'], table: string): string =>
  Object.entries(match)
    .map(([column, other]) => `${alias.staged}.${sql.column(other)} = ${table}.${sql.column(column)}`)
    .join(' AND ')

/** Deletes the rows of a table that meet one of the source. */
export function deleteMatching(sql: SqlNames, { table, source, match }: Meeting): string {
  const target = sql.table(table)
  if (sql.dialect.changesByMerge !== true) {
    return `DELETE FROM ${target} WHERE EXISTS (SELECT 1 FROM ${source} AS ${alias.staged} WHERE ${equal(sql, match, target)})`
  }
  // No row may be met twice.
  const keys = `(SELECT DISTINCT ${sql.columns(Object.values(match))} FROM ${source} AS ${alias.result})`
  return `MERGE INTO ${target} AS ${alias.stored} USING ${keys} AS ${alias.staged} ON ${equal(sql, match, alias.stored)} WHEN MATCHED THEN DELETE`
}

/** Deletes rows by a condition, which may look into other tables. */
export function deleteWhere(sql: SqlNames, table: string, condition: string): string {
  const target = sql.table(table)
  if (sql.dialect.changesByMerge !== true) return `DELETE FROM ${target} WHERE ${condition}`
  const ids = `SELECT ${sql.column(system.id)} FROM ${target} WHERE ${condition}`
  return deleteMatching(sql, { table, source: `(${ids})`, match: alike([system.id]) })
}

/** Sets columns of the rows that meet a source's to columns of that; each row meets one at most. */
export function updateMatching(
  sql: SqlNames,
  { table, source, match, set }: Meeting & { set: Readonly<Record<string, string>> },
): string {
  const target = sql.table(table)
  const assignments = Object.entries(set)
    .map(([column, other]) => `${sql.column(column)} = ${alias.staged}.${sql.column(other)}`)
    .join(', ')
  return sql.dialect.changesByMerge === true
    ? `MERGE INTO ${target} AS ${alias.stored} USING ${source} AS ${alias.staged} ON ${equal(sql, match, alias.stored)} WHEN MATCHED THEN UPDATE SET ${assignments}`
    : `UPDATE ${target} SET ${assignments} FROM ${source} AS ${alias.staged} WHERE ${equal(sql, match, target)}`
}
