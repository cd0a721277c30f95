import { PipelineError } from '../../errors/index.ts'

/** Resident memory of a query process, in bytes: DuckDB's limit of 1 GB, and what its results and Node take beyond it. */
export const largestProcessBytes = 2 * 1024 ** 3
/** A process that holds more after its query is not used for another one, which would have less memory than its limit. */
export const reusableProcessBytes = 512 * 1024 ** 2
/** V8's heap of a query process, in MiB. */
export const largestHeapMib = 1024
/** One row of a result. */
export const largestRowBytes = 256 * 1024 ** 2

export const tooLarge = (what: string, bytes: number): PipelineError =>
  new PipelineError(`${what} takes more than ${bytes / 1024 ** 2} MiB of memory`, {
    code: 'QUERY_TOO_LARGE',
    fix: 'select less: fewer columns and rows, LEFT(column, 1000) of wide values, no lists of all rows',
  })
