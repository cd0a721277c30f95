import { plainJson } from './canonical-json.ts'
import { ExactNumber, mostDigits, plainDecimal, withoutZeros } from './exact-number.ts'
import { dateText, isTimestampText, timestampText, timeText, unixTimestampText } from './temporal.ts'
import type { DataType } from './types.ts'

/**
 * The type dlt would give a new column for a value. `undefined` for what creates no column: null, NaN, infinities and
 * invalid dates.
 * Objects and lists get here only where they are kept whole.
 */
export function inferType(value: unknown): DataType | undefined {
  switch (typeof value) {
    case 'string':
      return isTimestampText(value) ? 'timestamp' : 'text'
    case 'number':
      if (Number.isSafeInteger(value)) return 'bigint'
      return Number.isFinite(value) ? 'double' : undefined
    case 'boolean':
      return 'bool'
    case 'bigint':
      return fitsInt64(value) ? 'bigint' : fits38Digits(value) ? 'wei' : 'text'
    case 'object':
      return inferObjectType(value)
    default:
      return undefined
  }
}

function inferObjectType(value: object | null): DataType | undefined {
  if (value === null) return undefined
  if (value instanceof ExactNumber) return value.dataType === 'decimal' && !fitsDecimal(value) ? 'text' : value.dataType
  if (value instanceof Date) return inferDateType(value)
  if (value instanceof Uint8Array) return 'binary'
  return 'json'
}

function inferDateType(value: Date): DataType | undefined {
  if (Number.isNaN(value.getTime())) return undefined
  return dateTimeText(value) === undefined ? 'text' : 'timestamp'
}

const minInt64 = -(2n ** 63n)
const maxInt64 = 2n ** 63n - 1n
const limit38 = 10n ** 38n
const fitsInt64 = (value: bigint): boolean => value >= minInt64 && value <= maxInt64
const fits38Digits = (value: bigint): boolean => value < limit38 && value > -limit38

/** Digits before and after the point, without leading and trailing zeros. */
export function decimalDigits(text: string): { integer: number; fraction: number } {
  const match = /^-?(\d*)(?:\.(\d*))?$/.exec(text)
  if (match === null) return { integer: Infinity, fraction: Infinity }
  const [, whole = '', fraction = ''] = match
  return { integer: whole.replace(/^0+/, '').length, fraction: withoutZeros(fraction).length }
}

function fitsDecimal(value: ExactNumber): boolean {
  const { integer, fraction } = decimalDigits(value.text)
  return integer + Math.max(fraction, 9) <= 38
}

const trueWords = new Set(['true', 'yes', 't', 'y', '1'])
const falseWords = new Set(['false', 'no', 'f', 'n', '0'])

/**
 * The value as the text of a column of the given type, without quotes; `undefined` when it does not fit the type.
 * The text is what the package files hold and what every destination reads.
 */
export function coerce(value: unknown, dataType: DataType): string | undefined {
  return coercions[dataType](value)
}

const coercions: Record<DataType, (value: unknown) => string | undefined> = {
  text: textOf,
  bigint: integerOf,
  wei: integerOf,
  double: doubleOf,
  decimal: decimalOf,
  bool: boolOf,
  timestamp: timestampOf,
  date: (value) => (typeof value === 'string' ? dateText(value) : undefined),
  time: (value) => (typeof value === 'string' ? timeText(value) : undefined),
  binary: binaryOf,
  json: plainJson,
}

function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      // dlt writes booleans the way Python spells them.
      return value ? 'True' : 'False'
    case 'number':
    case 'bigint':
      return String(value)
    case 'object':
      if (value instanceof ExactNumber) return value.text
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
      return plainJson(value)
    default:
      return undefined
  }
}

function integerOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return integerFromText(value.trim())
  if (value instanceof ExactNumber) {
    const number = Number(value.text)
    return value.dataType === 'double' && Number.isSafeInteger(number) ? String(number) : undefined
  }
  return undefined
}

/** As dlt: spaces around a number, `_` between its digits and hexadecimal ones are spellings of it. A `+` is not. */
function integerFromText(text: string): string | undefined {
  if (text.length > mostDigits) return undefined
  if (/^(0|-?[1-9]\d*(_\d+)*)$/.test(text)) return String(BigInt(text.replaceAll('_', '')))
  return /^0x[\da-f]+$/i.test(text) ? String(BigInt(text)) : undefined
}

/** Zeros or a plus before a number are part of a code, such as a postal code or a phone number, which stays as it is. */
const numberText = /^-?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

function doubleOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') {
    // A whole number that a double would round must not land in a double column.
    return BigInt(Number(value)) === value ? String(value) : undefined
  }
  if (value instanceof ExactNumber) {
    return value.dataType === 'double' && Number.isFinite(Number(value.text)) ? value.text : undefined
  }
  if (typeof value === 'string') return doubleFromText(value.trim())
  return undefined
}

/** Beyond the largest double, nearer to zero than the smallest or with more digits, a number is not one of them. */
function doubleFromText(text: string): string | undefined {
  if (!numberText.test(text) || !Number.isFinite(Number(text))) return undefined
  return significantDigits(text) === significantDigits(String(Number(text))) ? text : undefined
}

const significantDigits = (text: string): string =>
  withoutZeros(text.replace(/e.*/is, '').replaceAll(/[-.]/g, '').replace(/^0+/, ''))

function decimalOf(value: unknown): string | undefined {
  if (value instanceof ExactNumber || typeof value === 'number' || typeof value === 'bigint') {
    return plainDecimal(String(value))
  }
  return typeof value === 'string' && numberText.test(value.trim()) ? plainDecimal(value.trim()) : undefined
}

function boolOf(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const word = String(value).trim().toLowerCase()
  if (trueWords.has(word)) return 'true'
  return falseWords.has(word) ? 'false' : undefined
}

function timestampOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return timestampText(value) ?? unixTimestampText(value)
    case 'number':
    case 'bigint':
      return unixTimestampText(String(value))
    default:
      if (value instanceof Date) return dateTimeText(value)
      return value instanceof ExactNumber ? unixTimestampText(plainDecimal(value.text) ?? '') : undefined
  }
}

/** Beyond the years 1 to 9999, and without a time, a date is not a timestamp. */
function dateTimeText(date: Date): string | undefined {
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999 ? date.toISOString() : undefined
}

function binaryOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value !== 'string') return undefined
  if (/^0x([\da-f]{2})*$/i.test(value)) return value.slice(2).toLowerCase()
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes.toString('hex') : undefined
}
