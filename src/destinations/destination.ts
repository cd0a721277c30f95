import type { Check, Column, DataType, MergeStrategy, Schema, Table } from '../schema/index.ts'
import type { Capabilities } from './capabilities.ts'

/** One place rows can go. Plain data until `open` is called. */
export interface Destination {
  /** The type, `duckdb`; also what `--destination` takes. */
  readonly name: string
  readonly capabilities: Capabilities
  open(target: DestinationTarget): Promise<DestinationSession>
}

export interface DestinationTarget {
  pipeline: string
  /** Normalised by the destination's naming. */
  dataset: string
  /** Only to look: each statement must be one query that changes nothing, and ends when the time is over. */
  readOnly?: ReadLimits
  /** Hears who keeps the destination from being opened, once, while it waits for them. */
  onWait?: (holder: string) => void
}

export interface ReadLimits {
  timeoutMs: number
}

/** An open connection, split by who uses it. */
export interface DestinationSession extends AsyncDisposable {
  /** Where the data is, for people; without secrets. */
  readonly location: string
  readonly ledger: Ledger
  readonly reader: Reader
  /** Runs `work` in one transaction: all of it becomes visible, or nothing. */
  transaction<T>(work: (load: LoadTransaction) => Promise<T>): Promise<T>
  /** Tries storage that only the end of a load would touch: writes, reads, lists and removes; says what it found. */
  check?(): Promise<string>
}

/** What a load step may do; everything belongs to one transaction. */
export interface LoadTransaction {
  readonly capabilities: Capabilities
  readonly catalog: Catalog
  readonly loader: Loader
  readonly publisher: Publisher
  readonly checker: Checker
  readonly ledger: LedgerWriter
  /**
   * Where changes of tables commit what was done before: everything up to here prepares, and nobody sees it; from here on
   * there are only statements on rows of these tables, which become visible together. Absent where the whole load is one
   * transaction.
   */
  begin?(load: BegunLoad): Promise<void>
}

/** What a transaction of rows is about. */
export interface BegunLoad {
  loadId: string
  /** The tables that it may change, those of the system included. */
  tables: readonly string[]
}

/** The tables that are there, and changes to them. Used by schema evolution. */
export interface Catalog {
  /** Tables of the dataset with their columns and the database's names for the types. */
  tables(): Promise<Map<string, Map<string, string>>>
  createTable(table: Table): Promise<void>
  addColumns(table: Table, columns: Column[]): Promise<void>
  /** Widens a column; only called for changes that keep every value. */
  changeType(table: Table, column: Column): Promise<void>
  /** Lets columns take null that were made NOT NULL; others stay as they are. */
  allowNull(table: Table, columns: readonly Column[]): Promise<void>
  /** The database's name for a column's type, comparable with what `tables` returns. */
  typeName(column: Column): string
  dropTable(table: string): Promise<void>
  /** Gives nested rows that were loaded without it the id of their root row. */
  fillRootIds(schema: Schema, table: Table): Promise<void>
}

/** A file of a package, ready to be loaded. */
export interface LoadFile {
  path: string
  columns: readonly string[]
  rows: number
  bytes: number
  longestLine: number
}

/** Moves files into tables, fast. */
export interface Loader {
  append(table: Table, files: readonly LoadFile[], loadId: string): Promise<void>
  /** Loads into a temporary table with the columns of `table` and returns its quoted name. */
  stage(table: Table, files: readonly LoadFile[], loadId: string): Promise<string>
}

export interface StagedTable {
  table: Table
  staging: string
}

/** How staged rows meet stored ones. */
export interface MergePlan {
  root: StagedTable
  /** Nested tables, parents first. */
  nested: StagedTable[]
  primaryKey: string[]
  mergeKey: string[]
  hardDelete: string | undefined
  dedupSort: { column: string; order: 'asc' | 'desc' } | undefined
  /** The rows are known to be unique by their key. */
  deduplicated: boolean
  /** The days of a partition column that is part of the key, where a statement that names them reads no others. */
  days?: { column: string; values: readonly string[] }
  /** `version`: the columns that distinguish one version from another. */
  scd2: { boundary: string; active: string | null; from: string; to: string; version: readonly string[] } | undefined
}

