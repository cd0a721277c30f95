/** Code units of a text that was read through escapes, each with the part of the original text it was written as. */
export interface Units {
  length: number
  /** Of the original text. */
  end: number
  codes: Uint16Array
  starts: Int32Array
  ends: Int32Array
}

export function newUnits(capacity: number, end: number): Units {
  return {
    length: 0,
    end,
    codes: new Uint16Array(capacity),
    starts: new Int32Array(capacity),
    ends: new Int32Array(capacity),
  }
}

/** The units of a text as it is written. */
export function unitsOf(text: string): Units {
  const units = newUnits(text.length, text.length)
  for (let at = 0; at < text.length; at++) {
    units.codes[at] = text.charCodeAt(at)
    units.starts[at] = at
    units.ends[at] = at + 1
  }
  units.length = text.length
  return units
}

const [percent, backslash, ampersand, semicolon, hash] = [0x25, 0x5c, 0x26, 0x3b, 0x23]

type Escape = readonly [point: number, taken: number]
type Reader = (from: Units, at: number) => Escape | undefined

/** Escapes by the code unit they begin with: percent codes of URLs, backslashes of JSON and code, entities of HTML and XML. */
const kinds: readonly (readonly [sign: number, read: Reader])[] = [
  [percent, percentCode],
  [backslash, backslashCode],
  [ampersand, entity],
]

const mostLayers = 4
const mostReadings = 24

/**
 * The readings of a text: as it is written, and without escapes of each kind, in each order, up to four deep. Most texts have
 * one kind, and each order of several gives the same, so there are few.
 */
export function* readingsOf(text: string): Generator<Units> {
  const known = new Set<string>()
  const waiting = [{ units: unitsOf(text), layers: 0 }]
  for (let at = 0; at < waiting.length && at < mostReadings; at++) {
    const { units, layers } = waiting[at]!
    yield units
    for (const [sign, read] of layers < mostLayers ? kinds : []) {
      const next = unescaped(units, sign, read)
      if (next === undefined) continue
      const key = keyOf(next)
      if (!known.has(key)) waiting.push({ units: next, layers: layers + 1 })
      known.add(key)
    }
  }
}

/** Two of one text that have the same are the same. */
function keyOf({ codes, length }: Units): string {
  let [one, two] = [0, 0]
  for (let at = 0; at < length; at++) {
    one = (Math.imul(one, 0x01000193) ^ codes[at]!) | 0
    two = (Math.imul(two, 0x9e3779b1) + codes[at]!) | 0
  }
  return `${length} ${one} ${two}`
}

/** Takes escapes of one kind off, once; `undefined` when there is none. None becomes longer, so the pass is linear. */
function unescaped(from: Units, sign: number, read: Reader): Units | undefined {
  const first = from.codes.subarray(0, from.length).indexOf(sign)
  if (first < 0) return undefined
  const to = newUnits(from.length, from.end)
  to.codes.set(from.codes.subarray(0, first))
  to.starts.set(from.starts.subarray(0, first))
  to.ends.set(from.ends.subarray(0, first))
  to.length = first
  let found = false
  for (let at = first; at < from.length;) {
    const code = from.codes[at]!
    const escape = code === sign ? read(from, at) : undefined
    if (escape === undefined) {
      put(to, code, from.starts[at]!, from.ends[at]!)
      at += 1
      continue
    }
    found = true
    const [point, taken] = escape
    const [start, end] = [from.starts[at]!, from.ends[at + taken - 1]!]
    if (point > 0xffff) {
      put(to, 0xd800 + ((point - 0x10000) >> 10), start, end)
      put(to, 0xdc00 + ((point - 0x10000) & 0x3ff), start, end)
    } else put(to, point, start, end)
    at += taken
  }
  return found ? to : undefined
}

function put(to: Units, code: number, start: number, end: number): void {
  to.codes[to.length] = code
  to.starts[to.length] = start
  to.ends[to.length] = end
  to.length += 1
}

/** A hexadecimal number of so many digits; -1 when it is none. */
function hexAt({ codes, length }: Units, at: number, digits: number): number {
  if (at + digits > length) return -1
  let value = 0
  for (let i = at; i < at + digits; i++) {
    const digit = hexDigit(codes[i]!)
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** `%XX`, or as many of them as a character has bytes in UTF-8. A byte that is not UTF-8 is taken as Latin-1. */
function percentCode(from: Units, at: number): Escape | undefined {
  const first = hexAt(from, at + 1, 2)
  if (first < 0) return undefined
  const more = first >= 0xf0 && first < 0xf8 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0
  let point = more === 0 ? first : first & (0x3f >> more)
  for (let i = 1; i <= more; i++) {
    const byte = from.codes[at + 3 * i] === percent ? hexAt(from, at + 3 * i + 1, 2) : -1
    if (byte < 0x80 || byte > 0xbf) return [first, 3]
    point = point * 64 + (byte & 0x3f)
  }
  return point > 0x10ffff ? [first, 3] : [point, 3 * (more + 1)]
}

const control: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, f: 0x0c }

/** `\uXXXX`, `\xXX`, `\n` and their like; before any other character the backslash only quotes it. */
function backslashCode(from: Units, at: number): Escape | undefined {
  if (at + 1 >= from.length) return undefined
  const next = from.codes[at + 1]!
  const letter = String.fromCharCode(next)
  const digits = letter === 'u' ? 4 : letter === 'x' ? 2 : 0
  const point = digits === 0 ? -1 : hexAt(from, at + 2, digits)
  if (point >= 0) return [point, digits + 2]
  return [Object.hasOwn(control, letter) ? control[letter]! : next, 2]
}

const named: Record<string, number> = { amp: 0x26, lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27 }
const longestEntity = 10

/** `&amp;`, `&#38;`, `&#x26;`. */
function entity({ codes, length }: Units, at: number): Escape | undefined {
  let end = at + 1
  while (end < length && end < at + longestEntity && codes[end] !== semicolon) end++
  if (codes[end] !== semicolon || end >= length) return undefined
  const name = String.fromCharCode(...codes.subarray(at + 1, end))
  const taken = end - at + 1
  if (codes[at + 1] !== hash) return Object.hasOwn(named, name) ? [named[name]!, taken] : undefined
  const isHex = /^#[xX][0-9a-fA-F]+$/.test(name)
  if (!isHex && !/^#[0-9]+$/.test(name)) return undefined
  const point = isHex ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return point > 0x10ffff ? undefined : [point, taken]
}
