import type { SqlSpelling, SqlValue } from '../destinations/index.ts'

/** What a value in a condition may be. A `Date` is compared with moments. */
export type Comparable = string | number | bigint | boolean | Date

export const comparisons = ['=', '!=', '<', '<=', '>', '>=', 'like', 'in', 'not in', 'is null', 'is not null'] as const
export type Comparison = (typeof comparisons)[number]

export interface Condition {
  column: string
  comparison: Comparison
  values: readonly Comparable[]
}

export const aggregations = ['count', 'count distinct', 'sum', 'min', 'max', 'avg'] as const
export type Aggregation = (typeof aggregations)[number]

export interface Join {
  table: string
  /** Columns of the relation, and the columns of the table that equal them. */
  on: Readonly<Record<string, string>>
  /** Names in the result, and columns of the table. */
  columns: Readonly<Record<string, string>>
  keepsAll: boolean
}

/** What a relation asks for, as data; a step that changes the columns asks the relation before it. */
export interface Query {
  from: string | Query
  join?: Join
  columns?: readonly string[]
  groups?: { by: readonly string[]; results: Readonly<Record<string, readonly [Aggregation, string?]>> }
  where: readonly Condition[]
  order: readonly { column: string; direction: 'asc' | 'desc' }[]
  limit?: number
  offset?: number
}

export interface Statement {
  sql: string
  values: readonly SqlValue[]
}

/** SQL of a destination for a query. Names are quoted by the destination, values stand beside the text. */
export function relationSql(query: Query, names: SqlSpelling): Statement {
  const values: SqlValue[] = []
  return { sql: write(query, names, values), values }
}

function write(query: Query, names: SqlSpelling, values: SqlValue[]): string {
  const { from, join, where, order, limit, offset } = query
  const source = typeof from === 'string' ? names.tableName(from) : `(${write(from, names, values)})`
  const parts = [`SELECT ${selection(query, names)} FROM ${source} AS r`]
  if (join !== undefined) {
    const on = Object.entries(join.on).map(([own, other]) => `r.${names.quote(own)} = j.${names.quote(other)}`)
    parts.push(`${join.keepsAll ? 'LEFT JOIN' : 'JOIN'} ${names.tableName(join.table)} AS j ON ${on.join(' AND ')}`)
  }
  if (where.length > 0) parts.push(`WHERE ${where.map((one) => condition(one, names, values)).join(' AND ')}`)
  if (query.groups !== undefined && query.groups.by.length > 0) {
    parts.push(`GROUP BY ${query.groups.by.map((name) => `r.${names.quote(name)}`).join(', ')}`)
  }
  if (order.length > 0) {
    parts.push(
      `ORDER BY ${order.map((one) => `r.${names.quote(one.column)} ${one.direction.toUpperCase()}`).join(', ')}`,
    )
  }
  if (limit !== undefined) parts.push(`LIMIT ${limit}`)
  if (offset !== undefined) parts.push(`OFFSET ${offset}`)
  return parts.join(' ')
}

function selection({ columns, groups, join }: Query, names: SqlSpelling): string {
  if (groups !== undefined) {
    const results = Object.entries(groups.results).map(
      ([name, [aggregation, column]]) => `${aggregate(aggregation, column, names)} AS ${names.quote(name)}`,
    )
    return [...groups.by.map((name) => `r.${names.quote(name)}`), ...results].join(', ')
  }
  if (join !== undefined) {
    const joined = Object.entries(join.columns).map(
      ([name, column]) => `j.${names.quote(column)} AS ${names.quote(name)}`,
    )
    return ['r.*', ...joined].join(', ')
  }
  return columns === undefined ? 'r.*' : columns.map((name) => `r.${names.quote(name)}`).join(', ')
}

function aggregate(aggregation: Aggregation, column: string | undefined, names: SqlSpelling): string {
  const of = column === undefined ? '*' : `r.${names.quote(column)}`
  return aggregation === 'count distinct' ? `COUNT(DISTINCT ${of})` : `${aggregation.toUpperCase()}(${of})`
}

function condition({ column, comparison, values: given }: Condition, names: SqlSpelling, values: SqlValue[]): string {
  const cell = `r.${names.quote(column)}`
  switch (comparison) {
    case 'is null':
    case 'is not null':
      return `${cell} ${comparison.toUpperCase()}`
    case 'in':
    case 'not in':
      // Nothing is among none.
      if (given.length === 0) return comparison === 'in' ? '1 = 0' : '1 = 1'
      return `${cell} ${comparison.toUpperCase()} (${given.map((value) => place(value, names, values)).join(', ')})`
    default:
      return `${cell} ${comparison === '!=' ? '<>' : comparison.toUpperCase()} ${place(given[0]!, names, values)}`
  }
}

function place(value: Comparable, names: SqlSpelling, values: SqlValue[]): string {
  switch (typeof value) {
    // Digits alone: nothing else can stand in them.
    case 'bigint':
      return String(value)
    case 'number':
      return numberText(value)
    case 'object':
      return momentPlace(value, 'timestamp', names, values)
    default:
      values.push(value)
      return `$${values.length}`
  }
}

export function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a condition cannot compare with ${value}`)
  return Number.isInteger(value) ? BigInt(value).toString() : String(value)
}

export function momentPlace(value: Date, type: 'timestamp' | 'date', names: SqlSpelling, values: SqlValue[]): string {
  values.push(type === 'date' ? value.toISOString().slice(0, 10) : value.toISOString())
  return `CAST($${values.length} AS ${type === 'date' ? 'DATE' : names.momentType})`
}
