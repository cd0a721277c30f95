import { PipelineError } from '../errors/index.ts'
import { canonicalJson, contentId, digestId, ExactNumber } from '../schema/index.ts'
import { jsonPath, type JsonPath } from './json-path.ts'

export type CursorValue = string | number | bigint | Date

/** dlt's options of an incremental cursor. */
export interface IncrementalOptions {
  /** Where the first run begins. */
  initialValue?: CursorValue
  /** Where a backfill ends, exclusive by default. A range with an end neither reads nor writes state. */
  endValue?: CursorValue
  /** How the stored value is chosen from old and new ones. @default 'max' */
  lastValueFunc?: 'max' | 'min' | ((values: CursorValue[]) => CursorValue)
  /** The order in which the source delivers rows; lets reading stop early and long runs be resumed. */
  rowOrder?: 'asc' | 'desc'
  /** How far behind the stored value to begin: numbers, seconds for timestamps, days for dates. */
  lag?: number
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

/** A declaration: which field of the rows tells what is new. */
export interface Incremental extends IncrementalOptions {
  readonly cursorPath: string
}

/** Loads only rows whose cursor lies beyond what was loaded before. */
export function incremental(cursorPath: string, options: IncrementalOptions = {}): Incremental {
  if (options.endValue !== undefined && options.initialValue === undefined) {
    throw new PipelineError(`incremental("${cursorPath}"): endValue without initialValue`, {
      code: 'WRONG_USE',
      fix: 'give initialValue as well: a range needs both ends',
    })
  }
  return { cursorPath, ...options }
}

/** What the state keeps of a cursor, in dlt's words. */
export interface CursorState {
  initial_value: unknown
  last_value: unknown
  start_value?: unknown
  unique_hashes: string[]
}

/** A cursor during one run: filters rows and remembers how far it came. */
export class IncrementalCursor {
  /** Fixed for the run: where it begins. */
  readonly startValue: CursorValue | undefined
  readonly endValue: CursorValue | undefined
  readonly initialValue: CursorValue | undefined
  /** How far behind the last value a run begins. */
  readonly lag: number | undefined
  /** Rows beyond the range have come and the order says that no others follow. */
  exhausted = false
  private readonly declared: Incremental
  /** Between two given ends: no state is read or written. */
  private readonly isRange: boolean
  private current: CursorWindow | undefined
  private windowEnded = false
  private readonly resource: string
  private readonly path: JsonPath
  private readonly keys: readonly string[] | undefined
  private readonly stored: CursorState | undefined
  private readonly storedHashes: ReadonlySet<string>
  private boundaryHashes: Set<string>
  /** The furthest value of all runs. */
  private furthest: CursorValue | undefined
  private moved = false
  private previous: CursorValue | undefined
  private outOfOrder = false

  constructor(declared: Incremental, resource: string, primaryKey: readonly string[], stored: CursorState | undefined) {
    this.declared = declared
    this.lag = declared.lag
    this.resource = resource
    this.path = jsonPath(declared.cursorPath)
    const interval = declared.allowExternalSchedulers === true ? externalInterval() : undefined
    this.initialValue = interval?.start ?? declared.initialValue
    this.endValue = interval?.end ?? declared.endValue
    this.isRange = this.endValue !== undefined
    this.stored = this.isRange ? undefined : stored
    const last = (this.stored?.last_value as CursorValue | undefined) ?? undefined
    this.furthest = last ?? this.initialValue
    this.startValue = last === undefined ? this.initialValue : this.withLag(last)
    const keys = declared.primaryKey ?? primaryKey
    this.keys = typeof keys === 'string' ? [keys] : keys
    this.storedHashes = new Set(this.stored?.unique_hashes ?? [])
    this.boundaryHashes = new Set(this.storedHashes)
  }

  /** The furthest value so far; where the run begins until a row came. */
  get lastValue(): CursorValue | undefined {
    return this.moved ? this.furthest : this.startValue
  }

  /** The rows of a page that lie in the range and were not loaded before. */
  filter(rows: readonly unknown[]): unknown[] {
    return rows.filter((row) => this.accept(row))
  }

  /** State for the next run; `undefined` for a range, which leaves no trace. */
  state(): CursorState | undefined {
    if (this.isRange) return undefined
    const unchanged = !this.moved && this.boundaryHashes.size === this.storedHashes.size
    if (this.stored !== undefined && unchanged) return this.stored
    return {
      initial_value: this.declared.initialValue ?? null,
      last_value: this.furthest ?? null,
      start_value: this.stored?.last_value ?? this.declared.initialValue ?? null,
      unique_hashes: this.dropsKnown ? [...this.boundaryHashes] : [],
    }
  }

