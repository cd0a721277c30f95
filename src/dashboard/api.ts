/** What the dashboard's server tells its page, as JSON. */
import type { FailedFacts, LoggedRequest, RefusedRow, RunComparison, RunRecord } from '../index.ts'
import type { JobSummary } from '../jobs/job-summary.ts'
import type { ScheduleSummary } from '../jobs/schedule-store.ts'

export type { FailedFacts, JobSummary, LoggedRequest, RefusedRow, RunComparison, RunRecord, ScheduleSummary }
export type RunStatus = RunRecord['status']

/** A pipeline in the list: enough to see whether all is well. */
export interface PipelineSummary {
  name: string
  destination: string
  dataset: string
  location: string
  /** The last runs, oldest first. */
  runs: RunSummary[]
  /** Load packages that wait for the next run. */
  pending: number
  /** Load packages that the destination refused. */
  failed: number
}

export interface RunSummary {
  id: string
  status: RunStatus
  startedAt: string
  durationMs: number
  /** Rows loaded, nested tables included. */
  rows: number
  newColumns: number
  error?: string
}

export interface TableSummary {
  name: string
  /** The table whose rows these are nested in. */
  parent?: string
  resource?: string
  writeDisposition?: string
  description?: string
  columns: ColumnSummary[]
  /** dlt's own. */
  isSystem: boolean
}

export interface ColumnSummary {
  name: string
  /** Sluice's type, where the schema knows the column. */
  dataType?: string
  /** The database's type. */
  type?: string
  nullable: boolean
  /** Primary key, merge key and other hints, in words. */
  hints: string[]
  description?: string
}

/** Rows as lists of cells, in the order of the columns. */
export interface ResultPage {
  columns: { name: string; dataType: string }[]
  rows: Cell[][]
  /** Why there is no more of it than this; absent when this is all. */
  cut?: 'rows' | 'bytes'
  ms: number
  /** With the first page of a table: how many rows there are in all. */
  total?: number
  /** Tables right below this one, with how many of their rows belong to each row here. */
  children?: { table: string; counts: number[] }[]
}

/** A long text is cut; bytes are base64. */
export type Cell = string | number | boolean | null | { text: string; length: number }

export interface ColumnProfile {
  rows: number
  nulls: number
  distinct: number
  min: Cell
  max: Cell
  /** The most frequent values. */
  top: { value: Cell; rows: number }[]
  /** Rows by equal parts from the smallest to the largest value, for numbers and moments. */
  histogram: { from: number; to: number; rows: number }[]
}

export interface SchemaVersion {
  name: string
  version: number
  insertedAt: string
  tables: number
  columns: number
  /** What changed since the version before, in words; absent for the first one. */
  changes?: string[]
}

export interface StateVersion {
  version: number
  createdAt: string
  /** The whole, as JSON; with the newest version. */
  text?: string
  /** Of each resource with a cursor: where it stands. */
  cursors: { source: string; resource: string; cursor: string; value: string }[]
}

export interface PackageSummary {
  loadId: string
  createdAt: string
  state: 'loaded' | 'pending' | 'failed'
  rows: number
  bytes: number
  tables: { table: string; rows: number; bytes: number }[]
}

export interface ApiError {
  error: { code: string; message: string; fix: string }
}
