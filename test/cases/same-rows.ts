type Row = Record<string, unknown>

/**
 * Finds a renaming of `#n` and `Ln` placeholders that makes the expected tables equal to the actual ones, whatever the
 * order of rows; returns what does not fit.
 */
export function differences(expected: Map<string, Row[]>, actual: Map<string, Row[]>): string | undefined {
  const todo: { table: string; row: Row }[] = []
  for (const [table, rows] of expected) {
    const got = actual.get(table) ?? []
    if (got.length !== rows.length) return `${table}: expected ${rows.length} rows, got ${got.length}`
    todo.push(...rows.map((row) => ({ table, row })))
  }
  const free = new Map([...actual].map(([table, rows]) => [table, new Set(rows)]))
  return match(todo, 0, free, new Map()) ? undefined : 'no renaming of ids makes the rows equal'
}

function match(
  todo: { table: string; row: Row }[],
  at: number,
  free: Map<string, Set<Row>>,
  names: Map<string, unknown>,
): boolean {
  const next = todo[at]
  if (next === undefined) return true
  const candidates = free.get(next.table)!
  for (const candidate of Array.from(candidates)) {
    const renamed = fit(next.row, candidate, names)
    if (renamed === undefined) continue
    candidates.delete(candidate)
    if (match(todo, at + 1, free, renamed)) return true
    candidates.add(candidate)
  }
  return false
}

function fit(expected: Row, actual: Row, names: Map<string, unknown>): Map<string, unknown> | undefined {
  const renamed = new Map(names)
  for (const [column, value] of Object.entries(expected)) {
    const got = actual[column] ?? null
    if (column.startsWith('_dlt_') && typeof value === 'string' && /^(#|L)\d+$/.test(value)) {
      if (!renamed.has(value)) {
        if ([...renamed.values()].includes(got) || got === null) return undefined
        renamed.set(value, got)
      } else if (renamed.get(value) !== got) return undefined
    } else if (plain(value) !== plain(got)) return undefined
  }
  return renamed
}

/** One spelling for values that the two databases print differently. */
function plain(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') {
    if (value.startsWith('D:')) return String(Number(value.slice(2)))
    if (/^\d{4}-\d\d-\d\dT/.test(value)) return new Date(value).toISOString()
    if (/^-?\d+(\.\d+)?$/.test(value)) return value.includes('.') ? String(Number(value)) : value
    if (/^[[{]/.test(value)) return JSON.stringify(JSON.parse(value))
    return value
  }
  if (typeof value === 'object' && value !== null && 'text' in value) return String(Number(value))
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
