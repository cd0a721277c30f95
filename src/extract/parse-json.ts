import { PipelineError } from '../errors/index.ts'
import { ExactNumber, mostDigits, withoutZeros } from '../schema/index.ts'

/**
 * What every such number contains. Patterns of fixed short form, which the engine searches for several times faster
 * than for the whole numbers; most pages hold none of them.
 */
const zeroFraction = /\.0+[\s,\]}]/
const exponent = /\d[eE][-+\d]/
// Written out: as `[\d.]{16}` it is searched for ten times slower.
const sixteenDigits = new RegExp('[\\d.]'.repeat(16))

/**
 * Numbers whose spelling `JSON.parse` would lose: fractions of zeros only (`12.0`, which is no whole number) and
 * exponents. Text inside strings may match too; that costs time, not correctness.
 */
const spelledNumber = /[:[,\s]-?(?:\d+\.0+[\s,\]}]|[\d.]+[eE][-+\d])/

/** Numbers that may have more digits than a double. */
const longNumber = /[:[,\s](-?\d[\d.]{15,})(?=[\s,\]}])/g

function needsExactness(json: string): boolean {
  if ((zeroFraction.test(json) || exponent.test(json)) && spelledNumber.test(json)) return true
  if (!sixteenDigits.test(json)) return false
  // Most long numbers are doubles printed in full, which come back as they were.
  for (const [, digits] of json.matchAll(longNumber)) if (!isPlain(digits!)) return true
  return false
}

/** A whole number beyond 2^53 is not, whether or not a double holds it: its type must not hang on what else is in the text. */
const isPlain = (digits: string): boolean =>
  String(Number(digits)) === digits && (digits.includes('.') || Number.isSafeInteger(Number(digits)))

/**
 * Parses JSON without bending a number: see `ExactNumber`. Throws `SyntaxError` as `JSON.parse` does, and `LIMIT_EXCEEDED` for a number
 * of more than 1,000 characters.
 */
export function parseJson(text: string): unknown {
  // A byte order mark is no JSON, but servers send it.
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  return needsExactness(json) ? new ExactParser(json).parse() : JSON.parse(json)
}

const deepest = 5000

/** A plain recursive-descent parser. Slower than the engine's; used only for pages that need it. */
class ExactParser {
  private readonly text: string
  private at = 0
  private depth = 0
  /** The next value is the first of its object or list, so no comma comes before it. */
  private first = true

  constructor(text: string) {
    this.text = text
  }

  parse(): unknown {
    const value = this.value()
    this.blanks()
    if (this.at < this.text.length) throw this.error()
    return value
  }

  private value(): unknown {
    this.blanks()
    switch (this.text[this.at]) {
      case '{':
        return this.object()
      case '[':
        return this.array()
      case '"':
        return this.string()
      case 't':
        return this.word('true', true)
      case 'f':
        return this.word('false', false)
      case 'n':
        return this.word('null', null)
      default:
        return this.number()
    }
  }

  private object(): Record<string, unknown> {
    this.enter()
    const object: Record<string, unknown> = {}
    while (this.more('}')) {
      this.blanks()
      const key = this.string()
      this.blanks()
      this.expect(':')
      const value = this.value()
      // A plain assignment to `__proto__` would change the prototype instead of adding a key.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
      else object[key] = value
    }
    this.depth -= 1
    return object
  }

  private array(): unknown[] {
    this.enter()
    const array: unknown[] = []
    while (this.more(']')) array.push(this.value())
    this.depth -= 1
    return array
  }

  private enter(): void {
    this.at += 1
    this.depth += 1
    if (this.depth > deepest) throw new SyntaxError(`JSON nests deeper than ${deepest} levels`)
    this.first = true
  }

  /** Steps over the comma, or over the closing bracket and answers false. */
  private more(close: string): boolean {
    this.blanks()
    const first = this.first
    this.first = false
    if (this.text[this.at] === close) {
      this.at += 1
      return false
    }
    if (!first) this.expect(',')
    return true
  }

  private string(): string {
    const begin = this.at
    if (this.text[begin] !== '"') throw this.error()
    let end = begin + 1
    for (; ; end++) {
      const code = this.text.charCodeAt(end)
      if (code === 34) break
      if (code === 92) end += 1
      // Also the end of the text, where the code is NaN.
      else if (!(code >= 32)) {
        this.at = end
        throw this.error()
      }
    }
    this.at = end + 1
    const raw = this.text.slice(begin, this.at)
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  }

  private number(): unknown {
    numberToken.lastIndex = this.at
    const match = numberToken.exec(this.text)
    if (match === null) throw this.error()
    this.at = numberToken.lastIndex
    if (match[0].length > mostDigits) throw tooLongNumber(match[0])
    return exactNumber(match[0])
  }

  private word(word: string, value: unknown): unknown {
    if (!this.text.startsWith(word, this.at)) throw this.error()
    this.at += word.length
    return value
  }

  private blanks(): void {
    while (/[ \n\r\t]/.test(this.text[this.at] ?? '')) this.at += 1
  }

  private expect(symbol: string): void {
    if (this.text[this.at] !== symbol) throw this.error()
    this.at += 1
  }

  private error(): SyntaxError {
    if (this.at >= this.text.length) return new SyntaxError('Unexpected end of JSON input')
    return new SyntaxError(`Unexpected token ${JSON.stringify(this.text[this.at])} in JSON at position ${this.at}`)
  }
}

const tooLongNumber = (text: string): PipelineError =>
  new PipelineError(
    `a number of JSON has ${text.length.toLocaleString('en')} characters (${text.slice(0, 20)}…), and at most ${mostDigits.toLocaleString('en')} are read`,
    { code: 'LIMIT_EXCEEDED', fix: 'ask the API for the value as a string, or leave it out of the request' },
  )

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** The JavaScript number where it is exact, otherwise `bigint` or `ExactNumber`. */
function exactNumber(text: string): unknown {
  const number = Number(text)
  if (!/[.eE]/.test(text)) return Number.isSafeInteger(number) ? number : BigInt(text)
  if (!isSameNumber(text, number)) return new ExactNumber(text, 'decimal')
  return Number.isInteger(number) ? new ExactNumber(text, 'double') : number
}

/** Whether the nearest double, printed, has the same digits as the text. */
function isSameNumber(text: string, number: number): boolean {
  if (!Number.isFinite(number)) return false
  const [mine, printed] = [significant(text), significant(String(number))]
  return mine.digits === printed.digits && mine.exponent === printed.exponent
}

function significant(text: string): { digits: string; exponent: number } {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)!
  const all = whole + fraction
  const fromFirst = all.replace(/^0+/, '')
  const digits = withoutZeros(fromFirst)
  if (digits === '') return { digits: '', exponent: 0 }
  const leading = all.length - fromFirst.length
  return { digits, exponent: Number(exponent) + whole.length - leading }
}
