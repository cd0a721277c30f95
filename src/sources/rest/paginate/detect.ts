import { PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestResponse } from '../request.ts'
import type { PaginatorSpec } from '../spec.ts'
import { linkWith } from './linked.ts'

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
  'next_link',
  'nextLink',
  "['@odata.nextLink']",
  'next_page',
  'nextPage',
  'paging.next',
  'paging.next.link',
  'pagination.next',
  'pagination.next_url',
  'meta.next',
  'meta.next_url',
  'meta.pagination.links.next',
  'info.next',
]

/** Fields that hold a cursor, with the parameter that usually takes it. */
const cursorFields: readonly (readonly [field: string, param: string])[] = [
  ['next_cursor', 'cursor'],
  ['nextCursor', 'cursor'],
  ['cursors.next', 'cursor'],
  ['meta.next_cursor', 'cursor'],
  ['pagination.next_cursor', 'cursor'],
  ['response_metadata.next_cursor', 'cursor'],
  ['paging.next.after', 'after'],
  ['paging.cursors.after', 'after'],
  ['pageInfo.endCursor', 'after'],
  ['next_page_token', 'page_token'],
  ['nextPageToken', 'pageToken'],
  ['continuation_token', 'continuation_token'],
]

const pageBlocks = ['', 'meta', 'pagination', 'paging', 'page_info', 'meta.pagination']
const join = (block: string, field: string): string => (block === '' ? field : `${block}.${field}`)

/** Signs of more pages that say nothing about how to get them. */
const moreSigns = ['has_more', 'hasMore', 'has_next', 'hasNextPage', 'pageInfo.hasNextPage', 'meta.has_more']

/**
 * Recognises how an API pages from its first answer. Throws `PAGING_UNKNOWN` when there are more rows but no way to
 * them that can be told: one page is never loaded silently as if it were all.
 */
export function detectPaginator(response: RestResponse, rows: readonly unknown[]): PaginatorSpec {
  if (linkWith(response.headers.get('link'), 'next') !== undefined) return { type: 'header_link' }
  const { body } = response
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { type: 'single_page' }
  // The answer is itself the row: its fields are data, not paging.
  if (rows[0] === body) return { type: 'single_page' }
  const rowCount = rows.length
  const at = (path: string): unknown => jsonPath(path).first(body)
  const link = linkFields.find((field) => isLink(at(field)))
  if (link !== undefined) return { type: 'json_link', nextUrlPath: link }
  const cursor = cursorFields.find(([field]) => isCursor(at(field)))
  if (cursor !== undefined) return { type: 'cursor', cursorPath: cursor[0], cursorParam: cursor[1] }
  return detectNumbered(at, rowCount) ?? refuseUnknown(at, response, rowCount)
}

const isLink = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/|\/|\?)/.test(value)
const isCursor = (value: unknown): boolean => (typeof value === 'string' && value !== '') || typeof value === 'number'

const first = (at: (path: string) => unknown, block: string, fields: string[]): string | undefined =>
  fields.map((field) => join(block, field)).find((path) => Number.isInteger(Number(at(path) ?? Number.NaN)))

function detectNumbered(at: (path: string) => unknown, rowCount: number): PaginatorSpec | undefined {
  for (const block of pageBlocks) {
    const page = first(at, block, ['page', 'current_page', 'currentPage', 'page_number', 'pageNumber'])
    const pages = first(at, block, ['total_pages', 'totalPages', 'last_page', 'pages', 'page_count', 'pageCount'])
    if (pages !== undefined) {
      // The number the first answer carries tells where counting begins; most APIs begin at 1.
      const basePage = page === undefined ? 1 : Number(at(page))
      return { type: 'page_number', basePage, totalPath: pages }
    }
    const offset = first(at, block, ['offset', 'skip', 'start'])
    const total = first(at, block, ['total', 'total_count', 'totalCount', 'total_records', 'count'])
    const limit = first(at, block, ['limit', 'per_page', 'page_size', 'pageSize'])
    if (offset !== undefined && total !== undefined && Number(at(offset)) === 0) {
      const size = limit === undefined ? rowCount : Number(at(limit))
      const offsetParam = offset.split('.').at(-1)!
      return { type: 'offset', totalPath: total, offsetParam, ...(size > 0 ? { limit: size } : {}) }
    }
  }
  return undefined
}

function refuseUnknown(at: (path: string) => unknown, response: RestResponse, rowCount: number): PaginatorSpec {
  const sign = moreSigns.find((field) => at(field) === true)
  const total = pageBlocks
    .flatMap((block) => ['total', 'total_count', 'totalCount', 'count'].map((field) => join(block, field)))
    .find((path) => Number(at(path)) > rowCount)
  if (sign === undefined && total === undefined) return { type: 'single_page' }
  const why =
    sign === undefined ? `"${total}" is ${String(at(total!))} but the page has ${rowCount} rows` : `"${sign}" is true`
  throw new PipelineError(
    `${response.url.origin}${response.url.pathname} has more pages (${why}), but not how to get them`,
    {
      code: 'PAGING_UNKNOWN',
      fix: 'declare endpoint.paginator, for example { type: "cursor", cursorPath: …, cursorParam: … }',
    },
  )
}
