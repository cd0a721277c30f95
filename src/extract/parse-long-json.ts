import { Pauses } from '../timers/index.ts'
import { parseJson } from './parse-json.ts'
import { mostValues, ValueCount } from './value-count.ts'

/** Characters that are parsed at once: a few milliseconds. */
const mebibyte = 1024 * 1024
/** Below so many levels, a value is parsed as a whole. */
const deepestPieces = 16

/**
 * The same as `parseJson`. Text of more than two pieces is parsed piece by piece, with pauses between them, and `LIMIT_EXCEEDED` is
 * thrown when it has more than ten million values. `pieceLength` is in characters.
 */
export async function parseLongJson(text: string, pieceLength = mebibyte): Promise<unknown> {
  if (text.length <= 2 * pieceLength) return parseJson(text)
  try {
    return await new PieceParser(text, pieceLength).parse()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Parsed as a whole, the error says where in the text it is.
    return parseJson(text)
  }
}

type Container = unknown[] | Record<string, unknown>

/** Follows the brackets down to lists and objects of many members, and parses so many members at once as make a piece. */
class PieceParser {
  private readonly text: string
  private readonly pieceLength: number
  private readonly pauses = new Pauses()
  /** Lists and objects that have not ended, outermost first. */
  private readonly open: Container[] = []
  private readonly count: ValueCount | undefined
  private at = 0

  constructor(text: string, pieceLength: number) {
    this.text = text
    this.pieceLength = pieceLength
    // Shorter text cannot have too many values.
    if (text.length > 2 * mostValues) this.count = new ValueCount()
  }

  async parse(): Promise<unknown> {
    if (this.text.charCodeAt(0) === 0xfeff) this.at = 1
    this.skipBlanks()
    const value = await this.value(0)
    this.skipBlanks()
    if (this.at < this.text.length) throw new SyntaxError('text follows the document')
    return value
  }

  private async value(depth: number): Promise<unknown> {
    const isContainer = this.text[this.at] === '{' || this.text[this.at] === '['
    if (isContainer && depth < deepestPieces) return this.container(depth)
    const start = this.at
    this.at = this.memberEnd(start, Infinity)
    // A number is seen to be long by what is around it.
    const [value] = this.parsed(`[${this.text.slice(start, this.at)}]`) as unknown[]
    return value
  }

  private async container(depth: number): Promise<Container> {
    const isList = this.text[this.at] === '['
    const whole: Container = isList ? [] : {}
    const close = isList ? ']' : '}'
    let guess = isList
    this.open.push(whole)
    this.at += 1
    this.skipBlanks()
    if (this.text[this.at] === close) {
      this.at += 1
      this.open.pop()
      return whole
    }
    for (;;) {
      const piece: Container | undefined = guess ? this.guessedPiece() : undefined
      guess &&= piece !== undefined
      if (piece !== undefined) append(whole, piece)
      else await this.readPiece(whole, depth)
      await this.pauses.take()
      this.skipBlanks()
      const mark = this.text[this.at]
      this.at += 1
      if (mark === close) {
        this.open.pop()
        return whole
      }
      if (mark !== ',') throw new SyntaxError('a comma is missing')
      this.skipBlanks()
    }
  }

  /**
   * Members of a list of rows, up to the first one that begins, beyond the length of a piece, as this one does. Other text may look the
   * same; what is cut off there does not parse, because it ends within a string or leaves a bracket open.
   */
  private guessedPiece(): unknown[] | undefined {
    const { text, at, pieceLength } = this
    const row = this.rowAt(at)
    if (row === undefined) return undefined
    let found = text.indexOf(row.opening, at + pieceLength)
    // Rows within rows may have the same first key.
    for (let tries = 0; found >= 0 && this.rowAt(found)?.secondKey !== row.secondKey; tries++) {
      found = tries < 1000 ? text.indexOf(row.opening, found + 1) : -1
    }
    if (found < 0 || found > at + 4 * pieceLength) return undefined
    let end = found - 1
    while (isBlank(text.charCodeAt(end))) end -= 1
    if (text[end] !== ',') return undefined
    try {
      const piece = this.parsed(`[${text.slice(at, end)}]`) as unknown[]
      this.at = end
      return piece
    } catch (error) {
      if (error instanceof SyntaxError) return undefined
      throw error
    }
  }

  private rowAt(at: number): { opening: string; secondKey: string | undefined } | undefined {
    rowStart.lastIndex = at
    const match = rowStart.exec(this.text)
    return match === null ? undefined : { opening: match[1]!, secondKey: match[2] }
  }

  /** Members up to the length of a piece; of one that is longer, its own members. */
  private async readPiece(whole: Container, depth: number): Promise<void> {
    const { text } = this
    const start = this.at
    let end = start
    for (let from = start; ; from = end + 1) {
      const next = this.memberEnd(from, start + this.pieceLength)
      if (next < 0) break
      if (next === from) throw new SyntaxError('a member is missing')
      end = next
      if (text[end] !== ',') break
    }
    if (end > start) {
      const piece = text.slice(start, end)
      append(whole, this.parsed(Array.isArray(whole) ? `[${piece}]` : `{${piece}}`) as Container)
      this.at = end
      return
    }
    if (Array.isArray(whole)) {
      whole.push(await this.value(depth + 1))
      return
    }
    const keyEnd = this.stringEnd(start)
    const key = JSON.parse(text.slice(start, keyEnd)) as string
    this.at = keyEnd
    this.skipBlanks()
    if (text[this.at] !== ':') throw new SyntaxError('a colon is missing')
    this.at += 1
    this.skipBlanks()
    setOwn(whole, key, await this.value(depth + 1))
  }

  /** The position of the comma or bracket after a member; negative when the member goes on beyond `limit`. */
  private memberEnd(from: number, limit: number): number {
    const { text } = this
    let depth = 0
    for (let at = from; at < text.length && at < limit; at++) {
      switch (text.charCodeAt(at)) {
        case quote:
          at = this.stringEnd(at) - 1
          break
        case openList:
        case openObject:
          depth += 1
          break
        case closeList:
        case closeObject:
          if (depth === 0) return at
          depth -= 1
          break
        case comma:
          if (depth === 0) return at
      }
    }
    return limit < text.length ? -1 : text.length
  }

  /** The position after a string, as far as its closing quote goes. */
  private stringEnd(from: number): number {
    const { text } = this
    for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
      let backslashes = 0
      while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes += 1
      if (backslashes % 2 === 0) return end + 1
    }
    throw new SyntaxError('a string has no end')
  }

  private parsed(json: string): unknown {
    const value = parseJson(json)
    this.count?.add(json, value, this.open)
    return value
  }

  private skipBlanks(): void {
    while (isBlank(this.text.charCodeAt(this.at))) this.at += 1
  }
}

const [quote, comma, backslash] = [34, 44, 92]
const [openList, closeList, openObject, closeObject] = [91, 93, 123, 125]
const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

/** The bracket and the first key of a row, and its second key where the first value is short. */
const rowStart =
  /(\{\s{0,100}"[^"\\]{1,100}"):(?:\s{0,100}(?:"[^"\\]{0,200}"|[^\s"{}[\],]{1,40}),\s{0,100}"([^"\\]{1,100})")?/y

function append(whole: Container, piece: Container): void {
  if (Array.isArray(whole)) for (const value of piece as unknown[]) whole.push(value)
  else for (const [key, value] of Object.entries(piece)) setOwn(whole, key, value)
}

/** A plain assignment to `__proto__` would change the prototype instead of adding a key. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}