/** Replace and merge: staging → target. */
export interface Publisher {
  /**
   * Until the load ends, nobody else merges into the table or replaces it: two that do not see each other's rows would both
   * insert what neither has found.
   */
  claim(table: Table): Promise<void>
  clear(table: Table): Promise<void>
  /** Adds the staged rows to the table's. */
  appendFrom(staged: StagedTable): Promise<void>
  /** Puts the staged rows in the place of the table's. */
  copyFrom(staged: StagedTable): Promise<void>
  /** Makes the staging table the table. */
  exchange(staged: StagedTable): Promise<void>
  /** Refuses staged rows that the strategy cannot take, and completes the plan. Looks at staged rows only. */
  prepare(strategy: MergeStrategy, plan: MergePlan): Promise<MergePlan>
  merge(strategy: MergeStrategy, plan: MergePlan): Promise<void>
}

/** Checks on the rows of a load before readers see them. */
export interface Checker {
  /** Rows that a table has; `undefined` for some that would have to be read to be counted. */
  rowCount(table: string): Promise<number | undefined>
  /** Rows of the load that do not fit; 1 when a check about the whole load fails. */
  failing(table: string, check: Check, loadId: string): Promise<number>
  /** Moves the rows that do not fit into the table's quarantine. */
  setAside(table: Table, check: Check, loadId: string, reason: string): Promise<void>
  /** Deletes nested rows whose parent is gone. */
  removeOrphans(nested: Table): Promise<void>
}

/** One row of `_dlt_loads`, `_dlt_version` and `_dlt_pipeline_state` each. */
export interface LedgerEntry {
  loadId: string
  schema: Schema
  /** The destination has this version of the schema already. */
  schemaKnown: boolean
  state: StateRow | undefined
}

export interface StateRow {
  version: number
  engineVersion: number
  pipelineName: string
  /** base64 of deflated JSON, as dlt stores it. */
  state: string
  versionHash: string
}

export interface Ledger {
  hasLoad(loadId: string): Promise<boolean>
  /** The newest state of a pipeline that belongs to a finished load. */
  readState(pipeline: string): Promise<StateRow | undefined>
  /** The newest schema of that name, in stored form. */
  readSchema(name: string): Promise<string | undefined>
}

export interface LedgerWriter {
  hasLoad(loadId: string): Promise<boolean>
  hasSchema(schema: Schema): Promise<boolean>
  /**
   * The newest schema of that name, in stored form. Where the database has locks, nobody else changes it from here to the end
   * of the load.
   */
  lockSchema(name: string): Promise<string | undefined>
  write(entry: LedgerEntry): Promise<void>
}

export type RowObject = Record<string, unknown>

