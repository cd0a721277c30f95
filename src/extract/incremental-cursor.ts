import { PipelineError } from '../errors/index.ts'
import type { TableHints } from '../normalize/index.ts'
import { instantText, nanosOf, withNames, type DataType } from '../schema/index.ts'
import { CursorOrder, cursorValue, type CursorKey, type CursorValue } from './cursor-order.ts'
import { inFormat, moved, spelled } from './cursor-spelling.ts'
import { isBackwards, type CursorWindow, type Incremental } from './incremental.ts'
import { jsonPath, type JsonPath } from './json-path.ts'
import { LoadedRows } from './loaded-rows.ts'

/** What the state keeps of a cursor, in dlt's words. */
export interface CursorState {
  initial_value: unknown
  last_value: unknown
  start_value?: unknown
  unique_hashes: string[]
}

/** What a cursor has to know of its resource. */
export interface CursorSetting {
  resource: string
  primaryKey: readonly string[]
  /** The declared type of the cursor's column. */
  dataType?: DataType | undefined
  stored?: CursorState | undefined
  /** Hashes of rows beyond the stored position, which limited runs have loaded. */
  beyond?: readonly string[] | undefined
  /** The run may end before the source does. */
  isLimited?: boolean
}

/** The declared type of the column that a cursor becomes. Names of columns differ from paths by case and marks only. */
export function cursorColumnType(hints: TableHints, { cursorPath }: Incremental): DataType | undefined {
  const letters = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  return withNames(hints.columns).find(({ name }) => letters(name) === letters(cursorPath))?.dataType
}

/** A value, and the form of it that compares. */
interface Position {
  value: CursorValue
  key: CursorKey
}

/** A cursor during one run: filters rows and remembers how far it came. */
export class IncrementalCursor {
  /** Fixed for the run: where it begins. */
  readonly startValue: CursorValue | undefined
  readonly endValue: CursorValue | undefined
  readonly initialValue: CursorValue | undefined
  /** How far behind the last value a run begins. */
  readonly lag: number | undefined
  private readonly declared: Incremental
  private readonly order: CursorOrder
  private readonly resource: string
  private readonly path: JsonPath
  /** Between two given ends: no state is read or written. */
  readonly isRange: boolean
  /** The state that earlier runs left. */
  readonly stored: CursorState | undefined
  private readonly loaded: LoadedRows
  private readonly dropsLoaded: boolean
  private readonly ends: {
    start: CursorValue | undefined
    end: CursorValue | undefined
    stored: CursorValue | undefined
  }
  /** Positions to compare with, made when the kind of the values is known. */
  private positions:
    | { start: Position | undefined; end: Position | undefined; stored: Position | undefined }
    | undefined
  /** The furthest position of all runs. */
  private furthest: Position | undefined
  private furthestValue: CursorValue | undefined
  private isBeyondStored = false
  private window: { start: Position; end: Position; isAfterStart: boolean; includesEnd: boolean } | undefined
  private readsWindows = false
  private windowEnded = false
  private previous: Position | undefined
  private outOfOrder = false
  private passedRange = false

  constructor(declared: Incremental, setting: CursorSetting) {
    const { resource, primaryKey, dataType, isLimited = false } = setting
    this.declared = declared
    this.resource = resource
    this.lag = declared.lag
    this.path = jsonPath(declared.cursorPath)
    this.order = new CursorOrder(resource, { format: declared.format, ...(dataType === undefined ? {} : { dataType }) })
    const interval = declared.allowExternalSchedulers === true ? externalInterval(declared) : undefined
    const initial = interval?.start ?? declared.initialValue
    const end = interval?.end ?? declared.endValue
    this.isRange = end !== undefined
    const kept = this.isRange ? undefined : setting.stored
    // An older version kept a cursor without a value after a run without rows.
    const last = cursorValue(kept?.last_value, resource)
    this.stored = last === undefined ? undefined : kept
    this.order.settle(last, initial, end)
    this.furthestValue = last ?? initial
    const start = last === undefined ? initial : this.withLag(last, initial)
    this.ends = { start, end, stored: last }
    this.startValue = this.written(start, 'start')
    this.endValue = this.written(end, 'end')
    this.initialValue = this.written(initial, 'start')
    const keys = declared.primaryKey ?? primaryKey
    this.dropsLoaded = !this.isRange && dropsLoaded(declared)
    this.loaded = new LoadedRows(resource, typeof keys === 'string' ? [keys] : keys, {
      atBoundary: this.stored?.unique_hashes ?? [],
      beyond: this.isRange ? [] : (setting.beyond ?? []),
      isLimited: isLimited && this.dropsLoaded,
    })
  }

