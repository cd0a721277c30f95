import { columnsWith, system, typedColumns } from '../../schema/index.ts'
import type { MergePlan, SqlConnection, StagedTable } from '../destination.ts'
import { alias, equalKeys, type SqlNames } from './statements.ts'

export type Run = (statement: string) => Promise<void>

type Merge = (run: Run, sql: SqlNames, plan: MergePlan) => Promise<void>

/** The merge strategies, as far as they differ in how rows are changed. */
export interface MergeStrategies {
  deleteInsert: Merge
  upsert: Merge
  /** The versions of root rows for scd2. */
  versions: Merge
}

export const columnNames = (staged: StagedTable): string[] => typedColumns(staged.table).map((column) => column.name)

export function insert(sql: SqlNames, staged: StagedTable, from: string, verb = 'INSERT INTO'): string {
  const columns = sql.columns(columnNames(staged))
  return `${verb} ${sql.table(staged.table.name)} (${columns}) SELECT ${values(sql, staged)} FROM ${from}`
}

/** The values of staged cells, for a list of columns. */
export const values = (sql: SqlNames, staged: StagedTable, of = columnNames(staged), prefix = ''): string =>
  of.map((name) => valueOf(sql, staged, name, prefix)).join(', ')

export function valueOf(sql: SqlNames, { table }: StagedTable, name: string, prefix = ''): string {
  const cell = prefix + sql.column(name)
  return sql.dialect.fromStaged?.(table.columns.get(name)!, cell) ?? cell
}

/** True for staged rows that ask for deletion: the flag is true, a number other than zero, or anything else but null. */
export function deleted(sql: SqlNames, plan: MergePlan, prefix = ''): string {
  if (plan.hardDelete === undefined) return 'FALSE'
  const column = prefix + sql.column(plan.hardDelete)
  switch (plan.root.table.columns.get(plan.hardDelete)?.dataType) {
    case 'bool':
      return `COALESCE(${column}, FALSE)`
    case 'bigint':
    case 'double':
    case 'decimal':
    case 'wei':
      return `COALESCE(${column}, 0) <> 0`
    default:
      return `${column} IS NOT NULL`
  }
}

/** The staged root rows that are to be stored: one a key, none that asks for deletion. */
export const survivors = (sql: SqlNames, plan: MergePlan): string => chosen(sql, plan, `NOT (${deleted(sql, plan)})`)

/** Of the staged root rows of each key the one that counts, if it meets the condition. */
export function chosen(sql: SqlNames, plan: MergePlan, condition: string): string {
  if (plan.primaryKey.length === 0 || plan.deduplicated)
    return `(SELECT * FROM ${plan.root.staging} WHERE ${condition})`
  const order =
    plan.dedupSort === undefined
      ? // Nothing says which row wins: the one read last.
        `${sql.dialect.arrivalOrder} DESC`
      : `${sql.column(plan.dedupSort.column)} ${plan.dedupSort.order.toUpperCase()} NULLS LAST, ${sql.dialect.arrivalOrder} DESC`
  return firstOfEach(sql, plan.primaryKey, order, { rows: plan.root.staging, condition })
}

/** The first row of each group of equal columns, if it meets the condition. */
export const firstOfEach = (
  sql: SqlNames,
  columns: readonly string[],
  order: string,
  { rows, condition = 'TRUE' }: { rows: string; condition?: string },
): string =>
  `(SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY ${sql.columns(columns)} ORDER BY ${order}) AS _sluice_rank ` +
  `FROM ${rows}) AS ${alias.result} WHERE _sluice_rank = 1 AND ${condition})`

/** The plan of an upsert: its rows are known to be unique, unless a column says which of several is kept. */
export const upsertPlan = (plan: MergePlan): MergePlan => ({
  ...plan,
  mergeKey: [],
  deduplicated: plan.deduplicated || plan.dedupSort === undefined,
})

/** The keys by which staged rows meet stored ones: each alone, since an OR of both keeps databases from joining. */
export const matchKeys = (keys: readonly (readonly string[])[]): (readonly string[])[] =>
  keys.filter((key) => key.length > 0)

/** Ids of stored root rows that the staged ones replace: equal in the primary key or in the merge key. */
export function replacedIds(sql: SqlNames, plan: MergePlan): string {
  const id = sql.column(system.id)
  return matchKeys([plan.primaryKey, plan.mergeKey])
    .map((keys) => {
      const match = `EXISTS (SELECT 1 FROM ${plan.root.staging} AS ${alias.staged} WHERE ${equalKeys(sql, keys, alias.staged, alias.stored)})`
      return `SELECT ${alias.stored}.${id} FROM ${sql.table(plan.root.table.name)} AS ${alias.stored} WHERE ${match}${onDays(sql, plan, alias.stored)}`
    })
    .join(' UNION ALL ')
}

/** The staged versions that are not active yet, each once. */
export function newVersions(sql: SqlNames, { root, scd2 }: MergePlan, isActive: string): string {
  const { version } = scd2!
  const active = `SELECT 1 FROM ${sql.table(root.table.name)} AS ${alias.stored} WHERE ${equalKeys(sql, version, alias.staged, alias.stored)} AND ${alias.stored}.${isActive}`
  const rows = `${root.staging} AS ${alias.staged} WHERE NOT EXISTS (${active})`
  return firstOfEach(sql, version, `${sql.dialect.arrivalOrder} DESC`, { rows })
}

/** More days than these are most of a table. */
const mostDays = 1000

/** Names the days of the partition column, where it belongs to the key by which all stored rows are found. */
export async function withDays(connection: SqlConnection, sql: SqlNames, plan: MergePlan): Promise<MergePlan> {
  const { table, staging } = plan.root
  const keys = matchKeys([plan.primaryKey, plan.mergeKey])
  const name = columnsWith(table, 'partition').find((one) => keys.every((key) => key.includes(one)))
  const { dayOf } = sql.dialect
  if (dayOf === undefined || name === undefined || keys.length === 0) return plan
  const day = dayOf(table.columns.get(name)!, sql.column(name))
  const days = await connection.rows(
    `SELECT DISTINCT ${day} AS _sluice_day FROM ${staging} WHERE ${sql.column(name)} IS NOT NULL ORDER BY _sluice_day LIMIT ${mostDays + 1}`,
  )
  if (days.length === 0 || days.length > mostDays) return plan
  return { ...plan, days: { column: name, values: days.map((row) => String(row._sluice_day)) } }
}

/** The days of the stored rows, as a further condition on the table of the given name. */
export function onDays(sql: SqlNames, { root, days }: MergePlan, table: string): string {
  if (days === undefined) return ''
  const day = sql.dialect.dayOf!(root.table.columns.get(days.column)!, `${table}.${sql.column(days.column)}`)
  return ` AND ${day} IN (${days.values.map((value) => `DATE ${sql.dialect.literal(value)}`).join(', ')})`
}
