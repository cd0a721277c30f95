import { excerpt, PipelineError } from '../errors/index.ts'
import { coerce, ExactNumber, instantFromNanos, instantText, plainJson, type DataType } from '../schema/index.ts'
import { compareDecimals, decimalKey, nanosOfEpoch } from './decimal-steps.ts'

export type CursorValue = string | number | bigint | Date | ExactNumber

/** How an API writes instants. */
export type CursorFormat = 'iso' | 'date' | 'seconds' | 'milliseconds'

/** Values of one kind compare: timestamps and dates as instants, numbers as numbers, other strings by code point. */
export type CursorKind = 'instant' | 'number' | 'text'

/** A cursor value in a form that sorts: an instant as UTC text, a number, or the string itself. */
export type CursorKey = string | number | bigint | ExactNumber

const numeric: ReadonlySet<DataType | undefined> = new Set(['bigint', 'wei', 'double', 'decimal'] as const)

/** The one order in which the values of a cursor compare, whatever their spelling. */
export class CursorOrder {
  readonly format: CursorFormat | undefined
  private readonly resource: string
  private settledKind: CursorKind | undefined
  /** What the kind was found by, for the message about a value of another kind. */
  private example: CursorValue | undefined

  constructor(resource: string, { format, dataType }: { format?: CursorFormat | undefined; dataType?: DataType } = {}) {
    this.resource = resource
    this.format = format
    this.settledKind = format !== undefined ? 'instant' : numeric.has(dataType) ? 'number' : undefined
  }

  get kind(): CursorKind | undefined {
    return this.settledKind
  }

  /**
   * Settles the kind by values that are known. Strings of digits leave it open: they are numbers next to numbers, and text
   * next to each other.
   */
  settle(...values: readonly (CursorValue | undefined)[]): void {
    const example = values.find((value) => value !== undefined && !isDigits(value))
    if (example !== undefined) this.settleBy(example)
  }

  /** Throws for a value of another kind than the others have. */
  key(value: CursorValue): CursorKey {
    this.settleBy(value)
    const key =
      this.settledKind === 'instant'
        ? instantKey(value, this.format)
        : this.settledKind === 'number'
          ? numberKey(value)
          : textKey(value)
    if (key === undefined) throw this.mixed(value)
    return key
  }

  private settleBy(example: CursorValue): void {
    if (this.settledKind !== undefined) return
    this.settledKind = kindOf(example)
    this.example = example
  }

  compare(a: CursorKey, b: CursorKey): number {
    if (this.settledKind === 'text') return compareCodePoints(a as string, b as string)
    if (a instanceof ExactNumber || b instanceof ExactNumber) return compareDecimals(a, b)
    return a < b ? -1 : a > b ? 1 : 0
  }

  /** The key as text that is the same for equal keys. */
  text(key: CursorKey): string {
    return typeof key === 'string' ? key : decimalKey(key)
  }

  private mixed(value: CursorValue): PipelineError {
    const { resource, example } = this
    const isEpoch = this.settledKind !== 'text' && [value, example].some((one) => one !== undefined && isDigits(one))
    const what =
      example === undefined
        ? `the cursor holds ${this.settledKind === 'instant' ? 'timestamps' : 'numbers'}, and has the value ${shown(value)}`
        : `the cursor has values of different kinds, ${shown(value)} and ${shown(example)}`
    return new PipelineError(`resource "${resource}": ${what}`, {
      code: 'CURSOR_MISSING',
      resource,
      fix: isEpoch
        ? `make the cursor one kind, for example with .map; where numbers are instants, declare format: 'seconds' or 'milliseconds'`
        : 'make the cursor one kind, for example with .map',
    })
  }
}

const digits = /^[+-]?\d+(\.\d+)?$/
const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber

/** Strings of digits, which say by their neighbors only whether they are numbers; numbers say it themselves. */
const isDigits = (value: CursorValue): boolean => typeof value === 'string' && digits.test(value)

function kindOf(value: CursorValue): CursorKind {
  if (isNumber(value)) return 'number'
  return value instanceof Date || instantText(value as string) !== undefined ? 'instant' : 'text'
}

function instantKey(value: CursorValue, format: CursorFormat | undefined): CursorKey | undefined {
  if (typeof value === 'string') {
    const instant = instantText(value)
    if (instant !== undefined || !isDigits(value)) return instant
  } else if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? undefined : instantText(value.toISOString())
  }
  return format === 'seconds' || format === 'milliseconds' ? epochKey(value, format) : undefined
}

function epochKey(value: CursorValue, format: 'seconds' | 'milliseconds'): CursorKey | undefined {
  const text = coerce(value, 'decimal')
  const nanos = text === undefined ? undefined : nanosOfEpoch(text, format)
  // Instants beyond the years of timestamps have no key of their own.
  const year = nanos === undefined ? NaN : new Date(Number(nanos / 1_000_000n)).getUTCFullYear()
  return year >= 1 && year <= 9999 ? instantFromNanos(nanos!) : undefined
}

function numberKey(value: CursorValue): CursorKey | undefined {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return value
    case 'string':
      return numberOfText(value)
    default:
      if (!(value instanceof ExactNumber)) return undefined
      return value.dataType === 'double' ? Number(value.text) : value
  }
}

/** The number that a column of numbers stores for a string. */
function numberOfText(text: string): CursorKey | undefined {
  const whole = coerce(text, 'bigint')
  if (whole !== undefined) return whole.length < 16 ? Number(whole) : BigInt(whole)
  const decimal = coerce(text, 'decimal')
  return decimal === undefined ? undefined : new ExactNumber(decimal, 'decimal')
}

const textKey = (value: CursorValue): CursorKey | undefined =>
  typeof value === 'string' && instantText(value) === undefined ? value : undefined

/** The order of UTF-8, which databases and most languages sort by; `<` goes by UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Halves of surrogate pairs are of code points beyond all others. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/**
 * What a row holds at its cursor, as a value that compares; `undefined` for what no column keeps: null, NaN, infinities.
 * Objects that say how JSON writes them count as that.
 */
export function cursorValue(raw: unknown, resource: string): CursorValue | undefined {
  switch (typeof raw) {
    case 'string':
    case 'bigint':
      return raw
    case 'number':
      return Number.isFinite(raw) ? raw : undefined
    case 'undefined':
      return undefined
    case 'object':
      if (raw === null) return undefined
      // A double as JavaScript has it; only decimals need their text.
      if (raw instanceof ExactNumber) return raw.dataType === 'double' ? cursorValue(Number(raw.text), resource) : raw
      if (raw instanceof Date) return raw
      if ('toJSON' in raw && typeof raw.toJSON === 'function') return cursorValue(raw.toJSON(), resource)
  }
  throw new PipelineError(`resource "${resource}": the cursor has ${shown(raw)}, which has no order`, {
    code: 'CURSOR_MISSING',
    resource,
    fix: 'choose a cursor that is a timestamp, a number or a string, or make it one with .map',
  })
}

/** Kind and value, for messages. */
function shown(value: unknown): string {
  if (isNumber(value)) return `number ${String(value)}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : `Date ${value.toISOString()}`
  const kind = typeof value === 'string' && instantText(value) !== undefined ? 'timestamp' : typeof value
  return `${kind} ${excerpt(typeof value === 'string' ? JSON.stringify(value) : plainJson(value), 40)}`
}
