import { PipelineError } from '../../../errors/index.ts'
import { Pauses } from '../../../timers/index.ts'
import { NotInFormat } from './not-in-format.ts'

/** An element as it stands in a document; `content` has elements and text in their order. */
export interface XmlElement {
  name: string
  attributes: (readonly [name: string, value: string])[]
  content: (XmlElement | string)[]
}

/**
 * Reads XML 1.0 and returns its root: references are characters, CDATA is text, comments and processing instructions are
 * left out, names keep their prefix. A document that is not well-formed, or that declares entities, throws `NotInFormat`, one of more
 * than two million elements and attributes `LIMIT_EXCEEDED`. A long document is read with pauses.
 */
export async function readXml(text: string): Promise<XmlElement> {
  const clean: string[] = []
  const pauses = new Pauses()
  for (const piece of pieces(text)) {
    // https://www.w3.org/TR/xml/#sec-line-ends
    const lines = piece.includes('\r') ? piece.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : piece
    const control = lines.search(notXml)
    if (control >= 0) throw wrong(clean.join('') + lines.slice(0, control), 'a character that XML does not allow')
    clean.push(lines)
    await pauses.take()
  }
  return new XmlReader(clean.join('')).root(pauses)
}

const pieceLength = 4 * 1024 * 1024

/** Text in pieces that no pair of characters is cut by. */
function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + pieceLength, text.length)
    while (/[\r\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end < text.length) end += 1
    yield text.slice(at, end)
    at = end
  }
}

const start =
  ':A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const nameText = `[${start}][${start}\\-.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040]*`
