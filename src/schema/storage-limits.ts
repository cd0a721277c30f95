import type { DataType } from './types.ts'

/** What a destination can hold of one row, as far as that is known before anything is loaded. */
export interface StorageLimits {
  /** Digits of a decimal. */
  decimalDigits?: number
  /** Bytes of a text, of JSON and of the hex digits of bytes. */
  textBytes?: number
  row?: RowLimit
}

/** A row that must fit one page: its fixed-size values, and a pointer for each larger value that is stored elsewhere. */
export interface RowLimit {
  bytes: number
  /** In front of the null bitmap. */
  headerBytes: number
  /** The start of the values is a multiple of it. */
  alignment: number
  fixedBytes: Partial<Record<DataType, number>>
  pointerBytes: number
  /** Longer values are stored elsewhere when the row is too large. */
  inlineBytes: number
}
