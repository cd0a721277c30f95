import { coerce, inferType } from './coerce.ts'
import { wrongValue } from './schema.ts'
import { dateText } from './temporal.ts'
import type { DataType } from './types.ts'

/** dlt's detectors of types in values. @default ['iso_timestamp'] */
export type Detection = 'iso_timestamp' | 'iso_date' | 'timestamp' | 'large_integer'
const detections: readonly Detection[] = ['iso_timestamp', 'iso_date', 'timestamp', 'large_integer']

/** How new columns get their type. */
export interface InferenceOptions {
  detections?: readonly Detection[]
  /** Types by column name, or by a pattern: `{ 're:_at$': 'timestamp' }`. Used where the first value fits. */
  preferredTypes?: Record<string, DataType>
}

export type Inference = (column: string, value: unknown) => DataType | undefined

const fiveYears = 5 * 366 * 86_400

export function inference({
  detections: chosen = ['iso_timestamp'],
  preferredTypes = {},
}: InferenceOptions): Inference {
  const unknown = chosen.find((one) => !detections.includes(one))
  if (unknown !== undefined) throw wrongValue('detections', unknown, detections)
  const preferred = Object.entries(preferredTypes).map(([name, dataType]) => ({
    matches: name.startsWith('re:')
      ? (column: string) => new RegExp(name.slice(3)).test(column)
      : (column: string) => column === name,
    dataType,
  }))
  const has = (detection: Detection): boolean => chosen.includes(detection)
  // The usual case costs nothing.
  if (preferred.length === 0 && chosen.length === 1 && has('iso_timestamp')) return (_column, value) => inferType(value)
  return (column, value) => {
    const wished = preferred.find((one) => one.matches(column))
    if (wished !== undefined && coerce(value, wished.dataType) !== undefined) return wished.dataType
    if (has('iso_date') && typeof value === 'string' && dateText(value) !== undefined) return 'date'
    if (has('timestamp') && typeof value === 'number' && Math.abs(value - Date.now() / 1000) < fiveYears)
      return 'timestamp'
    const dataType = inferType(value)
    return dataType === 'timestamp' && typeof value === 'string' && !has('iso_timestamp') ? 'text' : dataType
  }
}
