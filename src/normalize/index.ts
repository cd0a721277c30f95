export type { Notice } from './column-cell.ts'
export type { TableFile } from './delimited.ts'
export { Normalizer } from './normalizer.ts'
export type { RowTarget, TableHints } from './table-hints.ts'
