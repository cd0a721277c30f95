/** dlt's eleven data types. */
export type DataType =
  | 'text'
  | 'double'
  | 'bool'
  | 'timestamp'
  | 'bigint'
  | 'binary'
  | 'json'
  | 'decimal'
  | 'wei'
  | 'date'
  | 'time'

/** What a user may say about a column. Every field is dlt's, in camelCase. */
export interface ColumnHints {
  dataType?: DataType
  nullable?: boolean
  /** text: characters; decimal: digits; timestamp: digits of the second. */
  precision?: number
  scale?: number
  /** `false` stores a timestamp without zone. */
  timezone?: boolean
  description?: string
  primaryKey?: boolean
  mergeKey?: boolean
  unique?: boolean
  partition?: boolean
  cluster?: boolean
  sort?: boolean
  /** A row whose value here is true (or not null) deletes the stored row. */
  hardDelete?: boolean
  /** Which of several rows with one key is kept: the one that sorts first. */
  dedupSort?: 'asc' | 'desc'
  /** Hints of one's own; kept with the schema. */
  [hint: `x-${string}`]: unknown
}

/** A column as the schema keeps it. Without `dataType` it is only a hint and is not created. */
export interface Column extends ColumnHints {
  name: string
  rowKey?: boolean
  parentKey?: boolean
  rootKey?: boolean
  variant?: boolean
  incremental?: boolean
  validFrom?: boolean
  validTo?: boolean
  rowVersion?: boolean
  activeRecordTimestamp?: string | null
  /** A whole number beyond ±2^53 was stored here, so the column must not become `double`. */
  beyondDouble?: boolean
  /** Something in the database depends on the column's type, so values of other types go to variant columns. */
  fixedType?: boolean
  /** Digits before the point of the largest decimal seen. */
  integerDigits?: number
  /** An earlier run declared it not nullable, so the destination's column may refuse null. */
  wasRequired?: boolean
}

export type Disposition = 'append' | 'replace' | 'merge' | 'skip'
export type MergeStrategy = 'delete-insert' | 'upsert' | 'insert-only' | 'scd2'

/** `writeDisposition` in full: `{ disposition: 'merge', strategy: 'scd2', … }`. */
export interface WriteDispositionOptions {
  disposition: Disposition
  strategy?: MergeStrategy
  /** Skip the de-duplication by primary key: the rows are known to be unique. */
  deduplicated?: boolean
  /** scd2: names of the validity columns. @default ['_dlt_valid_from', '_dlt_valid_to'] */
  validityColumnNames?: [string, string]
  /** scd2: the end of an active record. @default null */
  activeRecordTimestamp?: string | null
  /** scd2: the moment that ends old and starts new records. @default the package's creation */
  boundaryTimestamp?: string
  /** scd2: a column of the data that holds the version, instead of a hash of the row. */
  rowVersionColumnName?: string
}
export type WriteDisposition = Disposition | WriteDispositionOptions

export type ContractMode = 'evolve' | 'freeze' | 'discard_row' | 'discard_value'
export type ContractEntity = 'tables' | 'columns' | 'data_type'
/** One mode for all three entities, or a mode each. */
export type SchemaContract = ContractMode | { tables?: ContractMode; columns?: ContractMode; dataType?: ContractMode }

export interface Table {
  name: string
  columns: Map<string, Column>
  /** Only nested tables have a parent; only root tables have a resource and a disposition. */
  parent?: string
  resource?: string
  writeDisposition?: WriteDispositionOptions
  description?: string
  /** Rows of this table have been loaded or packaged. */
  seenData: boolean
  /** Columns of the edited schema file; not stored, they hold as long as the file has them. */
  imported?: readonly Column[]
  /** What dlt, or another version, stored beside these and must not be lost. */
  kept?: Record<string, unknown>
}

export interface Schema {
  name: string
  tables: Map<string, Table>
  version: number
  versionHash: string
  previousHashes: string[]
  /** Settings and whatever else stood in the stored form. */
  kept?: Record<string, unknown>
}

/** The names that dlt gives to its own columns and tables. */
export const system = {
  id: '_dlt_id',
  loadId: '_dlt_load_id',
  parentId: '_dlt_parent_id',
  rootId: '_dlt_root_id',
  listIndex: '_dlt_list_idx',
  validFrom: '_dlt_valid_from',
  validTo: '_dlt_valid_to',
  loads: '_dlt_loads',
  version: '_dlt_version',
  state: '_dlt_pipeline_state',
} as const

export const isSystemTable = (name: string): boolean => name.startsWith('_dlt_')

/** A table that holds no data of a source: dlt's, or one that a load needs for itself. */
export const isOwnTable = (name: string): boolean => isSystemTable(name) || name.startsWith('_sluice_')
