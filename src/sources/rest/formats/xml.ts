import { withDriver } from '../../../errors/index.ts'
import { NotInFormat } from './not-in-format.ts'

/**
 * XML as objects: attributes and elements by their names, the text beside attributes as `value`, values as texts. An
 * element that comes once is a value, one that is repeated a list. A document that declares entities is refused.
 */
export async function parseXml(text: string): Promise<unknown> {
  const { XMLParser, XMLValidator } = await withDriver(
    'reading XML',
    ['fast-xml-parser'],
    () => import('fast-xml-parser'),
  )
  if (/<!DOCTYPE[^>]*\[/i.test(text)) throw new NotInFormat('XML that declares entities of its own')
  if (/^\s*<(!doctype\s+)?html/i.test(text)) throw new NotInFormat('an HTML page')
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw new NotInFormat(`text that is not XML (${valid.err.msg} in line ${valid.err.line})`)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    textNodeName: 'value',
    parseTagValue: false,
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
  })
  return parser.parse(text) as unknown
}
