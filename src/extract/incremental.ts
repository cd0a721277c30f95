import { PipelineError } from '../errors/index.ts'
import { CursorOrder, type CursorFormat, type CursorValue } from './cursor-order.ts'

/** dlt's options of an incremental cursor. */
export interface IncrementalOptions {
  /** Where the first run begins. */
  initialValue?: CursorValue
  /** Where a backfill ends, exclusive by default. A range with an end neither reads nor writes state. */
  endValue?: CursorValue
  /** How the stored value is chosen from old and new ones. @default 'max' */
  lastValueFunc?: 'max' | 'min' | ((values: CursorValue[]) => CursorValue)
  /**
   * The order in which the source delivers rows, `asc` being the direction of `lastValueFunc`; lets reading stop early and
   * long runs be resumed.
   */
  rowOrder?: 'asc' | 'desc'
  /** How far behind the stored value to begin: numbers, seconds for timestamps, days for dates. */
  lag?: number
  /**
   * How requests write the cursor; numbers in rows are then epoch seconds or milliseconds.
   * @default as the rows write it
   */
  format?: CursorFormat
  /** @default 'raise' */
  onCursorValueMissing?: 'raise' | 'include' | 'exclude'
  /** `closed` reads rows equal to the start again and drops those already loaded. @default 'closed' */
  rangeStart?: 'closed' | 'open'
  /** @default 'open' */
  rangeEnd?: 'open' | 'closed'
  /**
   * Reads in windows of time: `size` and `lookback` in seconds (days for dates, plain numbers for numbers). Each finished
   * window is a checkpoint: a run that ends early goes on after it.
   */
  window?: { size: number; lookback?: number }
  /** Take the range from `DLT_INTERVAL_START` and `DLT_INTERVAL_END` when both are set. */
  allowExternalSchedulers?: boolean
  /** Key for dropping rows already loaded; `[]` turns that off. @default the resource's primary key */
  primaryKey?: string | readonly string[]
}

/** A part of the cursor's range, `start` included, `end` not. */
export interface CursorWindow {
  start: CursorValue
  end: CursorValue
}

/** A declaration: which field of the rows tells what is new. */
export interface Incremental extends IncrementalOptions {
  readonly cursorPath: string
}

/** Loads only rows whose cursor lies beyond what was loaded before. */
export function incremental(cursorPath: string, options: IncrementalOptions = {}): Incremental {
  const declared = { cursorPath, ...options }
  const problem = problemOf(declared)
  if (problem === undefined) return declared
  const [what, fix] = problem
  throw new PipelineError(`incremental("${cursorPath}"): ${what}`, { code: 'WRONG_USE', fix })
}

/** What is wrong with a declaration, and the fix. */
function problemOf(declared: Incremental): readonly [what: string, fix: string] | undefined {
  const { initialValue, endValue, lag = 0, window, lastValueFunc = 'max' } = declared
  if (endValue !== undefined && initialValue === undefined) {
    return ['endValue without initialValue', 'give initialValue as well: a range needs both ends']
  }
  if (isBackwards(declared, initialValue, endValue)) {
    const range = `${String(initialValue)} to ${String(endValue)}`
    return [`initialValue lies beyond endValue: ${range}`, 'swap the two: a range begins at initialValue']
  }
  if (!(lag >= 0 && lag < Infinity)) return [`lag is ${lag}`, 'give a number from 0 on']
  if (window === undefined) return undefined
  const { size, lookback = 0 } = window
  if (!(size > 0 && size < Infinity)) return [`window.size is ${size}`, 'give a number above 0']
  if (!(lookback >= 0 && lookback < Infinity)) return [`window.lookback is ${lookback}`, 'give a number from 0 on']
  if (lastValueFunc !== 'max') return ['windows go forward', "leave lastValueFunc out, or say 'max'"]
  return undefined
}

/** True for a range that ends before it begins, in the direction of the cursor. */
export function isBackwards(declared: Incremental, start?: CursorValue, end?: CursorValue): boolean {
  const { cursorPath, format, lastValueFunc = 'max' } = declared
  if (start === undefined || end === undefined || typeof lastValueFunc === 'function') return false
  const order = new CursorOrder(cursorPath, { format })
  order.settle(start, end)
  // A range between digits is one of numbers, even where the rows turn out to be text.
  if (order.kind === undefined) order.settle(0)
  const far = order.compare(order.key(start), order.key(end))
  return lastValueFunc === 'max' ? far > 0 : far < 0
}