  /** The furthest value so far; where the run begins until a row came. */
  get lastValue(): CursorValue | undefined {
    return this.isBeyondStored ? this.written(this.furthestValue, 'start') : this.startValue
  }

  /** Rows have come at the position where the run began, or beyond it. */
  get hasMoved(): boolean {
    return this.isBeyondStored || this.loaded.boundaryGrew
  }

  /** Rows beyond the range have come, and the order says that no others follow. */
  get exhausted(): boolean {
    return this.passedRange && !this.outOfOrder
  }

  /**
   * All rows up to the position have come, whatever comes after: a run that ends here can be gone on with. Rows that are
   * equal to an open start would be left out, so that it is not known of them.
   */
  get isComplete(): boolean {
    const { rowOrder, rangeStart } = this.declared
    if (this.readsWindows) return true
    return rowOrder === 'asc' && rangeStart !== 'open' && !this.outOfOrder
  }

  /** The rows of a page that lie in the range and were not loaded before. */
  filter(rows: readonly unknown[]): unknown[] {
    const kept = rows.filter((row) => this.accept(row))
    this.loaded.settle()
    return kept
  }

  /** State for the next run; `undefined` for a range, which leaves no trace, and for a cursor that no row has moved. */
  state(): CursorState | undefined {
    if (this.isRange) return undefined
    if (!this.hasMoved) return this.stored
    return {
      initial_value: this.declared.initialValue ?? null,
      last_value: this.furthestValue ?? null,
      start_value: this.stored?.last_value ?? this.declared.initialValue ?? null,
      unique_hashes: this.dropsLoaded ? this.loaded.atBoundary : [],
    }
  }

  /** Hashes of loaded rows beyond the stored position: those of this run too, or only those of earlier ones. */
  beyondStored(withThisRun: boolean): string[] {
    return this.loaded.beyondStored(withThisRun)
  }

  /**
   * The windows from the start to `until`, oldest first. Asking for the next one says that the rows of the one before
   * have all been yielded.
   */
  *windows(until?: CursorValue): Generator<CursorWindow> {
    const { window, rangeEnd, rangeStart } = this.declared
    const { start: first } = this.ends
    if (window === undefined || first === undefined) {
      throw new PipelineError(`resource "${this.resource}": windows need a size and an initial value`, {
        code: 'WRONG_USE',
        resource: this.resource,
        fix: 'declare incremental(…, { initialValue, window: { size } })',
      })
    }
    this.readsWindows = true
    const last = this.position(this.windowsEnd(until, first))
    let start = this.position(first)
    // A stored position is the end of a window, whose own rows have not been read.
    let isAfterStart = rangeStart === 'open' && this.stored === undefined
    while (this.order.compare(start.key, last.key) < 0) {
      const next = this.position(moved(start.value, window.size, this.order))
      const isLast = this.order.compare(next.key, last.key) >= 0
      if (this.order.compare(next.key, start.key) <= 0) throw this.standsStill(window.size)
      const end = isLast ? last : next
      this.window = { start, end, isAfterStart, includesEnd: isLast && this.isRange && rangeEnd === 'closed' }
      yield { start: this.written(start.value, 'start')!, end: this.written(end.value, 'end')! }
      this.moveTo(end.value, end.key)
      this.loaded.clear()
      this.windowEnded = true
      isAfterStart = false
      start = end
    }
    this.window = undefined
  }

  /** Rows belong to the window in which they are yielded, so they must not wait for those of the next. */
  get isInWindows(): boolean {
    return this.window !== undefined
  }