/** Reads for people and programs. */
export interface Reader extends SqlSpelling {
  /** Tables of the dataset with their columns and the database's names for the types. */
  tables(): Promise<Map<string, Map<string, string>>>
  /** `$1`, `$2`, … stand for values. */
  rows(sql: string, values?: readonly SqlValue[]): Promise<RowObject[]>
  query(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<QueryResult>
}

export interface QueryOptions {
  /**
   * Longer texts and bytes come as `CutValue`: PostgreSQL and DuckDB send only this many characters or bytes of them. Other
   * databases send whole values.
   */
  longestValue?: number | undefined
}

/** What a query finds. Its pages are read once, before the next query. */
export interface QueryResult {
  columns: ResultColumn[]
  /** As the database delivers them. */
  pages: AsyncIterable<RowObject[]>
}

/** A column of a result. Digits are absent where the database does not tell them. */
export interface ResultColumn {
  name: string
  dataType: DataType
  precision?: number
  scale?: number
}

/** How a destination writes names in SQL. */
export interface SqlSpelling {
  /** A table's name, quoted and with its dataset. */
  tableName(table: string): string
  quote(identifier: string): string
  /** The type of moments. */
  readonly momentType: string
  /** The type of texts. */
  readonly textType: string
}

/** What a driver can do beyond the standard: the only place where one database differs in code. */
export interface SqlConnection {
  run(sql: string, values?: readonly SqlValue[]): Promise<void>
  rows(sql: string, values?: readonly SqlValue[]): Promise<RowObject[]>
  /** Rows with every value exact, where `rows` is quicker and only good for names and counts. @default `rows` */
  exactRows?(sql: string, values?: readonly SqlValue[]): Promise<RowObject[]>
  query(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<QueryResult>
  close(): Promise<void>
  /** Begins a transaction that COMMIT or ROLLBACK ends. @default `BEGIN TRANSACTION` */
  begin?(load: BegunLoad): Promise<void>
  /** Ends the transaction with `refusal` when the query finds a row, at its place among the statements. @default `rows` */
  refuseIf?(query: string, values: readonly SqlValue[], refusal: Error): Promise<void>
  /** The tables of a dataset; `undefined` when there is no such dataset. @default a query on `information_schema` */
  tableNames?(dataset: string): Promise<string[] | undefined>
  /** table_name, column_name and data_type of a dataset, in order. @default the dialect's `listColumns` */
  columns?(dataset: string): Promise<RowObject[]>
}
export type SqlValue = string | number | boolean | null

/** Which staging table: the n-th of a load, in one of its tries. */
export interface StagedPlace {
  loadId: string
  place: number
  /** Differs from try to try. */
  attempt: string
}

/** Names and spellings of one SQL database. */
export interface SqlDialect {
  /**
   * Functions that a query must not call where one can only look: they read files of the server, run SQL that stands in a text,
   * reach other systems, or change something although they stand in a SELECT. `*` stands for any ending.
   */
  readonly refusedFunctions?: readonly string[]
  quote(identifier: string): string
  typeName(column: Column): string
  /** SQL that turns the text of a package file into a value of the column, given the raw cell. */
  fromText(column: Column, cell: string): string
  /** The type a file's cell is read as before `fromText`. */
  cellType(dataType: DataType, column: Column): string
  /** An expression that orders the rows of a staging table as they came. */
  arrivalOrder: string
  timestampLiteral(text: string): string
  literal(text: string): string
  /** A whole row of the given alias, which has these columns, as JSON. */
  rowAsJson(alias: string, columns: readonly Column[]): string
  /** Lists as `name` the tables and views of the dataset `$1`. @default a query on `information_schema` */
  listTables?: string
  /** Lists table_name, column_name and data_type of the dataset `$1`, in order; none where the connection does it. */
  listColumns?: string
  /** Finds the schema named `$1`. @default a query on `information_schema`, which in some databases lists only a role's own */
  findSchema?: string
  /** Makes others who ask for the same name wait until the transaction ends; absent where only one can write. */
  lock?: ((name: string) => string) | undefined
  /** Has no other lock than a row's: who changes the same row waits until the transaction ends. */
  lockByUpdate?: boolean
  /** What stands behind a column's type when its table is made: ` SORTKEY`. */
  columnOptions?(column: Column): string
  /** What stands behind the columns when a table is made, also one of the system: ` PARTITION BY …`. */
  tableOptions?(table?: Table): string
  /**
   * Rows are changed by MERGE alone: a DELETE or UPDATE has no name for its own table, or may not look into others.
   * @default DELETE … WHERE EXISTS, UPDATE … FROM, INSERT
   */
  changesByMerge?: boolean
  /** The day of a cell of a partition column; present where statements that name days read no other partition. */
  dayOf?(column: Column, cell: string): string
  /** INSERT OVERWRITE puts rows in the place of all others, in one step. */
  overwrites?: boolean
  /** How the database keeps a name that is written in its own quotes. @default as it is */
  storedName?(name: string): string
  /** What makes a dataset the one that names without a dataset mean. */
  enter?(dataset: string): string
  /** Statements that add columns, as they stand in CREATE TABLE, to the given, quoted table. @default one a column */
  addColumns?(table: string, definitions: readonly string[]): string[]
  /** Statements that widen a column of the given, quoted table. @default ALTER COLUMN … TYPE */
  changeType?(quoted: string, column: Column, table: Table): string[]
  /** Statements that let a column take null. @default ALTER COLUMN … DROP NOT NULL */
  allowNull?(quoted: string, column: Column): string[]
  /** Lists column_name of the columns that are NOT NULL. @default a query on `information_schema` */
  requiredColumns?(dataset: string, table: string): string
  /** Creates a temporary table of the given, quoted name and columns. */
  createStaging(name: string, columns: readonly string[]): string
  /** The name of a staging table in the dataset, where none goes with its connection. @default one of the connection's own */
  stagingTable?(staged: StagedPlace): string
  /** The type of a staged column, where it is not the table's own. */
  stagedType?(column: Column): string
  /** SQL that makes a value of a staged cell. @default the cell */
  fromStaged?(column: Column, cell: string): string
}
