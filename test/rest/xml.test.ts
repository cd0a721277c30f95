import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { textOf, charsetOfXml } from '../../src/sources/rest/formats/charset.ts'
import { readXml, type XmlElement } from '../../src/sources/rest/formats/xml-reader.ts'
import { parseXml } from '../../src/sources/rest/formats/xml.ts'
import { api } from '../support/api.ts'
import { load } from '../support/rest.ts'
import { fc } from '../support/seed.ts'

/** Python's reader, which is expat: each document as [name, attributes, content], or null where it is refused. */
const secondReader = `
import json, sys, xml.etree.ElementTree as tree
def shown(one):
    content = [one.text or '']
    for child in one:
        content += [shown(child), child.tail or '']
    return [one.tag, dict(one.attrib), content]
def read(text):
    try:
        return shown(tree.fromstring(text.encode('utf-8')))
    except tree.ParseError:
        return None
print(json.dumps([read(text) for text in json.load(sys.stdin)]))
`
type Shown = [name: string, attributes: Record<string, string>, content: (Shown | string)[]]

function bySecondReader(texts: readonly string[]): (Shown | null)[] {
  const { stdout, stderr, error } = spawnSync('python3', ['-c', secondReader], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  if (error !== undefined || stdout === '') throw new Error(`python3 is needed: ${String(error ?? stderr)}`)
  return JSON.parse(stdout) as (Shown | null)[]
}

/** The same for what our reader holds: text between two elements is one string. */
function shown({ name, attributes, content }: XmlElement): Shown {
  const joined: (Shown | string)[] = ['']
  for (const child of content) {
    if (typeof child === 'string') joined.push(String(joined.pop()) + child)
    else joined.push(shown(child), '')
  }
  return [name, Object.fromEntries(attributes), joined]
}

async function byUs(text: string): Promise<Shown | null> {
  try {
    return shown(await readXml(text))
  } catch {
    return null
  }
}

const names = fc.constantFrom(
  'a',
  'id',
  'value',
  '_text',
  'value_text',
  'id_attribute',
  'Name',
  'naïve',
  'x-y.z',
  '__proto__',
  'constructor',
)
const escapes: Record<string, (character: string) => string> = {
  hex: (character) => `&#x${character.codePointAt(0)!.toString(16)};`,
  decimal: (character) => `&#${character.codePointAt(0)!};`,
}
const character = fc.constantFrom(
  'x',
  'é',
  '😀',
  '’',
  ' ',
  '\n',
  '\t',
  '\r\n',
  '<',
  '>',
  '&',
  '"',
  "'",
  ']',
  '-',
  '\ufeff',
  '\u00a0',
  '\u2028',
)
const escaped = fc.tuple(character, fc.constantFrom('plain', 'hex', 'decimal')).map(([one, how]) => {
  if (how !== 'plain') return [...one].map(escapes[how]!).join('')
  return one
    .replace('&', '&amp;')
    .replace('<', '&lt;')
    .replace('>', '&gt;')
    .replace('"', '&quot;')
    .replace("'", '&apos;')
})
const text = fc.array(escaped, { maxLength: 6 }).map((parts) => parts.join(''))
const beside = fc.oneof(
  text,
  fc.array(character, { maxLength: 6 }).map((parts) => `<![CDATA[${parts.join('').replaceAll(']]>', '')}]]>`),
  fc.constantFrom('<!-- a <b> & c -->', "<?note it's ?>", '\n  '),
)
const attributes = fc
  .uniqueArray(fc.tuple(names, text, fc.constantFrom('"', "'")), { maxLength: 3, selector: ([name]) => name })
  .map((all) => all.map(([name, value, quote]) => ` ${name} = ${quote}${value}${quote}`).join(''))
const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(
      names,
      attributes,
      fc.array(fc.oneof({ maxDepth: 4, depthSize: 'small' }, beside, tie('element')), { maxLength: 5 }),
    )
    .map(([name, its, content]) =>
      content.length === 0 ? `<${name}${its}/>` : `<${name}${its} >${content.join('')}</${name}\n>`,
    ),
}))
const documents = fc
  .tuple(
    fc.constantFrom('', '<?xml version="1.0" encoding="UTF-8"?>\n', '<!-- first --><!DOCTYPE a SYSTEM "x>y">'),
    element,
    fc.constantFrom('', '\n<!-- last -->'),
  )
  .map((parts) => parts.join(''))
/** Elements of which a part is gone, doubled or replaced: few of them are XML. */
const damaged = fc
  .tuple(
    element,
    fc.nat(),
    fc.nat(8),
    fc.constantFrom(
      '',
      '<',
      '>',
      '&',
      '"',
      '&nbsp;',
      '&#0;',
      ']]>',
      '--',
      '</a>',
      '\u0001',
      '&#xD800;',
      '<?xml?>',
      '<![CDATA[',
    ),
  )
  .map(([whole, at, length, other]) => {
    const from = 1 + (at % whole.length)
    return (whole.slice(0, from) + other + whole.slice(from + length)).toWellFormed()
  })

