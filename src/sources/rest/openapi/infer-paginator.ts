import type { ApiDocument, Node } from './document.ts'
import type { Parameter, ReadOperation } from './operations.ts'
import { propertiesOf } from './rows.ts'

/** How an operation pages, in the words of a source file, with the parameters that make pages large. */
export interface InferredPaging {
  /** Undefined: the description does not tell. */
  paginator: Record<string, unknown> | undefined
  params: Record<string, unknown>
}

const linkNames = /^(next|next_?url|next_?link|next_?page_?url|next_?href|@odata\.nextlink|nextrecordsurl)$/i
const cursorNames =
  /^(next_?cursor|next_?token|next_?page_?token|next_?page_?id|end_?cursor|after_?cursor|continuation(_?token)?|next_?marker|cursor|after|starting_?after|next_?start|scroll_?id)$/i
const nextNames = /^(next|end|after|continuation)_?(cursor|token|page_?token|page_?id|page|marker|start|offset|key)$/i
const cursorParams =
  /^(cursor|after|page_?token|next_?token|next_?page_?token|starting_?after|start_?cursor|page_?cursor|continuation(_?token)?|pagination_?token|marker|scroll_?id|next_?cursor|page\[after\])$/i
const pageParams = /^(page|page_?number|page_?num|page_?no|page_?index|current_?page|page\[number\])$/i
const offsetParams = /^(offset|skip|start|start_?at|start_?index|from|page\[offset\]|\$skip)$/i
const sizeParams =
  /^(limit|per_?page|page_?size|size|max_?results|count|take|top|\$top|page_?limit|items_?per_?page|results_?per_?page|page\[size\]|page\[limit\])$/i
const totalPagesNames = /^(total_?pages|page_?count|last_?page|num_?pages|pages)$/i
const totalNames = /^(total|total_?count|total_?results|total_?items|total_?records|total_?elements|total_?size)$/i
const moreNames = /^(has_?more|has_?next|has_?next_?page|more|is_?truncated)$/i

export function inferPaging(document: ApiDocument, operation: ReadOperation): InferredPaging {
  const query = operation.parameters.filter((one) => one.in === 'query')
  const size = query.find((one) => sizeParams.test(one.name))
  const fields = fieldsOf(document, operation.answer)
  const at = (pattern: RegExp, isKind: (schema: Node) => boolean): string | undefined =>
    fields.find(({ name, schema }) => pattern.test(name) && isKind(schema))?.path
  const params = sizeParam(size)
  const found = (paginator: Record<string, unknown>): InferredPaging => ({ paginator, params })

  const link = at(linkNames, isLink)
  const cursorParam = query.find((one) => cursorParams.test(one.name))
  const cursor = at(cursorNames, isText)
  const hasMore = at(moreNames, ({ type }) => type === 'boolean')
  const total = at(totalNames, isNumber)
  if (operation.headers.includes('link')) return found({ type: 'header_link' })
  if (link !== undefined) return found({ type: 'json_link', next_url_path: link })
  if (cursor !== undefined && cursorParam !== undefined) {
    const more = hasMore === undefined ? {} : { has_more_path: hasMore }
    return found({ type: 'cursor', cursor_path: cursor, cursor_param: cursorParam.name, ...more })
  }
  const page = query.find((one) => pageParams.test(one.name))
  if (page !== undefined) {
    const pages = at(totalPagesNames, isNumber)
    const stops = hasMore !== undefined && pages === undefined ? { has_more_path: hasMore } : {}
    return found({
      type: 'page_number',
      base_page: basePage(page),
      ...named('page', page),
      total_path: pages ?? null,
      ...stops,
    })
  }
  // Stripe, and those who do as it does: the id of the last row.
  if (cursorParam !== undefined && /^(starting_?)?after$/i.test(cursorParam.name) && hasMore !== undefined) {
    const list = operation.rows.selector === '$' ? '$' : operation.rows.selector
    return found({
      type: 'cursor',
      cursor_path: `${list}[-1].id`,
      cursor_param: cursorParam.name,
      has_more_path: hasMore,
    })
  }
  const offset = query.find((one) => offsetParams.test(one.name) && isNumber(one.schema))
  if (offset === undefined || size === undefined) return { paginator: undefined, params }
  const limit = Number(params[size.name] ?? 100)
  const more = hasMore !== undefined && total === undefined ? { has_more_path: hasMore } : {}
  return {
    paginator: {
      type: 'offset',
      limit,
      ...named('offset', offset),
      ...named('limit', size),
      total_path: total ?? null,
      ...more,
    },
    params: {},
  }
}

/** Whether a response has a field about further pages. */
export const showsMore = (document: ApiDocument, { answer }: ReadOperation): boolean =>
  fieldsOf(document, answer).some(({ name }) =>
    [linkNames, nextNames, moreNames, totalNames, totalPagesNames].some((pattern) => pattern.test(name)),
  )

const named = (kind: 'page' | 'offset' | 'limit', { name }: Parameter): Record<string, string> =>
  name === kind ? {} : { [`${kind}_param`]: name }

const isText = ({ type }: Node): boolean =>
  type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'))
const isNumber = ({ type }: Node): boolean =>
  type === 'integer' ||
  type === 'number' ||
  (Array.isArray(type) && (type.includes('integer') || type.includes('number')))
/** A next link is a text that is said to be an address, or is called one. */
const isLink = (schema: Node): boolean => isText(schema) && schema.type !== undefined

/** Pages begin with what the parameter says, else with 1, as most do. */
function basePage({ schema }: Parameter): number {
  const stated = schema.default ?? schema.minimum
  return stated === 0 || stated === 1 ? stated : 1
}

/** The largest page that the description allows. */
function sizeParam(size: Parameter | undefined): Record<string, unknown> {
  if (size === undefined) return {}
  const inText = /\b(?:max(?:imum)?|up to|at most|between \d+ and)\b[^.\d]{0,30}(\d{2,4})\b/i.exec(
    size.description,
  )?.[1]
  const most = Number(size.schema.maximum ?? inText)
  return Number.isInteger(most) && most > 0 ? { [size.name]: Math.min(most, 1000) } : {}
}

interface Field {
  name: string
  path: string
  schema: Node
}

/** Fields about the answer: its own, and those of objects in it, not those of rows. */
function fieldsOf(document: ApiDocument, schema: Node, place = '', depth = 0): Field[] {
  if (depth > 3) return []
  const own = Object.entries(propertiesOf(document, schema)).map(([name, given]) => ({
    name,
    path: join(place, name),
    schema: document.at(given),
  }))
  const inner = own.filter(
    (one) =>
      one.schema.items === undefined &&
      /^(meta|metadata|paging|pagination|page|page_?info|links|_links|next|next_?page|cursors?|response_?metadata|pages|\$?metadata|data|info)$/i.test(
        one.name,
      ),
  )
  const href = inner.filter((one) => /^next$/i.test(one.name)).flatMap((one) => nextParts(document, one))
  return [...own, ...href, ...inner.flatMap((one) => fieldsOf(document, one.schema, one.path, depth + 1))]
}

/** `next: { href }` and `next: { url }` are links as well. */
const nextParts = (document: ApiDocument, next: Field): Field[] =>
  Object.entries(propertiesOf(document, next.schema))
    .filter(([name]) => /^(href|url|uri|link)$/.test(name))
    .map(([name, given]) => ({ name: 'next', path: join(next.path, name), schema: document.at(given) }))

const join = (place: string, name: string): string => {
  const key = /^[\w-]+$/.test(name) ? name : `['${name}']`
  return place === '' ? key : `${place}.${key}`
}
