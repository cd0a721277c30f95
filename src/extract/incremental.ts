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
  /** Rows beyond the range have come and the order says that no others follow. */
  exhausted = false
  private readonly declared: Incremental
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
    this.resource = resource
    this.path = jsonPath(declared.cursorPath)
    const isRange = declared.endValue !== undefined
    this.stored = isRange ? undefined : stored
    this.initialValue = declared.initialValue
    this.endValue = declared.endValue
    const last = (this.stored?.last_value as CursorValue | undefined) ?? undefined
    this.furthest = last ?? declared.initialValue
    this.startValue = last === undefined ? declared.initialValue : this.withLag(last)
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
    if (this.declared.endValue !== undefined) return undefined
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

  private get dropsKnown(): boolean {
    const { lag, rangeStart, primaryKey } = this.declared
    const turnedOff = Array.isArray(primaryKey) && primaryKey.length === 0
    return lag === undefined && rangeStart !== 'open' && !turnedOff
  }

  private accept(row: unknown): boolean {
    const value = this.cursorOf(row)
    if (value === undefined) return this.declared.onCursorValueMissing === 'include'
    this.watchOrder(value)
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
    const { lag, lastValueFunc = 'max', initialValue } = this.declared
    if (lag === undefined || typeof lastValueFunc !== 'string') return last
    const lagged = minus(last, lastValueFunc === 'max' ? lag : -lag)
    // The start never falls behind where the first run began.
    return initialValue !== undefined && this.compare(lagged, initialValue) < 0 ? initialValue : lagged
  }
}

function compareValues(a: CursorValue, b: CursorValue, resource: string): number {
  const [left, right] = [comparable(a), comparable(b)]
  if ((typeof left === 'string') !== (typeof right === 'string')) {
    throw new PipelineError(
      `resource "${resource}": cursor values of different kinds, ${typeof left} and ${typeof right}`,
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
