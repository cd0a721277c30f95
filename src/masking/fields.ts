import type { Units } from './escapes.ts'
import { isSecretField } from './secret-names.ts'
import type { Span } from './secret-index.ts'

const letters = (text: string): Set<number> => new Set([...text].map((one) => one.charCodeAt(0)))
const blanks = letters(' \t\r\n')
const quotes = letters('"\'')
const [backslash, less, greater, bracket] = ['\\', '<', '>', '['].map((one) => one.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
]
const signs = letters(':=')
const valueEnds = letters(' \t\r\n"\'<>,;&{}[]()|')
const longestName = 100
/** Words before a value that tell its kind. */
const scheme = /^(?:bearer|basic|digest|token|apikey|aws4-hmac-sha256)$/i
const notSecret = /^(?:|true|false|null|undefined|none)$/i
/** Names of numbers that are secret however short they are; others may count something. */
const pins = /(?:^|[-_.])(?:pin|otp|pass\w*|pwd)$/i

/**
 * Adds where values of fields stand whose names say that they are secret: `"token": "…"`, `token=…`, `<token>…</token>`,
 * `Authorization: Bearer …`. The text may be of any format, and cut off.
 */
export function findSecretFields(units: Units, found: Span[]): void {
  const { codes, length } = units
  for (let at = 0; at < length;) {
    if (!isNamePart(codes[at]!)) {
      at++
      continue
    }
    const start = at
    while (at < length && isNamePart(codes[at]!)) at++
    if (at - start > longestName) continue
    const value = valueStart(units, at, start > 0 && codes[start - 1] === less)
    if (value === undefined) continue
    const name = textOf(units, start, at)
    if (isSecretField(name)) at = Math.max(at, hide(units, { ...value, name }, found))
  }
}

const textOf = ({ codes }: Units, from: number, to: number): string => String.fromCharCode(...codes.subarray(from, to))

const isNamePart = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
  code === 0x5f ||
  code === 0x2d ||
  code === 0x2e

interface Value {
  at: number
  name: string
  /** The name stood in quotes, as in JSON, so a number is a number. */
  isQuoted: boolean
  isElement: boolean
}

const skip = ({ codes, length }: Units, from: number, set: ReadonlySet<number>): number => {
  let at = from
  while (at < length && set.has(codes[at]!)) at++
  return at
}

/** Where the value of a name begins that ends here. */
function valueStart(units: Units, end: number, isElement: boolean): Omit<Value, 'name'> | undefined {
  const { codes } = units
  if (isElement && codes[end] === greater) return { at: end + 1, isQuoted: false, isElement: true }
  let at = end
  if (codes[at] === backslash) at++
  const isQuoted = quotes.has(codes[at]!)
  if (isQuoted) at++
  at = skip(units, at, blanks)
  if (!signs.has(codes[at]!)) return undefined
  at++
  if (codes[at] === greater) at++
  return { at: skip(units, at, blanks), isQuoted, isElement: false }
}

/** Hides a value; returns where it ends. */
function hide(units: Units, { at, name, isQuoted, isElement }: Value, found: Span[]): number {
  const { codes, length } = units
  if (isElement) {
    let end = at
    while (end < length && codes[end] !== less) end++
    add(units, at, end, found)
    return end
  }
  if (codes[at] === bracket) return hideList(units, at + 1, found)
  if (codes[at] === backslash || quotes.has(codes[at]!)) return hideQuoted(units, at, found)
  const end = bareEnd(units, at)
  const text = textOf(units, at, Math.min(end, at + longestName))
  if (isQuoted && !(/^\d+$/.test(text) && (pins.test(name) || (text.length > 5 && !name.endsWith('s'))))) return at
  if (!scheme.test(text)) {
    if (!notSecret.test(text)) add(units, at, end, found)
    return end
  }
  const rest = skip(units, end, blanks)
  add(units, rest, bareEnd(units, rest), found)
  return rest
}

function bareEnd({ codes, length }: Units, from: number): number {
  let end = from
  while (end < length && !valueEnds.has(codes[end]!)) end++
  return end
}

/** A text in quotes; the quotes of one within another text have a backslash before them. */
function hideQuoted(units: Units, from: number, found: Span[]): number {
  const { codes, length } = units
  const isNested = codes[from] === backslash
  const quote = codes[isNested ? from + 1 : from]!
  if (!quotes.has(quote)) return from
  const start = isNested ? from + 2 : from + 1
  let end = start
  while (end < length && codes[end] !== quote) {
    if (codes[end] !== backslash) end++
    else if (isNested && codes[end + 1] === quote) break
    else end += 2
  }
  end = Math.min(end, length)
  add(units, start, end, found)
  return Math.min(length, end + (isNested ? 2 : 1))
}

const listGaps = letters(' \t\r\n,')

function hideList(units: Units, from: number, found: Span[]): number {
  let at = skip(units, from, listGaps)
  while (at < units.length && quotes.has(units.codes[at]!)) at = skip(units, hideQuoted(units, at, found), listGaps)
  return at
}

function add({ starts, ends }: Units, from: number, to: number, found: Span[]): void {
  if (to > from) found.push([starts[from]!, ends[to - 1]!])
}
