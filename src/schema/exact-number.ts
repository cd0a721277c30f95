/**
 * A number of JSON whose text a JavaScript number would not keep: `12.0`, `1e5`, or one with more digits than a
 * double holds. Whole numbers beyond 2^53 arrive as `bigint` instead.
 */
export class ExactNumber {
  readonly text: string
  /** `double`: a double holds the value, only the spelling matters; `decimal`: a double would round it. */
  readonly dataType: 'double' | 'decimal'

  constructor(text: string, dataType: 'double' | 'decimal') {
    this.text = text
    this.dataType = dataType
  }

  /** The nearest double. */
  valueOf(): number {
    return Number(this.text)
  }

  toString(): string {
    return this.text
  }
}

/** Characters of the longest number that is taken for one. No column has a use for more, and to calculate with them takes long. */
export const mostDigits = 1000

/** Digits without the zeros at their end. The lookbehind lets a row of zeros be tried once, not once from each of them. */
export const withoutZeros = (digits: string): string => digits.replace(/(?<!0)0+$/, '')

/** A decimal given as text, for rows made in code: `decimal('12.30')`. */
export function decimal(text: string): ExactNumber {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new RangeError(`expected a decimal such as "12.30", got "${text}"`)
  return new ExactNumber(text, 'decimal')
}

/** Decimal text without exponent, so that its digits can be counted. */
export function plainDecimal(text: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponentText] = match
  if (exponentText === undefined) return text
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > 60) return undefined
  const digits = '0'.repeat(60) + whole + fraction + '0'.repeat(60)
  const point = 60 + whole.length + exponent
  const decimals = withoutZeros(digits.slice(point))
  return `${sign}${digits.slice(0, point).replace(/^0+(?=\d)/, '')}${decimals === '' ? '' : `.${decimals}`}`
}
