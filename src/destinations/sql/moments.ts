import { withoutZeros } from '../../schema/index.ts'

/** A moment in microseconds since 1970 as ISO 8601 in UTC: six digits of the second, three where that is all. */
export function isoMicros(micros: bigint): string {
  // BigInt division rounds towards zero; before 1970 the rest is negative.
  const rest = ((micros % 1000n) + 1000n) % 1000n
  const text = new Date(Number((micros - rest) / 1000n)).toISOString()
  return rest === 0n ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}

/** The same of a moment that a database wrote in UTC, without its zone: `2026-01-01 10:00:00.5`. */
export function isoText(text: string): string {
  const [seconds, fraction = ''] = text.replace(' ', 'T').split('.')
  const digits = fraction.padEnd(6, '0').slice(0, 6)
  return `${seconds}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`
}

/** A time of the day without noughts behind it. */
export const shortTime = (text: string): string => (text.includes('.') ? withoutZeros(text).replace(/\.$/, '') : text)
