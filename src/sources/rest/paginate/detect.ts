import { PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestResponse } from '../request.ts'
import { linkWith } from './linked.ts'
import type { PaginatorSpec } from './paginator-spec.ts'

/** Fields that hold the address of the next page, most telling first. */
const linkFields = [
  'links.next',
  'links.next.href',
  '_links.next.href',
  '_links.next',
  'next',
  'next.href',
  'next.url',
  'next_url',
  'nextUrl',
  'next_page_url',
  'nextPageUrl',
  'next_link',
  'nextLink',
  "['@odata.nextLink']",
  "['odata.nextLink']",
  "['page.next']",
  "['hydra:view']['hydra:next']",
  'nextRecordsUrl',
  'next_page',
  'next_page.uri',
  'nextPage',
  'paging.next',
  'paging.next.link',
  'pagination.next',
  'pagination.next_url',
  'pagination.next_link',
  'pages.next',
  'meta.next',
  'meta.next_url',
  'meta.next_page_url',
  'meta.pagination.links.next',
  'info.next',
]

/** Fields that hold a cursor, with the parameter that usually takes it. */
const cursorFields: readonly (readonly [field: string, param: string])[] = [
  ['next_cursor', 'cursor'],
  ['nextCursor', 'cursor'],
  ['cursors.next', 'cursor'],
  ['cursor.next', 'cursor'],
  ['meta.next_cursor', 'cursor'],
  ['meta.nextCursor', 'cursor'],
  ['meta.after_cursor', 'page[after]'],
  ['meta.next_token', 'pagination_token'],
  ['meta.pagination.next_cursor', 'cursor'],
  ['pagination.next_cursor', 'cursor'],
  ['pagination.nextCursor', 'cursor'],
  ['pagination.next_token', 'next_token'],
  ['response_metadata.next_cursor', 'cursor'],
  ['paging.next.after', 'after'],
  ['paging.cursors.after', 'after'],
  ['pages.next.starting_after', 'starting_after'],
  ['pageInfo.endCursor', 'after'],
  ['page_info.end_cursor', 'after'],
  ['additional_data.pagination.next_start', 'start'],
  ['additional_data.next_cursor', 'cursor'],
  ['next_page_token', 'page_token'],
  ['nextPageToken', 'pageToken'],
  ['next_token', 'next_token'],
  ['nextToken', 'nextToken'],
  ['NextToken', 'NextToken'],
  ['continuation_token', 'continuation_token'],
  ['continuationToken', 'continuationToken'],
]

const pageBlocks = [
  '',
  'meta',
  'pagination',
  'paging',
  'page',
  'page_info',
  'pageInfo',
  'pages',
  'meta.pagination',
  'metadata',
]
const join = (block: string, field: string): string => (block === '' ? field : `${block}.${field}`)

const pageNames = ['page', 'current_page', 'currentPage', 'page_number', 'pageNumber', 'number']
const pagesNames = [
  'total_pages',
  'totalPages',
  'last_page',
  'lastPage',
  'pages',
  'page_count',
  'pageCount',
  'num_pages',
  'nbPages',
]
const totalNames = [
  'total',
  'total_count',
  'totalCount',
  'total_records',
  'totalRecords',
  'total_results',
  'totalResults',
  'total_items',
  'totalItems',
  'totalSize',
  'nbHits',
  'count',
]
/** Names of an offset, with the name of the size that goes with it. */
const offsetNames: readonly (readonly [offset: string, sizes: readonly string[]])[] = [
  ['offset', ['limit', 'per_page', 'page_size', 'pageSize', 'count']],
  ['skip', ['limit', 'take', 'top']],
  ['start', ['limit', 'count', 'rows']],
  ['startAt', ['maxResults']],
  ['start_at', ['max_results']],
  ['startIndex', ['itemsPerPage', 'count']],
]
const pagesHeaders = ['x-total-pages', 'x-wp-totalpages', 'x-page-count', 'x-pagination-page-count']
const totalHeaders = ['x-total-count', 'x-total', 'x-pagination-total-count', 'total-count']

/** Signs of more pages that say nothing about how to get them. */
const moreSigns = [
  'has_more',
  'hasMore',
  'has_next',
  'hasNext',
  'hasNextPage',
  'has_next_page',
  'pageInfo.hasNextPage',
  'meta.has_more',
  'meta.hasMore',
  'pagination.has_more',
  'pagination.hasMore',
  'pagination.has_next',
]

/**
 * Recognises how an API pages from its first answer. Throws `PAGING_UNKNOWN` when there are more rows but no way to
 * them that can be told: one page is never loaded silently as if it were all.
 */