  /** The rows have kept the declared order so far. */
  get inOrder(): boolean {
    return !this.outOfOrder
  }

  /**
   * The windows from the start to `until`, oldest first. Asking for the next one says that the rows of the one before
   * have all been yielded.
   */
  *windows(until: CursorValue = this.endValue ?? new Date().toISOString()): Generator<CursorWindow> {
    const { window } = this.declared
    if (window === undefined || this.startValue === undefined) {
      throw new PipelineError(`resource "${this.resource}": windows need a size and an initial value`, {
        code: 'WRONG_USE',
        resource: this.resource,
        fix: 'declare incremental(…, { initialValue, window: { size } })',
      })
    }
    const end = sameKind(until, this.startValue)
    let start = this.startValue
    while (compareValues(start, end, this.resource) < 0) {
      const next = minus(start, -window.size)
      this.current = { start, end: compareValues(next, end, this.resource) > 0 ? end : next }
      yield this.current
      this.moveTo(this.current.end)
      this.boundaryHashes.clear()
      this.windowEnded = true
      start = this.current.end
    }
    this.current = undefined
  }

  /** True once after each window that is through: the state may be kept. */
  takeWindowEnd(): boolean {
    const ended = this.windowEnded
    this.windowEnded = false
    return ended
  }

  private get dropsKnown(): boolean {
    const { lag, rangeStart, primaryKey, window } = this.declared
    const turnedOff = Array.isArray(primaryKey) && primaryKey.length === 0
    return window === undefined && lag === undefined && rangeStart !== 'open' && !turnedOff
  }

  private accept(row: unknown): boolean {
    const value = this.cursorOf(row)
    if (value === undefined) return this.declared.onCursorValueMissing === 'include'
    this.watchOrder(value)
    if (this.current !== undefined) return this.isInWindow(value, this.current)
    if (this.beyondEnd(value)) {
      if (this.declared.rowOrder === 'asc') this.stopEarly()
      return false
    }
    if (this.startValue !== undefined) {
      const order = this.compare(value, this.startValue)
      if (order < 0 || (order === 0 && this.declared.rangeStart === 'open')) {
        if (order < 0 && this.declared.rowOrder === 'desc') this.stopEarly()
        return false
      }
    }
    return this.remember(row, value)
  }

  /** Rows of the neighbouring windows come with those; the position moves when the window is through. */
  private isInWindow(value: CursorValue, { start, end }: CursorWindow): boolean {
    return compareValues(value, start, this.resource) >= 0 && compareValues(value, end, this.resource) < 0
  }

  /** A source that does not keep the declared order is read to its end. */
  private watchOrder(value: CursorValue): void {
    const { rowOrder } = this.declared
    if (rowOrder === undefined || this.outOfOrder) return
    const order = this.previous === undefined ? 0 : compareValues(value, this.previous, this.resource)
    this.outOfOrder = rowOrder === 'asc' ? order < 0 : order > 0
    this.previous = value
  }

  private stopEarly(): void {
    this.exhausted = !this.outOfOrder
  }

  /** Moves the cursor on; false for a row at the boundary that was loaded before. */
  private remember(row: unknown, value: CursorValue): boolean {
    const order = this.furthest === undefined ? 1 : this.compare(value, this.furthest)
    if (!this.dropsKnown) {
      if (order > 0) this.moveTo(value)
      return true
    }
    const hash = this.hashOf(row)
    const atStart = this.stored !== undefined && this.compare(value, this.stored.last_value as CursorValue) === 0
    if (order > 0) {
      this.moveTo(value)
      this.boundaryHashes = new Set([hash])
    } else if (order === 0) {
      this.boundaryHashes.add(hash)
    }
    return !(atStart && this.storedHashes.has(hash))
  }

  private moveTo(value: CursorValue): void {
    this.furthest = value
    this.moved = true
  }

  private cursorOf(row: unknown): CursorValue | undefined {
    const raw = this.path.first(row)
    const value = raw instanceof ExactNumber ? Number(raw.text) : raw
    if (value !== undefined && value !== null) return value as CursorValue
    if ((this.declared.onCursorValueMissing ?? 'raise') !== 'raise') return undefined
    throw new PipelineError(
      `resource "${this.resource}": a row has ${value === null ? 'null' : 'nothing'} at its cursor "${this.declared.cursorPath}"`,
      {
        code: 'CURSOR_MISSING',
        resource: this.resource,
        fix: `choose another cursor, or say onCursorValueMissing: 'include' or 'exclude'`,
      },
    )
  }

