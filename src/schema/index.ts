export { contentId, digestId, keyId, nestedRowId, randomRowId } from './row-id.ts'
export { canonicalJson, plainJson, readableJson, type JsonLoss } from './canonical-json.ts'
export { checkName, pointsAtRows, type Check, type CheckSeverity } from './checks.ts'
export { coerce, decimalDigits, inferType } from './coerce.ts'
export { dbml, mermaid } from './diagram.ts'
export { tableTypes } from './table-types.ts'
export { diffSchemas } from './diff.ts'
export { inference, type Detection, type Inference, type InferenceOptions } from './inference.ts'
export { decimal, ExactNumber, mostDigits, withoutZeros } from './exact-number.ts'
export { instantFromNanos, instantText, nanosOf, spelledLike } from './instant.ts'
export { formOf, isDocument, isPlainObject, isScalarObject, NoStoredForm } from './instances.ts'
export {
  identifierTag,
  namingConvention,
  namingNames,
  type CustomNaming,
  type NamingConvention,
  type NamingName,
  type ReservedNames,
} from './naming.ts'
export {
  applyColumnHints,
  bumpVersion,
  columnsWith,
  completeColumn,
  contractMode,
  copySchema,
  declareHints,
  emptySchema,
  keyColumns,
  rootOf,
  tableWithNested,
  typedColumns,
  withNames,
  writeDispositionOptions,
  wrongValue,
} from './schema.ts'
export { schemaEngineVersion, schemaFromStored, storedSchema, type StoredSchema } from './stored.ts'
export { finerThanMicroseconds, isMidnight, utcText } from './temporal.ts'
export type { RowLimit, StorageLimits } from './storage-limits.ts'
export { schemaOvertaken, unionOf, widenings } from './union.ts'
export { isOwnTable, isSystemTable, system } from './types.ts'
export type {
  Column,
  ColumnHints,
  ContractEntity,
  ContractMode,
  DataType,
  Disposition,
  MergeStrategy,
  Schema,
  SchemaContract,
  Table,
  WriteDisposition,
  WriteDispositionOptions,
} from './types.ts'
