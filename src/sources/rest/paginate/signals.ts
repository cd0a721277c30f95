import { excerpt } from '../../../errors/index.ts'
import type { RestResponse } from '../request.ts'
import { fieldsOutsideRows, type Field } from './fields.ts'
import { linkWith } from './linked.ts'
import { hintsAtMore, names, plainName } from './names.ts'
import { nextOf } from './next-of.ts'

/** What a response says about pages, sorted by what it could be used for. */
export interface Signals {
  fields: readonly Field[]
  links: Field[]
  tokens: Field[]
  /** A flag that is true on every page but the last. */
  more: Field | undefined
  /** A flag that is false on every page but the last. */
  last: Field | undefined
  page: Field | undefined
  pages: Field | undefined
  total: Field | undefined
  offset: Field | undefined
  size: Field | undefined
  /** Why there are more pages, in words; empty when nothing says so. */
  signs: string[]
  /** A total above the rows that came, in words; outweighed by a flag that says that this is the end. */
  larger: string | undefined
  /** Something says in so many words that this is the last page. */
  isEnd: boolean
}

/** What a series of pages has brought so far, this page among it. */
export interface Read {
  rows: number
  pages: number
}

export function readSignals(
  response: RestResponse,
  rows: readonly unknown[],
  count: number,
  read: Read = { rows: count, pages: 1 },
): Signals {
  const fields = fieldsOutsideRows(response.body, rows).filter((field) => !isEcho(field, response))
  const near = fields.filter((field) => field.isNear)
  const find = (isIt: (field: Field) => boolean): Field | undefined => near.find(isIt)
  const whole = (name: RegExp) => (field: Field) => name.test(field.name) && wholeAt(field) !== undefined
  const page = find(whole(names.page)) ?? find((field) => /^pages?$/.test(field.parent) && field.name === 'number')
  const pages = find(whole(names.pages))
  const ofRows = fields.find(({ value }) => Array.isArray(value) && value.length > 0 && value[0] === rows[0])?.name
  const totals = fields.filter((field) => isTotal(field, ofRows))
  const flags = fields.filter((field) => names.more.test(field.name) && flagOf(field.value) !== undefined)
  const signals: Signals = {
    fields,
    links: fields.filter(isLinkToNext),
    tokens: fields.filter(isToken).toSorted((a, b) => vagueness(a) - vagueness(b)),
    more: flags.find((field) => flagOf(field.value) === true) ?? flags[0],
    last: find((field) => names.last.test(field.name) && typeof field.value === 'boolean'),
    page,
    pages,
    total: totals.toSorted((a, b) => wholeAt(b)! - wholeAt(a)!)[0],
    offset: find(whole(names.offset)),
    size: find((field) => whole(names.size)(field) && wholeAt(field)! > 0),
    signs: [],
    larger: undefined,
    isEnd: endsInWords(response, fields),
  }
  signals.larger = largerTotal(signals, count, read)
  signals.signs = [...signsInHeaders(response, count, read), ...signsInBody(signals, count, read)]
  return signals
}

function signsInBody(signals: Signals, count: number, read: Read): string[] {
  const { links, tokens, more, last, page, pages, isEnd } = signals
  const signs: string[] = []
  const add = (field: Field | undefined): void => {
    if (field !== undefined) signs.push(`"${field.path}" is ${shown(field.value)}`)
  }
  if (!isEnd) {
    // Once there were several pages, a position may also be that of this page.
    add(links[0] ?? (read.pages === 1 ? tokens[0] : undefined))
    if (flagOf(more?.value) === true) add(more)
    if (last?.value === false) add(last)
    if (read.pages === 1) add(signals.fields.find((field) => field.isNear && (isStoredPlace(field) || isHint(field))))
  }
  if (pages !== undefined && wholeAt(pages)! > read.pages && isBefore(page, pages)) add(pages)
  if (!isEnd && signals.larger !== undefined) signs.push(signals.larger)
  if (signs.length === 0 && !isEnd && isFull(signals, count)) {
    signs.push(`"${signals.size!.path}" is ${count}, and so many rows came`)
  }
  return signs
}

function largerTotal({ total, offset }: Signals, count: number, read: Read): string | undefined {
  const position = offset === undefined ? 0 : wholeAt(offset)!
  if (total === undefined || wholeAt(total)! <= Math.max(read.rows, position + count)) return undefined
  return `"${total.path}" is ${shown(total.value)} but ${rowsRead(count, read)}`
}

/** Repeats a parameter of the request, as `offset` and `cursor` of some envelopes do. */
const isEcho = ({ name, value, parent }: Field, { url }: RestResponse): boolean =>
  (names.nearToken.test(name) || parent === 'cursors') &&
  [...url.searchParams].some(([key, sent]) => plainName(key) === name && sent === String(value))

