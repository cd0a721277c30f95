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

const idLength = 14
const poolRows = 4096
let pool = ''
let used = 0

/** A random 80-bit id. Drawn from a pool: asking the system once per row would cost more than the row. */
export function randomRowId(): string {
  if (used === pool.length) {
    pool = randomIds()
    used = 0
  }
  used += idLength
  return pool.slice(used - idLength, used)
}

/** Many ids in one text, so that each is a mere slice of it. */
function randomIds(): string {
  // 12 bytes give 16 characters without padding, two more than needed.
  const drawn = Buffer.from(randomBytes(12 * poolRows).toString('base64'), 'latin1')
  const ids = Buffer.allocUnsafe(idLength * poolRows)
  for (let row = 0; row < poolRows; row++) {
    drawn.copy(ids, row * idLength, row * 16, row * 16 + idLength)
    // The 14th character holds two bits, as in base64 of ten bytes.
    const last = row * idLength + 13
    ids[last] = 'AQgw'.charCodeAt(ids[last]! & 3)
  }
  return ids.toString('latin1')
}
