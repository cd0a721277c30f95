export type { Capabilities } from './capabilities.ts'
export type {
  Catalog,
  Destination,
  DestinationSession,
  DestinationTarget,
  LoadFile,
  LoadTransaction,
  MergePlan,
  StagedTable,
  RowObject,
  SqlDialectNames,
  SqlValue,
  StateRow,
} from './destination.ts'
export { destinationByName } from './registry.ts'
