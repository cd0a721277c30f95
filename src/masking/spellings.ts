import { readingsOf, unitsOf, type Units } from './escapes.ts'
import { folded, foldedCode } from './folded.ts'

/** One way in which a secret may be written, folded. */
export interface Spelling {
  codes: Uint16Array
  /** It is hidden only where it is a word of its own: `test` does not hide a part of `latest`. */
  isWord: boolean
  /** Nothing was dropped from it by folding, so its letters must follow each other: `mart` does not hide `am art`. */
  isGapless: boolean
  /** What stands before or after it belongs to it, too: a character of Base64 that holds some of its bits, or one that is dropped. */
  before: Edge
  after: Edge
  /** Compared without folding, which would leave too little of it. */
  isExact: boolean
}
type Edge = 'none' | 'bits' | 'dropped'

/** Shorter values occur in too many texts by chance to be masked. */
export const shortestSecret = 4
const shortGap = 12

/** What people would read as a word or a number. */
const word = /^(?:[A-Z]?[a-z]{3,10}|\d{4,10})$/

/** Every way in which a secret is looked for. Escapes need no spellings: they are taken off the text. */
export function spellingsOf(secret: string): Spelling[] {
  const isWord = word.test(secret)
  const found: Spelling[] = []
  // A key that was written with escapes, such as \n for its line ends, may be shown without them.
  for (const units of readingsOf(secret))
    add(found, units, { isWord, before: edgeOf(units, 0), after: edgeOf(units, units.length - 1) })
  if (found.length === 0) {
    const texts = [secret, secret.replaceAll(/\s+/g, ' ')].flatMap((text) => [text, text.replaceAll(' ', '+')])
    for (const text of new Set(texts)) if (text.length >= shortestSecret) found.push(exactSpelling(text))
  }
  // A body that is sent back in Base64 holds it as JSON or a form does.
  for (const text of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())]))
    addBase64(found, Buffer.from(text))
  const hex = Buffer.from(secret).toString('hex')
  for (const text of [hex, hex.toUpperCase()]) add(found, unitsOf(text), {})
  return found
}

/** What is the same in Base64 whatever stands before and after, for each number of bytes before. */
function addBase64(found: Spelling[], bytes: Buffer): void {
  for (const offset of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const end = 8 * (offset + bytes.length)
    const text = whole.slice(Math.ceil((8 * offset) / 6), Math.floor(end / 6))
    add(found, unitsOf(text), { before: offset > 0 ? 'bits' : 'none', after: end % 6 > 0 ? 'bits' : 'none' })
  }
}

const edgeOf = ({ codes }: Units, at: number): Edge => (foldedCode[codes[at]!] === 0 ? 'dropped' : 'none')

const plain = { isWord: false, isGapless: false, isExact: false, before: 'none', after: 'none' } as const

const exactSpelling = (text: string): Spelling => ({ ...plain, codes: unitsOf(text).codes, isExact: true })

function add(found: Spelling[], units: Units, options: Partial<Spelling>): void {
  const { codes, length } = folded(units)
  if (length < shortestSecret) return
  const isGapless = length === units.length && length < shortGap
  found.push({ ...plain, ...options, codes: codes.slice(0, length), isGapless })
}
