/** The start of a value that is longer than was asked for. */
export interface CutValue {
  cut: string | Uint8Array
  /** Of the whole value, in characters or bytes. */
  length: number
}

export const isCut = (value: unknown): value is CutValue =>
  typeof value === 'object' &&
  value !== null &&
  'cut' in value &&
  'length' in value &&
  (typeof value.cut === 'string' || value.cut instanceof Uint8Array) &&
  typeof value.length === 'number' &&
  Object.keys(value).length === 2

/** How the values of a column can be cut; `undefined` where they have a fixed or a small size. */
export type CutKind = 'text' | 'bytes' | undefined

export interface CutQuery {
  sql: string
  /** Puts what the query found into one row of the columns that were asked for. */
  row(values: readonly unknown[]): unknown[]
}

/**
 * A query around the given one whose values the database cuts, so that a long one is never sent. Each column that can be
 * long is followed, after all others, by one with its length. `undefined` where nothing can be long, or where the text
 * cannot be put into brackets.
 */
export function cutQuery(
  sql: string,
  kinds: readonly CutKind[],
  { longest, bytes }: { longest: number; bytes: (value: string, longest: number) => string },
): CutQuery | undefined {
  const text = bracketed(sql)
  if (text === undefined || kinds.every((kind) => kind === undefined)) return undefined
  const lengths = new Map<number, number>()
  const values: string[] = []
  const sizes: string[] = []
  for (const [at, kind] of kinds.entries()) {
    const value = kind === 'text' ? `CAST(c${at} AS VARCHAR)` : `c${at}`
    values.push(kind === undefined ? value : kind === 'text' ? `LEFT(${value}, ${longest})` : bytes(value, longest))
    if (kind === undefined) continue
    lengths.set(at, kinds.length + sizes.length)
    sizes.push(kind === 'text' ? `LENGTH(${value})` : `OCTET_LENGTH(${value})`)
  }
  const names = kinds.map((_, at) => `c${at}`)
  return {
    sql: `SELECT ${[...values, ...sizes].join(', ')} FROM ${text} AS sluice_rows (${names.join(', ')})`,
    row: (found) =>
      names.map((_, at) => {
        const length = Number(found[lengths.get(at) ?? -1] ?? 0)
        return length > longest ? ({ cut: found[at], length } as CutValue) : found[at]
      }),
  }
}

/** A query in brackets; `undefined` where a semicolon is more than its end. A comment at its end ends with the line. */
export function bracketed(sql: string): string | undefined {
  let end = sql.length
  while (end > 0 && (sql[end - 1] === ';' || sql[end - 1]!.trim() === '')) end -= 1
  const text = sql.slice(0, end)
  return text.includes(';') ? undefined : `(${text}\n)`
}
