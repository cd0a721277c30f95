import { coerce, mostDigits, withoutZeros, type ExactNumber } from '../schema/index.ts'

/** A decimal number as a whole number and how many of its digits are the fraction. */
interface Scaled {
  digits: bigint
  scale: number
}

/** Numbers compare exactly, whatever they are kept as. */
export function compareDecimals(a: unknown, b: unknown): number {
  const [left, right] = [scaled(a), scaled(b)]
  // Only numbers that no decimal column holds have no digits to compare.
  if (left === undefined || right === undefined) return Number(a) - Number(b)
  const scale = Math.max(left.scale, right.scale)
  const [x, y] = [atScale(left, scale), atScale(right, scale)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The number as text that is the same for equal numbers. */
export function decimalKey(value: unknown): string {
  const number = scaled(value)
  if (number === undefined) return String(value)
  return withoutFractionZeros(decimalText(number.digits, number.scale))
}

/** The exact sum as text, with the digits of the fraction that either number has. */
export function plusDecimal(value: string | number | bigint | ExactNumber, amount: number): string | undefined {
  const [left, right] = [scaled(value), scaled(amount)]
  if (left === undefined || right === undefined) return undefined
  const scale = Math.max(left.scale, right.scale)
  return decimalText(atScale(left, scale) + atScale(right, scale), scale)
}

const nanosDigits = { seconds: 9, milliseconds: 6 } as const

/** Nanoseconds since 1970 of epoch seconds or milliseconds; digits beyond nanoseconds are cut. */
export function nanosOfEpoch(text: string, unit: keyof typeof nanosDigits): bigint | undefined {
  const number = scaled(text)
  return number === undefined ? undefined : atScale(number, nanosDigits[unit])
}

/** Nanoseconds since 1970 as epoch seconds or milliseconds, with the fraction that they need. */
export const epochText = (nanos: bigint, unit: keyof typeof nanosDigits): string =>
  withoutFractionZeros(decimalText(nanos, nanosDigits[unit]))

/** Zeros of the whole part stay. */
const withoutFractionZeros = (text: string): string =>
  text.includes('.') ? withoutZeros(text).replace(/\.$/, '') : text

function scaled(value: unknown): Scaled | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(coerce(value, 'decimal') ?? 'x')
  if (match === null || match[0].length > mostDigits) return undefined
  const [, sign, whole, fraction = ''] = match
  const digits = BigInt(`${whole}${fraction}`)
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length }
}

const atScale = ({ digits, scale }: Scaled, wanted: number): bigint =>
  wanted >= scale ? digits * 10n ** BigInt(wanted - scale) : digits / 10n ** BigInt(scale - wanted)

function decimalText(digits: bigint, scale: number): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  const point = text.length - scale
  const fraction = scale === 0 ? '' : `.${text.slice(point)}`
  return `${digits < 0n ? '-' : ''}${text.slice(0, point)}${fraction}`
}