export function detectPaginator(response: RestResponse, rows: readonly unknown[], count = rows.length): PaginatorSpec {
  const { body, headers } = response
  if (linkWith(headers.get('link'), 'next') !== undefined) return { type: 'header_link' }
  const byHeaders = detectInHeaders(headers)
  if (byHeaders !== undefined) return byHeaders
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return lastResort(() => undefined, response, count)
  // The answer is itself the row: its fields are data, not paging.
  if (rows[0] === body) return { type: 'single_page' }
  const at = (path: string): unknown => jsonPath(path).first(body)
  const link = linkFields.find((field) => isLink(at(field)))
  if (link !== undefined) return { type: 'json_link', nextUrlPath: link }
  return detectCursor(at) ?? detectNumbered(at, count) ?? lastResort(at, response, count)
}

const isLink = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/|\/|\?)/.test(value)
const isCursor = (value: unknown): boolean => (typeof value === 'string' && value !== '') || typeof value === 'number'

type At = (path: string) => unknown

function detectInHeaders(headers: Headers): PaginatorSpec | undefined {
  const pages = pagesHeaders.find((name) => /^\d+$/.test(headers.get(name) ?? ''))
  if (pages === undefined) return undefined
  return { type: 'page_number', basePage: Number(headers.get('x-page') ?? 1), totalPath: null, totalHeader: pages }
}

function detectCursor(at: At): PaginatorSpec | undefined {
  const found = cursorFields.find(([field]) => isCursor(at(field)))
  if (found !== undefined) {
    const [cursorPath, cursorParam] = found
    // Notion marks its lists, and has a name of its own.
    const isNotion = cursorPath === 'next_cursor' && at('object') === 'list'
    return { type: 'cursor', cursorPath, cursorParam: isNotion ? 'start_cursor' : cursorParam }
  }
  // Airtable: an offset that is no number is a cursor.
  const offset = at('offset')
  if (typeof offset === 'string' && !/^\d*$/.test(offset)) {
    return { type: 'cursor', cursorPath: 'offset', cursorParam: 'offset' }
  }
  // Stripe, and those who do as it does: the id of the last row.
  if (at('object') === 'list' && at('has_more') === true && isCursor(at('data[-1].id'))) {
    return { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'starting_after', hasMorePath: 'has_more' }
  }
  return undefined
}

const first = (at: At, block: string, fields: readonly string[]): string | undefined =>
  fields.map((field) => join(block, field)).find((path) => isWhole(at(path)))

const isWhole = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isInteger(value)) || (typeof value === 'string' && /^\d+$/.test(value))

function detectNumbered(at: At, rowCount: number): PaginatorSpec | undefined {
  for (const block of pageBlocks) {
    const page = first(at, block, pageNames)
    const pages = first(at, block, pagesNames)
    if (pages !== undefined) {
      // The number the first answer carries tells where counting begins; most APIs begin at 1.
      return { type: 'page_number', basePage: page === undefined ? 1 : Number(at(page)), totalPath: pages }
    }
    const total = first(at, block, totalNames)
    const found = offsetNames.find(([name]) => isWhole(at(join(block, name))) && Number(at(join(block, name))) === 0)
    if (found === undefined || total === undefined) continue
    const [offsetParam, sizes] = found
    const size = first(at, block, sizes)
    const limit = size === undefined ? rowCount : Number(at(size))
    const limitParam = size?.split('.').at(-1)
    return {
      type: 'offset',
      totalPath: total,
      offsetParam,
      ...(limitParam === undefined ? {} : { limitParam }),
      ...(limit > 0 ? { limit } : {}),
    }
  }
  return undefined
}

/** One page, unless something says that there are more. */
function lastResort(at: At, { url, headers }: RestResponse, rowCount: number): PaginatorSpec {
  const sign = moreSigns.find((field) => at(field) === true)
  const total = pageBlocks
    .flatMap((block) => totalNames.map((field) => join(block, field)))
    .find((path) => isWhole(at(path)) && Number(at(path)) > rowCount)
  const header = totalHeaders.find((name) => Number(headers.get(name) ?? 0) > rowCount)
  if (sign === undefined && total === undefined && header === undefined) return { type: 'single_page' }
  const stated = total === undefined ? headers.get(header ?? 'total') : at(total)
  const why =
    sign === undefined
      ? `"${total ?? header}" is ${String(stated)} but the page has ${rowCount} rows`
      : `"${sign}" is true`
  throw new PipelineError(`${url.origin}${url.pathname} has more pages (${why}), but not how to get them`, {
    code: 'PAGING_UNKNOWN',
    fix: 'declare endpoint.paginator, for example { type: "cursor", cursorPath: …, cursorParam: … }',
  })
}
