import { PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestRequest, RestResponse } from '../request.ts'
import type { Field } from './fields.ts'
import { linkWith } from './linked.ts'
import { params, plainName } from './names.ts'
import type { PaginatorSpec } from './paginator-spec.ts'
import { nextOf } from './next-of.ts'
import { flagOf, headerSignals, isAddress, readSignals, type Read, wholeAt, type Signals } from './signals.ts'
import { suggestion } from './suggestion.ts'
import { cursorParam } from './cursor-param.ts'

/** The request as it was sent: its parameters show what the API calls them. */
type Sent = Pick<RestRequest, 'method' | 'url' | 'body'>

/**
 * Recognizes how an API pages from its first response. Throws `PAGING_UNKNOWN` when the response says that there is more
 * and not how to get it: one page is never loaded silently as if it were all.
 */
export function detectPaginator(
  response: RestResponse,
  rows: readonly unknown[],
  count = rows.length,
  sent: Sent = { method: 'GET', url: response.url, body: undefined },
): PaginatorSpec {
  const byHeaders = detectInHeaders(response)
  if (byHeaders !== undefined) return byHeaders
  const signals = readSignals(response, rows, count)
  const asked = askedFor(sent)
  const found =
    detectLink(signals) ??
    detectCursor(signals, response, count) ??
    detectNumbered(signals, count, asked) ??
    (signals.signs.length === 0 ? undefined : detectByRequest(signals, count, asked))
  if (found !== undefined) return sent.method === 'POST' && sent.body !== undefined ? intoBody(found) : found
  if (signals.signs.length === 0) return { type: 'single_page' }
  throw new PipelineError(
    `${response.url.origin}${response.url.pathname} has more pages (${signals.signs[0]}), but not how to get them`,
    { code: 'PAGING_UNKNOWN', fix: suggestion(signals) },
  )
}

/** Why a response cannot be all there is, in words; empty when nothing says so. */
export function signsOfMore(response: RestResponse, rows: readonly unknown[], count: number, read: Read): string[] {
  const { signs, larger } = readSignals(response, rows, count, read)
  return signs.length > 0 || larger === undefined ? signs : [larger]
}

/** Whether a response says that it is the last, or all there is. */
export function saysEnd(response: RestResponse, rows: readonly unknown[], count: number): boolean {
  const { isEnd, total, pages } = readSignals(response, rows, count)
  const { headers } = response
  const { pages: inHeader, total: totalHeader, range } = headerSignals(headers)
  return (
    isEnd ||
    total !== undefined ||
    pages !== undefined ||
    headers.has('link') ||
    inHeader !== undefined ||
    totalHeader !== undefined ||
    range?.total !== undefined
  )
}

function detectInHeaders({ headers }: RestResponse): PaginatorSpec | undefined {
  if (linkWith(headers.get('link'), 'next') !== undefined) return { type: 'header_link' }
  const { pages, page, next, range, json } = headerSignals(headers)
  if (pages !== undefined) return { type: 'page_number', basePage: page ?? 1, totalPath: null, totalHeader: pages }
  // Heroku and Cosmos DB: what came in a header is sent back in one.
  if (next === 'next-range') return { type: 'header_cursor', cursorKey: next, cursorHeader: 'Range' }
  if (next === 'x-ms-continuation') return { type: 'header_cursor', cursorKey: next, cursorHeader: next }
  const value = next === undefined ? undefined : headers.get(next)!
  if (next !== undefined && !isAddress(value)) {
    const param = next.replace(/^x-(?:ms-)?/, '').replace(/^(?:pagination-)?next-?/, '')
    if (/^(?:page|cursor|token|page-token|marker|offset|continuation(?:-?token)?)$/.test(param)) {
      const cursorParam = param.startsWith('continuation') ? 'continuationToken' : param.replace('-', '_')
      return { type: 'header_cursor', cursorKey: next, cursorParam }
    }
  }
  const ofJson = json?.fields.find((field) => /^(?:totalpages|lastpage|pagecount|pages)$/.test(field.name))
  if (ofJson !== undefined && wholeAt(ofJson) !== undefined) {
    const current = json!.fields.find(({ name }) => /^(?:page|currentpage|pagenumber)$/.test(name))
    const basePage = (current === undefined ? undefined : wholeAt(current)) ?? 1
    return { type: 'page_number', basePage, totalHeader: json!.header, totalPath: ofJson.path }
  }
  // PostgREST: rows are counted without a unit.
  if (range !== undefined && range.from === 0 && /^(?:items)?$/.test(range.unit) && range.total !== undefined) {
    return {
      type: 'offset',
      offsetParam: 'offset',
      limitParam: 'limit',
      limit: range.to + 1,
      totalPath: null,
      totalHeader: 'content-range',
    }
  }
  return undefined
}

