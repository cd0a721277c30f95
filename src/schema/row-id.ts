import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** The first 10 bytes of SHAKE-128 as base64 without padding: the form of every `_dlt_id`. */
export function digestId(text: string): string {
  return createHash('shake128', { outputLength: 10 }).update(text).digest('base64').slice(0, 14)
}

/** The id of a nested row, fixed by its parent's id, its table and its place in the list. */
export const nestedRowId = (parentId: string, table: string, index: number): string =>
  digestId(`${parentId}_${table}_${index}`)

/** The id of a row by its whole content: scd2's row version. The load it came with is no content. */
export function contentId(row: unknown): string {
  if (typeof row !== 'object' || row === null || !Object.hasOwn(row, '_dlt_load_id'))
    return digestId(canonicalJson(row))
  const { _dlt_load_id: _, ...content } = row as Record<string, unknown>
  return digestId(canonicalJson(content))
}

/** The id of a row by its primary key: column name → value. */
export const keyId = (key: Record<string, unknown>): string => digestId(canonicalJson(key))

const poolRows = 4096
let pool = ''
let used = 0

/** A random 80-bit id. Drawn from a pool: asking the system once per row would cost more than the row. */
export function randomRowId(): string {
  if (used === pool.length) {
    // 12 bytes give 16 characters without padding; the 14th keeps 2 bits, as in base64 of 10 bytes.
    pool = randomBytes(12 * poolRows).toString('base64')
    used = 0
  }
  const start = used
  used += 16
  return pool.slice(start, start + 13) + 'AQgw'[pool.charCodeAt(start + 13) & 3]
}