const openingTag = new RegExp(`<(${nameText})`, 'uy')
const closingTag = new RegExp(`</(${nameText})[ \\t\\n]*>`, 'uy')
const attribute = new RegExp(`[ \\t\\n]+(${nameText})[ \\t\\n]*=[ \\t\\n]*(?:"([^"<]*)"|'([^'<]*)')`, 'uy')
const instruction = new RegExp(`<\\?(${nameText})(?=[ \\t\\n?])`, 'uy')
const tagEnd = /[ \t\n]*(\/?)>/y
const doctype = /<!DOCTYPE[ \t\n](?:[^"'[>]|"[^"]*"|'[^']*')*([[>])/y
// oxlint-disable-next-line no-control-regex
const notXml = /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
const reference = /&(?:#x([\da-fA-F]+)|#(\d+)|([^\s&;]+));|&/g
const entities = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])
const deepest = 1000
/** Elements and attributes. Each takes some hundred bytes of memory. */
const mostNodes = 2_000_000

class XmlReader {
  private readonly text: string
  private at = 0
  private readonly open: XmlElement[] = []
  private found: XmlElement | undefined
  private hasDoctype = false
  private nodes = 0

  constructor(text: string) {
    this.text = text
  }

  async root(pauses: Pauses): Promise<XmlElement> {
    for (let steps = 1; this.at < this.text.length; steps++) {
      this.readNext()
      if (steps % 1000 === 0 && pauses.isDue) await pauses.take()
    }
    if (this.open.length > 0) throw this.wrong(`<${this.open.at(-1)!.name}> is not closed`)
    if (this.found === undefined) throw this.wrong('it has no element')
    return this.found
  }

  private readNext(): void {
    const { text, at } = this
    if (text[at] !== '<') return this.readCharacters()
    if (text.startsWith('</', at)) return this.closeElement()
    if (text.startsWith('<!--', at)) return this.skipComment()
    if (text.startsWith('<![CDATA[', at)) return this.readCdata()
    if (text.startsWith('<?', at)) return this.skipInstruction()
    if (text.startsWith('<!', at)) return this.skipDoctype()
    this.openElement()
  }

  private readCharacters(): void {
    const end = this.text.indexOf('<', this.at)
    const raw = this.text.slice(this.at, end < 0 ? undefined : end)
    const element = this.open.at(-1)
    if (element === undefined && /[^ \t\n]/.test(raw)) throw this.wrong('there is text outside of the root element')
    if (raw.includes(']]>')) throw this.wrong(']]> ends no CDATA')
    element?.content.push(this.decoded(raw))
    this.at += raw.length
  }

  private openElement(): void {
    if (this.found !== undefined && this.open.length === 0) throw this.wrong('a second root element follows')
    const [tag, name] = this.match(openingTag) ?? []
    if (tag === undefined) throw this.wrong('a < that begins no tag')
    const element: XmlElement = { name: name!, attributes: [], content: [] }
    const keys = new Set<string>()
    this.countNode()
    for (let found = this.match(attribute); found !== undefined; found = this.match(attribute)) {
      const [, key, double, single] = found
      if (keys.size === keys.add(key!).size) throw this.wrong(`the attribute ${key} comes twice`)
      this.countNode()
      element.attributes.push([key!, this.decoded((double ?? single)!.replace(/[\t\n]/g, ' '))])
    }
    const end = this.match(tagEnd)
    if (end === undefined) throw this.wrong(`the tag <${name} is not well-formed`)
    this.open.at(-1)?.content.push(element)
    this.found ??= element
    if (end[1] === '/') return
    if (this.open.length === deepest) throw this.wrong(`elements are nested more than ${deepest} deep`)
    this.open.push(element)
  }

  private countNode(): void {
    this.nodes += 1
    if (this.nodes <= mostNodes) return
    throw new PipelineError(`an XML document has more than ${mostNodes.toLocaleString('en')} elements and attributes`, {
      code: 'LIMIT_EXCEEDED',
      fix: 'ask for smaller pages, or for CSV or JSON lines, which are read row by row',
    })
  }

  private closeElement(): void {
    const element = this.open.at(-1)
    const [, name] = this.match(closingTag) ?? []
    if (element === undefined || element.name !== name) {
      throw this.wrong(`expected ${element === undefined ? 'no closing tag' : `</${element.name}>`}`)
    }
    this.open.pop()
  }

  private readCdata(): void {
    const element = this.open.at(-1)
    if (element === undefined) throw this.wrong('there is text outside of the root element')
    element.content.push(this.upTo(']]>', '<![CDATA['.length))
  }

  private skipComment(): void {
    this.upTo('--', '<!--'.length)
    if (this.text[this.at] !== '>') throw this.wrong('-- in a comment')
    this.at += 1
  }

  private skipInstruction(): void {
    const isFirst = this.at === 0
    const [, target] = this.match(instruction) ?? []
    if (target === undefined) throw this.wrong('a <? that begins nothing')
    if (target.toLowerCase() === 'xml' && !isFirst) throw this.wrong('the XML declaration does not come first')
    this.upTo('?>', 0)
  }

  private skipDoctype(): void {
    const [, end] = this.match(doctype) ?? []
    if (end === '[') throw new NotInFormat('XML that declares entities of its own')
    if (end === undefined || this.hasDoctype || this.found !== undefined) throw this.wrong('a <! that begins nothing')
    this.hasDoctype = true
  }

  /** The text from `skip` characters on, up to a mark, behind which reading goes on. */
  private upTo(mark: string, skip: number): string {
    const end = this.text.indexOf(mark, this.at + skip)
    if (end < 0) throw this.wrong(`${mark} is missing`)
    const content = this.text.slice(this.at + skip, end)
    this.at = end + mark.length
    return content
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match
  }

  private decoded(raw: string): string {
    if (!raw.includes('&')) return raw
    return raw.replace(reference, (whole, hex?: string, decimal?: string, entity?: string) => {
      if (hex !== undefined) return this.character(Number.parseInt(hex, 16), whole)
      if (decimal !== undefined) return this.character(Number(decimal), whole)
      const character = entity === undefined ? undefined : entities.get(entity)
      if (character === undefined) throw this.wrong(`${whole} is no reference that XML has`)
      return character
    })
  }

  private character(code: number, whole: string): string {
    const known = code <= 0x10ffff && (code === 0xd || !notXml.test(String.fromCodePoint(code)))
    if (!known) throw this.wrong(`${whole} is no character that XML allows`)
    return String.fromCodePoint(code)
  }

  private wrong(what: string): NotInFormat {
    return wrong(this.text.slice(0, this.at), what)
  }
}

/** The text before a fault tells its line. */
function wrong(before: string, what: string): NotInFormat {
  let line = 1
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1
  return new NotInFormat(`text that is not XML (line ${line}: ${what})`)
}
