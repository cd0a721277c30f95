import { redact } from '../masking/index.ts'
import { maskCause } from './mask-cause.ts'

/** What the caller may do about an error: give up, try again later, or go on without the part that failed. */
export type Recovery = 'abort' | 'retry' | 'skip'

/** Stable codes; each stands in `docs/errors.md` with its meaning. */
export type ErrorCode =
  | 'WRONG_USE'
  | 'CONFIG_MISSING'
  | 'CONFIG_INVALID'
  | 'SECRET_IN_CONFIG'
  | 'DRIVER_MISSING'
  | 'SOURCE_INVALID'
  | 'RESOURCE_FAILED'
  | 'CURSOR_MISSING'
  | 'CONTRACT_VIOLATED'
  | 'CHECK_FAILED'
  | 'NULL_NOT_ALLOWED'
  | 'VALUE_NOT_STORABLE'
  | 'NESTED_TOO_DEEP'
  | 'TOO_MANY_KEYS'
  | 'LIMIT_EXCEEDED'
  | 'HTTP_STATUS'
  | 'HTTP_FAILED'
  | 'HTTP_NOT_JSON'
  | 'HTTP_NOT_A_PAGE'
  | 'HTTP_TOO_LARGE'
  | 'LINK_FORBIDDEN'
  | 'PATH_VALUE_FORBIDDEN'
  | 'HOST_NOT_ALLOWED'
  | 'PAGING_LOOP'
  | 'PAGING_UNKNOWN'
  | 'NOTHING_CAME'
  | 'LOAD_FAILED'
  | 'PACKAGE_DAMAGED'
  | 'NEWER_FORMAT'
  | 'DISK_REFUSED'
  | 'PIPELINE_BUSY'
  | 'PIPELINE_OVERTAKEN'
  | 'PIPELINE_UNKNOWN'
  | 'QUERY_FAILED'
  | 'QUERY_TIMEOUT'
  | 'QUERY_TOO_LARGE'
  | 'READ_ONLY'
  | 'RUN_FAILED'
  | 'ABORTED'

export interface PipelineErrorOptions {
  code: ErrorCode
  /** What to do, in one line; also the last line of the message. */
  fix: string
  /** @default 'abort' */
  recovery?: Recovery
  /** The resource that was being read, when there is one. */
  resource?: string
  cause?: unknown
}

/** Every error that a user can meet: what happened and where, then the fix. Secrets are removed by value. */
export class PipelineError extends Error {
  readonly code: ErrorCode
  readonly recovery: Recovery
  readonly fix: string
  readonly resource: string | undefined
  /** The message without the fix. */
  readonly summary: string

  constructor(summary: string, options: PipelineErrorOptions) {
    const clean = redact(summary)
    const fix = redact(options.fix)
    maskCause(options.cause)
    super(`${clean}\n  fix: ${fix}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PipelineError'
    this.code = options.code
    this.recovery = options.recovery ?? 'abort'
    this.fix = fix
    this.resource = options.resource
    this.summary = clean
  }
}