function detectLink({ links, more }: Signals): PaginatorSpec | undefined {
  const rank = ({ value }: Field): number => {
    const link = Array.isArray(value) ? nextOf(value)! : String(value)
    return /^https?:/.test(link) ? 0 : link.startsWith('/') ? 1 : 2
  }
  const link = links.toSorted((a, b) => rank(a) - rank(b))[0]
  if (link === undefined) return undefined
  // Paddle links from the last page too.
  const ends = typeof more?.value === 'boolean' ? { stopWhen: isAt(more, false) } : {}
  return { type: 'json_link', nextUrlPath: link.path, ...ends }
}

function detectCursor(signals: Signals, { body }: RestResponse, count: number): PaginatorSpec | undefined {
  const { tokens, more } = signals
  const at = (path: string): unknown => jsonPath(path).first(body)
  const ends = more === undefined ? {} : { hasMorePath: more.path }
  for (const token of tokens) {
    // Where the number of pages is stated, they can be asked for at once.
    if (signals.pages !== undefined && wholeAt(token) !== undefined && token.name.endsWith('page')) continue
    const param = cursorParam(token, { signals, count, isList: at('object') === 'list' })
    if (param === undefined) continue
    return { type: 'cursor', cursorPath: token.path, cursorParam: param, ...(needsFlag(token) ? ends : {}) }
  }
  if (more === undefined || flagOf(more.value) !== true) return undefined
  const lastId = signals.fields.find(({ name, value }) => name === 'lastid' && typeof value === 'string')
  const isList = at('object') === 'list'
  // Stripe, and those who do as it does: the id of the last row. OpenAI and Anthropic repeat it next to the rows.
  if (lastId !== undefined) {
    return { type: 'cursor', cursorPath: lastId.path, cursorParam: isList ? 'after' : 'after_id', ...ends }
  }
  const id = at('data[-1].id')
  if (isList && (typeof id === 'string' || typeof id === 'number')) {
    return { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'starting_after', ...ends }
  }
  return undefined
}

/** A cursor that is not called the next one may be there on the last page too. */
const needsFlag = ({ name }: Field): boolean => !name.startsWith('next')

function detectNumbered(signals: Signals, count: number, asked: Asked): PaginatorSpec | undefined {
  const { page, pages, total, offset, size, signs } = signals
  const pageParam = asked.page ?? (page === undefined ? undefined : pageParamOf(page, pages))
  const ofPage = pageParam === undefined || pageParam === 'page' ? {} : { pageParam }
  if (pages !== undefined) {
    // The number the first page carries tells where counting begins; most APIs begin at 1.
    return { type: 'page_number', basePage: page === undefined ? 1 : wholeAt(page)!, totalPath: pages.path, ...ofPage }
  }
  if (signs.length === 0 && total === undefined) return undefined
  // SCIM counts from 1, and names the size otherwise in requests.
  const isScim = offset?.name === 'startindex' && wholeAt(offset) === 1 && size?.name === 'itemsperpage'
  const limitParam = asked.size ?? (isScim ? 'count' : size?.key)
  if (offset !== undefined && wholeAt(offset)! <= 1 && isKnownOffset(offset, size)) {
    const start = wholeAt(offset)!
    return {
      type: 'offset',
      offsetParam: asked.offset ?? offset.key,
      ...(start === 0 ? {} : { offset: start }),
      ...(limitParam === undefined ? {} : { limitParam }),
      ...limitOf(size, count),
      ...endOf(signals, start === 0),
    }
  }
  if (page === undefined || wholeAt(page)! > 1 || signs.length === 0) return undefined
  return { type: 'page_number', basePage: wholeAt(page)!, ...endOf(signals, false), ...ofPage }
}

