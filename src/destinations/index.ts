export type { Capabilities } from './capabilities.ts'
export type {
  Catalog,
  Destination,
  DestinationSession,
  DestinationTarget,
  LoadFile,
  LoadTransaction,
  MergePlan,
  QueryOptions,
  QueryResult,
  Reader,
  ReadLimits,
  ResultColumn,
  StagedTable,
  RowObject,
  SqlSpelling,
  SqlValue,
  StateRow,
} from './destination.ts'
export { ColumnFixed } from './column-fixed.ts'
export { rowPlace, type RowPlace } from './error-rules.ts'
export { inPassing } from './duckdb/compressed-rows.ts'
export { csvToParquet } from './duckdb/csv-to-parquet.ts'
export { isCut, type CutValue } from './sql/cut-values.ts'
export { inParallel } from './in-parallel.ts'
export { destinationByName } from './registry.ts'
export { destinationFromSettings } from './destination-from-settings.ts'