/** Names of a next position come before those that only may be one, text before numbers. */
const vagueness = ({ name, value }: Field): number =>
  (names.token.test(name) ? 0 : 2) + (typeof value === 'string' ? 0 : 1)

/** The place of this page is stated, and it is as long as pages are. */
function isFull({ size, page, offset, total, pages }: Signals, count: number): boolean {
  if (size === undefined || total !== undefined || pages !== undefined) return false
  return (page !== undefined || offset !== undefined) && size.name !== 'count' && wholeAt(size) === count
}

/** Counting begins with the number of the first page, 0 or 1. */
const isBefore = (page: Field | undefined, pages: Field): boolean => {
  const number = page === undefined ? 1 : wholeAt(page)!
  return number === 0 ? wholeAt(pages)! > 1 : number < wholeAt(pages)!
}

/** A name and a value that are not understood, and could only be about more. */
const isHint = ({ key, value }: Field): boolean =>
  hintsAtMore(key) && (value === true || isAddress(value) || (isLiveToken(value) && !isDate(value)))

const isDate = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value)

/** An object or list where a position of the next page would be: `LastEvaluatedKey`, `continue`, `queries.nextPage`. */
const isStoredPlace = ({ name, parent, value }: Field): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length > 0 &&
  (/^(?:lastevaluatedkey|continue|continuation|nextkey|nextcursor|nexttoken|cursormark)$/.test(name) ||
    (Array.isArray(value) && /^(?:next|nextpage)$/.test(name) && parent !== 'links'))

const endsInWords = ({ headers }: RestResponse, fields: readonly Field[]): boolean =>
  headers.get('x-has-more') === 'false' ||
  headers.get('x-next-page') === '' ||
  fields.some(
    ({ name, value, isNear }) =>
      (names.more.test(name) && (flagOf(value) === false || (name === 'next' && isNothing(value)))) ||
      (isNear && names.last.test(name) && flagOf(value) === true) ||
      (isNear && names.link.test(name) && isNothing(value)) ||
      (names.token.test(name) && isNothing(value)),
  )

const isNothing = (value: unknown): boolean => value === null || value === '' || value === false

/** A whole number, also one that is spelled as text. */
export function wholeAt({ value }: Pick<Field, 'value'>): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : undefined
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}

/** True, false and the usual words for them. */
export function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  if (/^(?:true|yes|y)$/i.test(value)) return true
  return /^(?:false|no|n)$/i.test(value) ? false : undefined
}

/** `total` and its kin, or a total of what the rows are called: `total_transactions`, `issuesCount`. */
function isTotal(field: Field, rowsName: string | undefined): boolean {
  if (wholeAt(field) === undefined) return false
  if (
    rowsName !== undefined &&
    field.isNear &&
    [`total${rowsName}`, `${rowsName}total`, `${rowsName}count`].includes(field.name)
  )
    return true
  const isValue = field.parent === 'total' && field.name === 'value'
  if (!isValue && !names.total.test(field.name)) return false
  if (field.isNear) return true
  return names.clearTotal.test(field.name) && field.name !== 'totals'
}

const address = /^(?:https?:\/\/|\/|\?)/
export const isAddress = (value: unknown): value is string => typeof value === 'string' && address.test(value)

function isLinkToNext({ name, parent, value, isNear }: Field): boolean {
  if (Array.isArray(value)) return isNear && /links?$/.test(name) && nextOf(value) !== undefined
  if (!isAddress(value)) return false
  return names.link.test(name) || (names.address.test(name) && names.link.test(parent))
}

function isToken({ name, parent, value, isNear }: Field): boolean {
  if (!isLiveToken(value)) return false
  if (names.token.test(name)) return !isAddress(value)
  if (!isNear || isAddress(value)) return false
  // Facebook and HubSpot keep the position in an object for it.
  if (names.nearToken.test(name)) return name !== 'offset' || isPosition(value)
  return (
    /^(?:next|nextpage|cursors?)$/.test(parent) && /^(?:next|after|cursor|token|page|offset|startingafter)$/.test(name)
  )
}

/** The offset of this page is 0; one that is not, or is no number, is the offset of the next. */
const isPosition = (value: unknown): boolean => wholeAt({ value }) !== 0

const isLiveToken = (value: unknown): boolean =>
  typeof value === 'string'
    ? value !== '' && !/^(?:null|none|undefined|false|true|no|yes|-1|0|end|eof)$/i.test(value.trim())
    : (typeof value === 'number' || typeof value === 'bigint') && value > 0