/** Names of an offset with those of the size that goes with it; `startIndex` without a size may be anything. */
const offsetPairs: Record<string, RegExp> = {
  offset: /./,
  skip: /./,
  start: /^(?:limit|count|rows|size|perpage|pagesize)$/,
  startat: /^maxresults$/,
  startindex: /^(?:itemsperpage|resultsperpage|count|limit|pagesize)$/,
  from: /^(?:size|limit|count)$/,
}
const isKnownOffset = (offset: Field, size: Field | undefined): boolean =>
  !/opensearch/i.test(offset.key) &&
  offsetPairs[offset.name] !== undefined &&
  (size === undefined ? /^(?:offset|skip)$/.test(offset.name) : offsetPairs[offset.name]!.test(size.name))

function limitOf(size: Field | undefined, count: number): { limit?: number } {
  const limit = size === undefined ? count : wholeAt(size)!
  return limit > 0 ? { limit } : {}
}

/** A condition of `stopWhen`. */
const isAt = ({ path }: Field, value: boolean): string => `body${path.startsWith('[') ? '' : '.'}${path} == ${value}`

/** By a flag, where there is one; else by the total; else by an empty page. */
function endOf({ more, last, total }: Signals, countsRows: boolean) {
  if (more !== undefined) return { totalPath: null, hasMorePath: more.path }
  if (last !== undefined) return { totalPath: null, stopWhen: isAt(last, true) }
  return { totalPath: total === undefined || !countsRows ? null : total.path }
}

function pageParamOf({ name, key, path }: Field, pages: Field | undefined): string {
  // Strapi.
  if (path === 'meta.pagination.page' && pages?.key === 'pageCount') return 'pagination[page]'
  return /^(?:page|number|current|currentpage|curpage|currentpagenumber)$/.test(name) ? 'page' : key
}

interface Asked {
  page?: string
  offset?: string
  size?: string
  first: number
}

/** What the first request already said about its page, as the source's own parameters do. */
function askedFor({ url, body }: Sent): Asked {
  const asked: Asked = { first: 0 }
  for (const [key, value] of [...url.searchParams, ...Object.entries(body ?? {})]) {
    const name = plainName(key)
    if (!/^\d+$/.test(String(value))) continue
    if (params.size.test(name)) asked.size ??= key
    if (params.offset.test(name)) asked.offset ??= key
    if (params.page.test(name)) [asked.page, asked.first] = [key, Number(value)]
  }
  return asked
}

/** The response says that there is more, and the source's own parameters how to ask for it. */
function detectByRequest(signals: Signals, count: number, asked: Asked): PaginatorSpec | undefined {
  const { size, offset, page, first } = asked
  if (offset !== undefined && size !== undefined && count > 0) {
    return { type: 'offset', offsetParam: offset, limitParam: size, limit: count, ...endOf(signals, true) }
  }
  if (page === undefined) return undefined
  return { type: 'page_number', basePage: first, pageParam: page, ...endOf(signals, false) }
}

/** Where the request has a JSON body, its paging is there too. */
function intoBody(spec: PaginatorSpec): PaginatorSpec {
  switch (spec.type) {
    case 'cursor': {
      const { cursorParam, ...rest } = spec
      return { ...rest, cursorBodyPath: cursorParam ?? 'cursor' }
    }
    case 'offset': {
      const { offsetParam, limitParam, ...rest } = spec
      const limit = limitParam === undefined ? {} : { limitBodyPath: limitParam }
      return { ...rest, offsetBodyPath: offsetParam ?? 'offset', ...limit }
    }
    case 'page_number': {
      const { pageParam, ...rest } = spec
      return { ...rest, pageBodyPath: pageParam ?? 'page' }
    }
    default:
      return spec
  }
}
