import { PipelineError } from '../../../errors/index.ts'
import type { XmlOptions } from '../spec.ts'
import { NotInFormat } from './not-in-format.ts'
import { readXml, type XmlElement } from './xml-reader.ts'

/**
 * XML as objects, whose values are strings as any XML reader gives them. Elements and attributes have their names; text
 * beside either is `value`. An element that comes more than once in one place is a list in all such places of the document.
 */
export async function parseXml(text: string, { lists = [] }: XmlOptions = {}): Promise<Record<string, unknown>> {
  if (/^\s*<(!doctype\s+)?html/i.test(text)) throw new NotInFormat('an HTML page')
  const root = await readXml(text)
  const place = newPlace()
  survey(root, place)
  return { [root.name]: new Values(new Set(lists), 10 * text.length).of(root, place) }
}

/** What elements in the same place of a document have in common, such as all `item`s of `channel`s. */
interface Place {
  attributes: Set<string>
  elements: Map<string, Place>
  /** Elements that come more than once in one of them. */
  repeated: Set<string>
}

const newPlace = (): Place => ({ attributes: new Set(), elements: new Map(), repeated: new Set() })

function survey(element: XmlElement, place: Place): void {
  for (const [name] of element.attributes) place.attributes.add(name)
  const seen = new Set<string>()
  for (const child of element.content) {
    if (typeof child === 'string') continue
    if (seen.has(child.name)) place.repeated.add(child.name)
    seen.add(child.name)
    let below = place.elements.get(child.name)
    if (below === undefined) place.elements.set(child.name, (below = newPlace()))
    survey(child, below)
  }
}

interface Keys {
  attributes: Map<string, string>
  text: string
}

class Values {
  private readonly lists: ReadonlySet<string>
  private readonly keys = new Map<Place, Keys>()
  /** Characters that texts may still have: text of an element is also text of the elements around it. */
  private left: number

  constructor(lists: ReadonlySet<string>, mostText: number) {
    this.lists = lists
    this.left = mostText
  }

  of(element: XmlElement, place: Place): unknown {
    const { attributes, content } = element
    const holdsElements = content.some((child) => typeof child !== 'string')
    if (attributes.length === 0 && place.elements.size === 0) return this.textOf(element)
    const keys = this.keysOf(place)
    const entries: [string, unknown][] = attributes.map(([name, value]) => [keys.attributes.get(name)!, value])
    for (const [name, children] of childrenOf(element)) {
      const values = children.map((child) => this.of(child, place.elements.get(name)!))
      const isList = place.repeated.has(name) || this.lists.has(name)
      entries.push([name, isList ? values : values[0]])
    }
    // Between elements, white space only makes a document easier to read.
    const own = content.filter((child) => typeof child === 'string').join('')
    const isText = holdsElements || place.elements.size > 0 ? /[^ \t\n\r]/.test(own) : own !== ''
    if (!isText) return Object.fromEntries(entries)
    const text = this.textOf(element)
    return entries.length === 0 ? text : Object.fromEntries([...entries, [keys.text, text]])
  }

  private textOf(element: XmlElement): string {
    const text = textOf(element)
    this.left -= text.length
    if (this.left >= 0) return text
    throw new PipelineError(
      'elements of an XML document have ten times the text of the document, each that of all elements in it',
      {
        code: 'LIMIT_EXCEEDED',
        fix: 'ask the API for another format',
      },
    )
  }

  private keysOf(place: Place): Keys {
    let keys = this.keys.get(place)
    if (keys === undefined) this.keys.set(place, (keys = freeKeys(place)))
    return keys
  }
}

/** Elements keep their names. An attribute, or the text, whose name is that of an element gets another one. */
function freeKeys({ attributes, elements }: Place): Keys {
  const taken = new Set([...elements.keys(), ...attributes])
  const free = (name: string): string => {
    const key = taken.has(name) ? free(`${name}_`) : name
    taken.add(key)
    return key
  }
  const keyOf = (name: string): string => (elements.has(name) ? free(`${name}_attribute`) : name)
  return {
    attributes: new Map([...attributes].map((name) => [name, keyOf(name)])),
    text: taken.has('value') ? free('value_text') : 'value',
  }
}

function childrenOf({ content }: XmlElement): Map<string, XmlElement[]> {
  const children = new Map<string, XmlElement[]>()
  for (const child of content) {
    if (typeof child === 'string') continue
    const known = children.get(child.name)
    if (known === undefined) children.set(child.name, [child])
    else known.push(child)
  }
  return children
}

/** All text of an element in its order, also that of the elements in it. */
function textOf(element: XmlElement): string {
  const parts: string[] = []
  const collect = ({ content }: XmlElement): void => {
    for (const child of content) {
      if (typeof child === 'string') parts.push(child)
      else collect(child)
    }
  }
  collect(element)
  return parts.join('')
}
