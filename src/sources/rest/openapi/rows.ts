import { isAside, isUsualName } from '../row-names.ts'
import { isNode, type ApiDocument, type Node } from './document.ts'

/** Where an answer holds its rows, and what a row looks like. */
export interface Rows {
  /** `$` for an answer that is the list, or the row. */
  selector: string
  isList: boolean
  row: Node
}

const searchDepth = 3

/** `isDetail`: the path ends in the key of one thing. */
export function findRows(document: ApiDocument, answer: Node, isDetail: boolean): Rows | undefined {
  const items = itemsOf(document, answer)
  if (items !== undefined) return { selector: '$', isList: true, row: items }
  const found = lists(document, answer, [], new Set())
  const own = propertiesOf(document, answer)
  // A row that happens to have lists has a key of its own, or a path of its own.
  const isWrapped = found.some(({ named, place }) => named && place.length === 1)
  const isRow = found.length > 0 && !isWrapped && (isDetail || keyOf(document, answer) !== undefined)
  const best = found.find(({ named }) => named) ?? found.toSorted((a, b) => a.place.length - b.place.length)[0]
  if (best !== undefined && !isRow) return { selector: best.place.map(segment).join('.'), isList: true, row: best.row }
  return Object.keys(own).length === 0 ? undefined : { selector: '$', isList: false, row: answer }
}

const segment = (key: string): string => (/^[\w-]+$/.test(key) ? key : `['${key}']`)

interface Found {
  place: string[]
  row: Node
  named: boolean
}

function lists(document: ApiDocument, schema: Node, place: string[], seen: ReadonlySet<Node>): Found[] {
  if (place.length >= searchDepth || seen.has(schema)) return []
  const inside = new Set([...seen, schema])
  return Object.entries(propertiesOf(document, schema)).flatMap(([key, given]): Found[] => {
    if (isAside(key)) return []
    const property = document.at(given)
    const row = itemsOf(document, property)
    const at = [...place, key]
    if (row !== undefined) {
      // Lists of texts or numbers are rarely what a list endpoint is about.
      const named = [key, ...place].some(isUsualName)
      return Object.keys(propertiesOf(document, row)).length === 0 && !named ? [] : [{ place: at, row, named }]
    }
    return lists(document, property, at, inside)
  })
}

/** What a list holds; `undefined` for what is no list. */
function itemsOf(document: ApiDocument, schema: Node): Node | undefined {
  if (isArray(schema) || 'items' in schema) return document.at(schema.items)
  const parts = [...document.list(schema.allOf), ...document.list(schema.oneOf), ...document.list(schema.anyOf)]
  const list = parts.find((one) => isArray(one))
  return list === undefined ? undefined : document.at(list.items)
}
const isArray = ({ type }: Node): boolean => type === 'array' || (Array.isArray(type) && type.includes('array'))

/** The properties of an object, with those of the parts it is made of. Of alternatives, the first. */
export function propertiesOf(document: ApiDocument, schema: Node, depth = 0): Node {
  if (depth > 8) return {}
  const parts = [
    ...document.list(schema.allOf),
    ...document.list(schema.oneOf).slice(0, 1),
    ...document.list(schema.anyOf).slice(0, 1),
  ]
  const inherited = parts.map((part) => propertiesOf(document, part, depth + 1))
  return Object.assign({}, ...inherited, isNode(schema.properties) ? schema.properties : {}) as Node
}

/** The property that tells rows apart, when one looks like it. */
export function keyOf(document: ApiDocument, row: Node, entity = ''): string | undefined {
  const properties = propertiesOf(document, row)
  const names = Object.keys(properties).filter((name) => isScalar(document.at(properties[name])))
  const singular = entity.replace(/ies$/, 'y').replace(/s$/, '')
  const plain = (name: string): string => name.replace(/[_-]/g, '').toLowerCase()
  const wanted = [
    'id',
    '_id',
    'uuid',
    'guid',
    'gid',
    'sid',
    `${plain(singular)}id`,
    `${plain(singular)}uuid`,
    'objectid',
    'uid',
  ]
  for (const want of wanted) {
    const found = names.find((name) => plain(name) === plain(want))
    if (found !== undefined) return found
  }
  return names.find((name) => document.at(properties[name]).format === 'uuid')
}

const isScalar = ({ type, properties, items }: Node): boolean =>
  properties === undefined && items === undefined && type !== 'object' && type !== 'array'

export const typeOf = ({ type }: Node): string | undefined =>
  Array.isArray(type) ? (type.find((one) => one !== 'null') as string | undefined) : (type as string | undefined)
