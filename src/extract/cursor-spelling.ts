import { PipelineError } from '../errors/index.ts'
import { decimal, instantFromNanos, nanosOf, spelledLike, type ExactNumber } from '../schema/index.ts'
import type { CursorFormat, CursorOrder, CursorValue } from './cursor-order.ts'
import { epochText, plusDecimal } from './decimal-steps.ts'

const nanosPerDay = 86_400_000_000_000n

/**
 * The value so much further on, spelled as it is: seconds for timestamps, days for dates, plain numbers for numbers. Throws
 * for text, which has no distances.
 */
export function moved(value: CursorValue, amount: number, order: CursorOrder): CursorValue {
  const key = order.key(value)
  if (order.kind === 'instant') {
    const unit = isDateOnly(value) ? nanosPerDay : 1_000_000_000n
    return spelled(nanosOf(key as string) + timesUnit(amount, unit), value, order)
  }
  const sum = order.kind === 'number' ? plusDecimal(value as string | number | bigint, amount) : undefined
  if (sum !== undefined) return numberLike(sum, value)
  throw new PipelineError(
    `the cursor value ${JSON.stringify(String(value))} is text, which lag and windows cannot step through`,
    {
      code: 'WRONG_USE',
      fix: `leave lag and window out; where the text is a number, say so with columns: { <column>: { dataType: 'bigint' } }`,
    },
  )
}

/** A fraction of a unit counts to the millionth. */
const timesUnit = (amount: number, unit: bigint): bigint =>
  Number.isInteger(amount) ? BigInt(amount) * unit : (BigInt(Math.round(amount * 1e6)) * unit) / 1_000_000n

const isDateOnly = (value: CursorValue): boolean => typeof value === 'string' && value.length === 10 && value[4] === '-'

/** An instant the way another value of the cursor is spelled. */
export function spelled(nanos: bigint, like: CursorValue, { format }: CursorOrder): CursorValue {
  if (like instanceof Date) return new Date(Number(floorDiv(nanos, 1_000_000n)))
  const isText = typeof like === 'string' && like[4] === '-'
  if (isText) return spelledLike(nanos, like)
  return numberLike(epochText(nanos, format === 'milliseconds' ? 'milliseconds' : 'seconds'), like)
}

function numberLike(text: string, like: CursorValue): CursorValue {
  switch (typeof like) {
    case 'string':
      return text
    case 'bigint':
      return text.includes('.') ? decimal(text) : BigInt(text)
    case 'number':
      // Beyond 2^53 a number would not be this one.
      return text.includes('.') || Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)
    default:
      return decimal(text)
  }
}

/**
 * A value as requests get it: in the declared format, otherwise as it is. Instants that the format cannot hold are rounded
 * away from the range, so that it loses nothing: a start down, an end up.
 */
export function inFormat(value: CursorValue, order: CursorOrder, side: 'start' | 'end'): CursorValue {
  const { format } = order
  if (format === undefined) return value
  const isEpoch = typeof value !== 'string' ? !(value instanceof Date) : value[4] !== '-'
  if (isEpoch && (format === 'seconds' || format === 'milliseconds')) return value
  return formatted(nanosOf(order.key(value) as string), format, side)
}

function formatted(nanos: bigint, format: CursorFormat, side: 'start' | 'end'): CursorValue {
  const units = (unit: bigint): bigint => (side === 'start' ? floorDiv(nanos, unit) : -floorDiv(-nanos, unit))
  switch (format) {
    case 'iso':
      return isoText(instantFromNanos(nanos))
    case 'date':
      return instantFromNanos(units(nanosPerDay) * nanosPerDay).slice(0, 10)
    case 'seconds':
      return Number(units(1_000_000_000n))
    case 'milliseconds':
      return Number(units(1_000_000n))
  }
}

/** With three digits of the fraction, and more where they are needed. */
function isoText(instant: string): string {
  const fraction = instant.slice(20)
  const digits = fraction.length <= 3 ? 3 : fraction.length <= 6 ? 6 : 9
  return `${instant.slice(0, 19)}.${fraction.padEnd(digits, '0')}Z`
}

const floorDiv = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by

/** What a request takes: a number or a string. */
export const inRequest = (value: CursorValue | undefined): string | number | bigint | ExactNumber | undefined =>
  value instanceof Date ? value.toISOString() : value