/** A header that names the next page: `X-Next-Page`, `X-Next-Cursor`, `X-MS-Continuation`. */
const nextHeader =
  /^(?:x-(?:[a-z]+-)?)?(?:next-(?:page|cursor|token|page-token|marker|offset|range|link|url|key|id)|continuation(?:-?token)?|(?:pagination-)?next|cursor|page-token|pagination-cursor)$/
const moreHeader =
  /^(?:x-(?:[a-z]+-)?)?(?:has-more|has-next|has-next-page|more|truncated|more-results|has-more-[a-z]+)$/
const totalHeader =
  /^(?:x-(?:(?!(?:rate|ratelimit|quota|retry|request|cache|page|pages)-)[a-z]+-)?)?(?:pagination-)?(?:total|total-count|total-results|total-items|total-records|total-rows|total-size|count)$/
const pagesHeader = /^(?:x-(?:[a-z]+-)?)?(?:pagination-)?(?:total-?pages|page-count|pages|pages-count|last-page)$/

export interface HeaderSignals {
  pages: string | undefined
  page: number | undefined
  next: string | undefined
  more: string | undefined
  total: string | undefined
  range: ContentRange | undefined
  /** A header whose value is JSON about pages. */
  json: { header: string; fields: Field[] } | undefined
}

export function headerSignals(headers: Headers): HeaderSignals {
  const all = [...headers]
  const named = (pattern: RegExp, isLive: (value: string) => boolean): string | undefined =>
    all.find(([name, value]) => pattern.test(name) && isLive(value))?.[0]
  const isWhole = (value: string): boolean => /^\d+$/.test(value)
  const page = named(/^(?:x-)?(?:pagination-)?(?:page|current-?page|page-number)$/, isWhole)
  return {
    pages: named(pagesHeader, isWhole),
    page: page === undefined ? undefined : Number(headers.get(page)),
    next: named(nextHeader, (value) => isLiveToken(value) && !/^\s*[[{]/.test(value)),
    more: named(moreHeader, (value) => flagOf(value) === true || value === '1'),
    total: named(totalHeader, isWhole),
    range: contentRange(headers),
    json: jsonHeader(all),
  }
}

export interface ContentRange {
  unit: string
  from: number
  to: number
  total: number | undefined
}

function contentRange(headers: Headers): ContentRange | undefined {
  const match = /^(?:([\w-]+)[ =])?\s*(\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '')
  if (match === null) return undefined
  const [, unit = '', from, to, total] = match
  return { unit, from: Number(from), to: Number(to), total: total === '*' ? undefined : Number(total) }
}

function jsonHeader(headers: readonly (readonly [string, string])[]): HeaderSignals['json'] {
  for (const [header, value] of headers) {
    if (!/pag(?:e|ing|ination)/.test(header) || !value.trim().startsWith('{')) continue
    try {
      return { header, fields: fieldsOutsideRows(JSON.parse(value), []) }
    } catch {
      continue
    }
  }
  return undefined
}

function signsInHeaders({ headers, status }: RestResponse, count: number, read: Read): string[] {
  const found = headerSignals(headers)
  const signs: string[] = []
  const add = (header: string | undefined): void => {
    if (header !== undefined) signs.push(`the header "${header}" is ${shown(headers.get(header))}`)
  }
  if (linkWith(headers.get('link'), 'next') !== undefined) signs.push('the header "Link" names a next page')
  add(found.next)
  add(found.more)
  if (found.pages !== undefined && Number(headers.get(found.pages)) > (found.page ?? read.pages)) add(found.pages)
  if (found.total !== undefined && Number(headers.get(found.total)) > read.rows) {
    signs.push(`"${found.total}" is ${headers.get(found.total)} but ${rowsRead(count, read)}`)
  }
  const { range, json } = found
  if (range?.total !== undefined && range.unit !== 'bytes' && range.to + 1 < range.total) add('content-range')
  else if (status === 206 && signs.length === 0 && range?.total === undefined)
    signs.push('the status is 206, partial content')
  const hasNext = json?.fields.some(
    (field) =>
      isLinkToNext(field) ||
      isToken(field) ||
      (names.more.test(field.name) && flagOf(field.value) === true) ||
      (names.pages.test(field.name) &&
        isBefore(
          json.fields.find(({ name }) => names.page.test(name)),
          field,
        )),
  )
  if (hasNext === true) add(json!.header)
  return signs
}

const rowsRead = (count: number, read: Read): string =>
  read.pages === 1 ? `the page has ${count} rows` : `${read.rows} rows were read`

const shown = (value: unknown): string => excerpt(JSON.stringify(value) ?? String(value), 60)
