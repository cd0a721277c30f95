import type { RowObject } from '../destinations/index.ts'

/** Roughly the memory of a row, in bytes. */
export const rowBytes = (row: RowObject): number =>
  Object.values(row).reduce<number>((sum, value) => {
    if (typeof value === 'string') return sum + value.length
    if (value instanceof Uint8Array) return sum + value.length
    return sum + (typeof value === 'object' && value !== null ? JSON.stringify(value).length : 8)
  }, 0)
