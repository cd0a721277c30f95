import {
  writeDispositionOptions,
  type Check,
  type Column,
  type ColumnHints,
  type SchemaContract,
  type WriteDisposition,
  type WriteDispositionOptions,
} from '../schema/index.ts'

/** What a resource says about its table. */
export interface TableHints {
  writeDisposition?: WriteDisposition
  primaryKey?: string | readonly string[]
  mergeKey?: string | readonly string[]
  columns?: Record<string, ColumnHints> | readonly Column[]
  schemaContract?: SchemaContract
  description?: string
  /** Keep rows that the contract discards, as JSON with the reason, in the table `<table>_quarantine`. */
  quarantine?: boolean
  /** What the rows of every load must fulfil before readers see them. Columns by the names in the table. */
  checks?: readonly Check[]
  /** Hints for nested tables by the path of their list: `{ messages: { primaryKey: 'id' } }`. */
  nestedHints?: Record<string, Omit<TableHints, 'nestedHints'>>
}

/** The write disposition with its options; `append` by default. */
export const dispositionOf = ({ writeDisposition }: Pick<TableHints, 'writeDisposition'>): WriteDispositionOptions =>
  writeDispositionOptions(writeDisposition ?? 'append')

/** Where rows go: the table, its hints and how deep objects and lists are taken apart. */
export interface RowTarget {
  table: string
  resource: string
  hints: TableHints
  /** Levels of objects and lists that become columns and tables; what lies deeper stays JSON. */
  maxTableNesting?: number
  /** Columns that a table may get; as many nested tables. @default 5000 */
  maxTableColumns?: number
  /** Put the root row's id on every nested row. @default by write disposition */
  rootKey?: boolean
}
