import type { QueryOptions, ReadLimits, ResultColumn, SqlValue } from '../../destinations/index.ts'
import type { ErrorCode, Recovery } from '../../errors/index.ts'
import type { RememberedTarget } from '../remembered-target.ts'

/** One query of an attached pipeline, with everything that the process needs to open the pipeline itself. */
export interface QueryRequest {
  pipeline: string
  target: RememberedTarget
  limits: ReadLimits
  sql: string
  values: readonly SqlValue[]
  options: QueryOptions
}

/** What a query process is asked; it answers each message with one `Reply`. */
export type Message = ({ type: 'query' } & QueryRequest) | { type: 'next' } | { type: 'close' }

/** Structured clones, so that every type of a value survives: strings, numbers, bytes, lists and dates. */
export type Reply =
  /** Sent once, when the process has loaded its code. */
  | { type: 'ready' }
  | { type: 'columns'; columns: ResultColumn[] }
  /** Values in the order of the columns. */
  | { type: 'page'; rows: unknown[][] }
  | { type: 'end' }
  | { type: 'closed' }
  | { type: 'error'; error: SentError }

/** A `PipelineError` as it crosses the process boundary. */
export interface SentError {
  summary: string
  code: ErrorCode
  fix: string
  recovery: Recovery
}