  /** True once after each window that is through: the state may be kept. */
  takeWindowEnd(): boolean {
    const ended = this.windowEnded
    this.windowEnded = false
    return ended
  }

  /** Where windows end, spelled as they begin where that is the same instant. */
  private windowsEnd(until: CursorValue | undefined, like: CursorValue): CursorValue {
    const given = until ?? this.ends.end
    if (this.order.kind !== 'instant') {
      if (given !== undefined) return given
      throw new PipelineError(`resource "${this.resource}": windows over numbers need an end`, {
        code: 'WRONG_USE',
        resource: this.resource,
        fix: "give endValue or windows(until); where the numbers are instants, declare format: 'seconds' or 'milliseconds'",
      })
    }
    const end = given ?? new Date(Math.floor(Date.now() / 1000) * 1000)
    const nanos = nanosOf(this.order.key(end) as string)
    const alike = spelled(nanos, like, this.order)
    return given === undefined || nanosOf(this.order.key(alike) as string) === nanos ? alike : end
  }

  private standsStill(size: number): PipelineError {
    return new PipelineError(`resource "${this.resource}": a window of ${size} does not move on from its start`, {
      code: 'WRONG_USE',
      resource: this.resource,
      fix: 'give a larger window.size: whole days for dates',
    })
  }

  private accept(row: unknown): boolean {
    const value = this.valueOf(row)
    if (value === undefined) return this.declared.onCursorValueMissing === 'include'
    const { start, end, stored } = this.knownPositions(value)
    const key = this.order.key(value)
    this.watchOrder(value, key)
    if (this.window !== undefined) return this.isInWindow(key) && !this.wasTaken(row, key)
    if (end !== undefined && this.isBeyondEnd(value, key, end)) {
      if (this.declared.rowOrder === 'asc') this.passedRange = true
      return false
    }
    if (start !== undefined) {
      const order = this.compare(value, key, start)
      if (order < 0 && this.declared.rowOrder === 'desc') this.passedRange = true
      if (order < 0 || (order === 0 && this.declared.rangeStart === 'open')) return false
    }
    return this.remember(row, value, key, stored)
  }

  /** The kind of the values is settled by the first one, so positions wait for it. */
  private knownPositions(first: CursorValue): NonNullable<typeof this.positions> {
    if (this.positions !== undefined) return this.positions
    const { start, end, stored } = this.ends
    this.order.settle(stored, start, end, first)
    this.furthest = this.positionOf(this.furthestValue)
    this.positions = { start: this.positionOf(start), end: this.positionOf(end), stored: this.positionOf(stored) }
    return this.positions
  }

  private position(value: CursorValue): Position {
    return { value, key: this.order.key(value) }
  }

  private positionOf(value: CursorValue | undefined): Position | undefined {
    return value === undefined ? undefined : this.position(value)
  }

  /** Rows of the neighbouring windows come with those; the position moves when the window is through. */
  private isInWindow(key: CursorKey): boolean {
    const { start, end, isAfterStart, includesEnd } = this.window!
    const fromStart = this.order.compare(key, start.key)
    const toEnd = this.order.compare(key, end.key)
    return (isAfterStart ? fromStart > 0 : fromStart >= 0) && (includesEnd ? toEnd <= 0 : toEnd < 0)
  }

  /** A source that does not keep the declared order is read to its end. */
  private watchOrder(value: CursorValue, key: CursorKey): void {
    const { rowOrder } = this.declared
    if (rowOrder === undefined || this.outOfOrder) return
    const { previous } = this
    if (previous === undefined) {
      this.previous = { value, key }
      return
    }
    const order = this.compare(value, key, previous)
    this.outOfOrder = rowOrder === 'asc' ? order < 0 : order > 0
    previous.value = value
    previous.key = key
  }

  /** Moves the cursor on; false for a row that was loaded before. */
  private remember(row: unknown, value: CursorValue, key: CursorKey, stored: Position | undefined): boolean {
    const order = this.furthest === undefined ? 1 : this.compare(value, key, this.furthest)
    if (order > 0) this.moveTo(value, key)
    if (!this.dropsLoaded) return true
    this.loaded.checkKey(row)
    if (order > 0) this.loaded.restart(row)
    else if (order === 0) this.loaded.add(row)
    if (stored !== undefined && this.compare(value, key, stored) === 0 && this.loaded.wasAtBoundary(row)) return false
    return !this.wasTaken(row, key)
  }