  private hashOf(row: unknown): string {
    if (this.keys === undefined || this.keys.length === 0) return contentId(row)
    const values = this.keys.map((key) => {
      const value = (row as Record<string, unknown>)[key]
      if (value === undefined) throw this.keyMissing(key)
      return value
    })
    return digestId(canonicalJson(values))
  }

  private keyMissing(key: string): PipelineError {
    return new PipelineError(`resource "${this.resource}": a row has no "${key}", which is its primary key`, {
      code: 'CURSOR_MISSING',
      resource: this.resource,
      fix: 'name the key as the rows spell it',
    })
  }

  private beyondEnd(value: CursorValue): boolean {
    if (this.endValue === undefined) return false
    const order = this.compare(value, this.endValue)
    return order > 0 || (order === 0 && this.declared.rangeEnd !== 'closed')
  }

  /** Positive when `a` lies further along than `b` in the direction of the cursor. */
  private compare(a: CursorValue, b: CursorValue): number {
    const { lastValueFunc = 'max' } = this.declared
    const order = compareValues(a, b, this.resource)
    if (typeof lastValueFunc === 'string') return lastValueFunc === 'max' ? order : -order
    if (order === 0) return 0
    return compareValues(lastValueFunc([b, a]), a, this.resource) === 0 ? 1 : -1
  }

  private withLag(last: CursorValue): CursorValue {
    const { lastValueFunc = 'max', window } = this.declared
    const { initialValue } = this
    const lag = this.declared.lag ?? window?.lookback
    if (lag === undefined || typeof lastValueFunc !== 'string') return last
    const lagged = minus(last, lastValueFunc === 'max' ? lag : -lag)
    // The start never falls behind where the first run began.
    return initialValue !== undefined && this.compare(lagged, initialValue) < 0 ? initialValue : lagged
  }
}

/** A part of the cursor's range, `start` included, `end` not. */
export interface CursorWindow {
  start: CursorValue
  end: CursorValue
}

/** The interval that a scheduler set for this process: dlt's variables, both needed, ISO 8601. */
function externalInterval(): CursorWindow | undefined {
  const { DLT_INTERVAL_START: start, DLT_INTERVAL_END: end } = process.env
  if (start === undefined || end === undefined || start === '' || end === '') return undefined
  for (const text of [start, end]) {
    if (!Number.isNaN(Date.parse(text))) continue
    throw new PipelineError(`DLT_INTERVAL_START and DLT_INTERVAL_END: "${text}" is no time`, {
      code: 'CONFIG_INVALID',
      fix: 'use ISO 8601, such as 2025-01-31T00:00:00Z',
    })
  }
  return { start, end }
}

/** A moment in the form of another cursor value: text, date only, `Date` or seconds. */
function sameKind(moment: CursorValue, like: CursorValue): CursorValue {
  if (typeof moment === typeof like && !(like instanceof Date)) {
    return typeof like === 'string' && like.length === 10 ? String(moment).slice(0, 10) : moment
  }
  const date = moment instanceof Date ? moment : new Date(typeof moment === 'number' ? moment * 1000 : String(moment))
  if (like instanceof Date) return date
  return typeof like === 'number' ? date.getTime() / 1000 : date.toISOString()
}

const shown = (value: unknown): string => `${typeof value} ${JSON.stringify(value).slice(0, 40)}`

function compareValues(a: CursorValue, b: CursorValue, resource: string): number {
  const [left, right] = [comparable(a), comparable(b)]
  if ((typeof left === 'string') !== (typeof right === 'string')) {
    throw new PipelineError(
      `resource "${resource}": the cursor has values of different kinds, ${shown(left)} and ${shown(right)}`,
      {
        code: 'CURSOR_MISSING',
        resource,
        fix: 'make the cursor one kind, for example with .map',
      },
    )
  }
  return left < right ? -1 : left > right ? 1 : 0
}

const comparable = (value: CursorValue): string | number | bigint => (value instanceof Date ? value.getTime() : value)

const day = 86_400_000

function minus(value: CursorValue, lag: number): CursorValue {
  if (typeof value === 'number') return value - lag
  if (typeof value === 'bigint') return value - BigInt(lag)
  if (value instanceof Date) return new Date(value.getTime() - lag * 1000)
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return new Date(Date.parse(value) - lag * day).toISOString().slice(0, 10)
  const time = Date.parse(value)
  if (Number.isNaN(time)) return value
  const moved = new Date(time - lag * 1000).toISOString()
  return /\.\d/.test(value) ? moved : moved.replace('.000Z', 'Z')
}