describe('XML', () => {
  it('is read as a second reader reads it, or refused as by it', async () => {
    const texts = [...fc.sample(documents, 600), ...fc.sample(damaged, 1200)]
    const theirs = bySecondReader(texts)
    expect(theirs.filter((one) => one !== null).length).toBeGreaterThan(600)
    expect(theirs.filter((one) => one === null).length).toBeGreaterThan(200)
    for (const [at, one] of texts.entries()) expect({ one, read: await byUs(one) }).toEqual({ one, read: theirs[at] })
  })

  it('keeps every value as an object: nothing is lost, nothing is changed', async () => {
    const all = (value: unknown): string[] => {
      if (typeof value === 'string') return [value]
      return Object.values(value as object).flatMap(all)
    }
    await fc.assert(
      fc.asyncProperty(documents, async (one) => {
        const kept = new Map<string, number>()
        for (const value of all(await parseXml(one))) kept.set(value, (kept.get(value) ?? 0) + 1)
        const visit = ({ attributes, content }: XmlElement): void => {
          const own = content.filter((child) => typeof child === 'string').join('')
          const children = content.filter((child) => typeof child !== 'string')
          for (const [, value] of attributes) take(value)
          if (children.length === 0 && own.trim() !== '') take(own)
          children.forEach(visit)
        }
        const take = (value: string): void => {
          expect(kept.get(value) ?? 0).toBeGreaterThan(0)
          kept.set(value, kept.get(value)! - 1)
        }
        visit(await readXml(one))
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, string, unknown]>([
    [
      'an attribute and an element of one name',
      '<r><i id="a"><id>4</id></i></r>',
      { r: { i: { id: '4', id_attribute: 'a' } } },
    ],
    [
      'the same where only another row has both',
      '<r><i id="a"/><i id="b"><id>4</id></i></r>',
      { r: { i: [{ id_attribute: 'a' }, { id: '4', id_attribute: 'b' }] } },
    ],
    [
      'names that are taken too',
      '<r><i id="a"><id>1</id><id_attribute>2</id_attribute></i></r>',
      { r: { i: { id: '1', id_attribute: '2', id_attribute_: 'a' } } },
    ],
    [
      'an attribute called value beside text',
      '<r><l value="5">text</l></r>',
      { r: { l: { value: '5', value_text: 'text' } } },
    ],
    [
      'an element called value',
      '<r><value>1</value><value unit="kg">2</value></r>',
      { r: { value: ['1', { unit: 'kg', value: '2' }] } },
    ],
    ['an element called _text', '<r a="1"><_text>2</_text></r>', { r: { a: '1', _text: '2' } }],
    [
      'one element where others are several',
      '<r><o><l>1</l></o><o><l>2</l><l>3</l></o></r>',
      { r: { o: [{ l: ['1'] }, { l: ['2', '3'] }] } },
    ],
    ['an empty element', '<r><a/><b></b><c> </c></r>', { r: { a: '', b: '', c: ' ' } }],
    ['an empty element where others hold elements', '<r><o>\n</o><o><l>1</l></o></r>', { r: { o: [{}, { l: '1' }] } }],
    [
      'text between elements',
      '<r><p>Hello <b>dear</b> &amp; all</p></r>',
      { r: { p: { b: 'dear', value: 'Hello dear & all' } } },
    ],
    ['prefixes', '<r xmlns:d="u"><d:c>x</d:c></r>', { r: { 'xmlns:d': 'u', 'd:c': 'x' } }],
    ['a name that objects have', '<r><__proto__>x</__proto__></r>', { r: JSON.parse('{"__proto__":"x"}') }],
  ])('with %s', async (_what, text, expected) => {
    expect(await parseXml(text)).toEqual(expected)
  })

  it('makes lists of the elements that are declared as lists', async () => {
    expect(await parseXml('<r><o><l>1</l></o></r>', { lists: ['l'] })).toEqual({ r: { o: { l: ['1'] } } })
  })

  it.each([
    ['<r>&nbsp;</r>', /&nbsp; is no reference/],
    ['<r>\n<a>\n</b></r>', /line 3: expected <\/a>/],
    ['<!DOCTYPE r [<!ENTITY x "y">]><r/>', /declares entities/],
    [`${'<a>'.repeat(2000)}`, /more than 1000 deep/],
  ])('%# is refused with the reason', async (text, message) => {
    await expect(parseXml(text)).rejects.toThrow(message)
  })

  it.each<[string, Buffer]>([
    ['a declaration', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><r>Jos\xe9</r>', 'latin1')],
    ['a mark', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<r>José</r>', 'utf16le')])],
    ['two bytes a character without a mark', Buffer.from('<?xml version="1.0"?><r>José</r>', 'utf16le')],
    [
      'a mark that a declaration contradicts',
      Buffer.from('\ufeff<?xml version="1.0" encoding="ISO-8859-1"?><r>José</r>'),
    ],
    ['UTF-8, declared as UTF-16 by mistake', Buffer.from('<?xml version="1.0" encoding="utf-16"?><r>José</r>')],
  ])('in the character set told by %s', async (_what, bytes) => {
    expect(await parseXml(textOf(bytes, charsetOfXml(bytes)))).toEqual({ r: 'José' })
  })

  it('becomes rows whose values are those of the document, and a declared list a table', async () => {
    const target = await api((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' })
      response.end(
        Buffer.from(
          '<?xml version="1.0" encoding="windows-1252"?><f><o id="1"><note> \x80 5 &#8217; </note><l><sku>a</sku></l></o></f>',
          'latin1',
        ),
      )
    })
    const endpoint = { path: 'orders', dataSelector: 'f.o', xml: { lists: ['l'] } }
    const { rows } = await load(target, [{ name: 'orders', endpoint }])
    expect(await rows('orders')).toEqual([{ id: '1', note: ' € 5 ’ ' }])
    expect(await rows('orders__l')).toEqual([{ sku: 'a' }])
  })
})
