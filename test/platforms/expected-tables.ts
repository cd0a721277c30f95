import { namingConvention } from '../../src/schema/index.ts'

type Row = Record<string, unknown>
const naming = namingConvention('snake_case', 65_536)

/** What a list of documents must look like as tables: scalars of each row and, apart, the rows of its lists. */
export function expectedTables(table: string, rows: readonly unknown[]): Map<string, Row[]> {
  const tables = new Map<string, Row[]>([[table, []]])
  for (const row of rows) addRow(tables, table, row)
  return tables
}

function addRow(tables: Map<string, Row[]>, table: string, value: unknown): void {
  const row: Row = {}
  if (typeof value === 'object' && value !== null) flatten(tables, table, '', value as Row, row)
  else row.value = value
  tables.set(table, [...(tables.get(table) ?? []), row])
}

function flatten(tables: Map<string, Row[]>, table: string, prefix: string, value: Row, into: Row): void {
  for (const [key, inner] of Object.entries(value)) {
    const name = prefix + naming.path(key)
    if (inner === null) continue
    if (Array.isArray(inner)) for (const item of inner) addRow(tables, `${table}__${name}`, item)
    else if (typeof inner === 'object') flatten(tables, table, `${name}__`, inner as Row, into)
    else into[name] = inner
  }
}

/** One line a row, comparable as a set: nulls and dlt's columns left out, times as instants. */
export const lines = (rows: readonly Row[], omit: readonly string[] = []): string[] =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([name, value]) => value !== null && !name.startsWith('_dlt_') && !omit.includes(name))
          .map(([name, value]) => [name, instant(value)])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      ),
    )
    .sort()

function instant(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value)) return value
  return new Date(value.replace(' ', 'T')).toISOString()
}