  private wasTaken(row: unknown, key: CursorKey): boolean {
    return this.loaded.looksBeyond && this.loaded.wasTaken(row, this.order.text(key))
  }

  private moveTo(value: CursorValue, key: CursorKey): void {
    this.furthestValue = value
    this.isBeyondStored = true
    if (this.furthest === undefined) {
      this.furthest = { value, key }
    } else {
      this.furthest.value = value
      this.furthest.key = key
    }
  }

  private valueOf(row: unknown): CursorValue | undefined {
    const raw = this.path.first(row)
    const value = cursorValue(raw, this.resource)
    if (value !== undefined || (this.declared.onCursorValueMissing ?? 'raise') !== 'raise') return value
    throw new PipelineError(
      `resource "${this.resource}": a row has ${raw === undefined ? 'nothing' : String(raw)} at its cursor "${this.declared.cursorPath}"`,
      {
        code: 'CURSOR_MISSING',
        resource: this.resource,
        fix: `choose another cursor, or say onCursorValueMissing: 'include' or 'exclude'`,
      },
    )
  }

  private isBeyondEnd(value: CursorValue, key: CursorKey, end: Position): boolean {
    const order = this.compare(value, key, end)
    return order > 0 || (order === 0 && this.declared.rangeEnd !== 'closed')
  }

  /** Positive when the value lies further along than the position, in the direction of the cursor. */
  private compare(value: CursorValue, key: CursorKey, other: Position): number {
    const { lastValueFunc = 'max' } = this.declared
    const order = this.order.compare(key, other.key)
    if (lastValueFunc === 'max') return order
    if (lastValueFunc === 'min') return -order
    if (order === 0) return 0
    return this.order.compare(this.order.key(lastValueFunc([other.value, value])), key) === 0 ? 1 : -1
  }

  private withLag(last: CursorValue, initial: CursorValue | undefined): CursorValue {
    const { lastValueFunc = 'max', window } = this.declared
    const lag = this.declared.lag ?? window?.lookback
    if (lag === undefined || lag === 0 || typeof lastValueFunc !== 'string') return last
    const lagged = moved(last, lastValueFunc === 'max' ? -lag : lag, this.order)
    // The start never falls behind where the first run began.
    if (initial === undefined) return lagged
    return this.compare(lagged, this.order.key(lagged), this.position(initial)) < 0 ? initial : lagged
  }

  private written(value: CursorValue | undefined, side: 'start' | 'end'): CursorValue | undefined {
    return value === undefined ? undefined : inFormat(value, this.order, side)
  }
}

/** Rows that come again are recognized, unless the cursor is meant to read rows twice or is told not to. */
function dropsLoaded({ lag, window, rangeStart, primaryKey }: Incremental): boolean {
  const isTurnedOff = Array.isArray(primaryKey) && primaryKey.length === 0
  return (lag ?? window?.lookback) === undefined && rangeStart !== 'open' && !isTurnedOff
}

/** The interval that a scheduler set for this process: dlt's variables, both needed, ISO 8601. */
function externalInterval(declared: Incremental): CursorWindow | undefined {
  const { DLT_INTERVAL_START: start, DLT_INTERVAL_END: end } = process.env
  if (start === undefined || end === undefined || start === '' || end === '') return undefined
  for (const text of [start, end]) {
    if (instantText(text) !== undefined) continue
    throw wrongInterval(`"${text}" is not a valid date-time`, 'use ISO 8601, such as 2025-01-31T00:00:00Z')
  }
  if (isBackwards(declared, start, end)) throw wrongInterval(`${start} lies beyond ${end}`, 'swap the two')
  return { start, end }
}

const wrongInterval = (what: string, fix: string): PipelineError =>
  new PipelineError(`DLT_INTERVAL_START and DLT_INTERVAL_END: ${what}`, { code: 'CONFIG_INVALID', fix })
