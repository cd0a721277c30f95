import { PipelineError } from '../errors/index.ts'
import type { NoStoredForm } from '../schema/index.ts'
import { sample } from './column-cell.ts'

/** The error for a row that holds a value without a stored form: names table, place in the row, and the row. */
export function withPlace(error: NoStoredForm, table: string, row: unknown): PipelineError {
  const place = placeOf(row, error.value, 0)
  const where = place === undefined || place.length === 0 ? '' : ` at ${JSON.stringify(place.join('.'))}`
  return new PipelineError(`table "${table}"${where}: ${error.summary} (row ${sample(row)})`, {
    code: error.code,
    fix: error.fix,
    cause: error.cause,
  })
}

/** The keys that lead to a value, by identity. */
function placeOf(holder: unknown, sought: unknown, depth: number): string[] | undefined {
  if (holder === sought) return []
  if (typeof holder !== 'object' || holder === null || depth > 100) return undefined
  const entries = holder instanceof Map || holder instanceof Set ? holder.entries() : Object.entries(holder)
  for (const [key, inner] of entries) {
    const below = placeOf(inner, sought, depth + 1)
    if (below !== undefined) return [String(key), ...below]
  }
  return undefined
}
