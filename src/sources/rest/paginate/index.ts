import { wrongValue } from '../../../schema/index.ts'
import { condition } from '../condition.ts'
import {
  cursorPaginator,
  headerCursorPaginator,
  headerLinkPaginator,
  jsonLinkPaginator,
  keysetPaginator,
  linkListPaginator,
} from './linked.ts'
import { offsetPaginator, pageNumberPaginator } from './numbered.ts'
import type { PaginatorSpec } from './paginator-spec.ts'
import type { Paginator } from './paginator.ts'

export { detectPaginator, saysEnd, signsOfMore } from './detect.ts'
export { missingPart } from './missing-path.ts'
export { askedSize } from './page-size.ts'
export type { CustomPaginator } from './paginator-spec.ts'
export type { Page, Paginator } from './paginator.ts'

type Specs = { [S in PaginatorSpec as S['type']]: S }
const paginators: { [T in keyof Specs]: (spec: Specs[T]) => Paginator } = {
  // Detection happens on the first answer; until then nothing is known.
  auto: () => singlePage,
  single_page: () => singlePage,
  json_link: jsonLinkPaginator,
  // dlt's name for it before.
  json_response: jsonLinkPaginator,
  header_link: headerLinkPaginator,
  header_cursor: headerCursorPaginator,
  cursor: cursorPaginator,
  keyset: keysetPaginator,
  offset: offsetPaginator,
  page_number: pageNumberPaginator,
  link_list: linkListPaginator,
  custom: (spec) => spec.create(),
}

const singlePage: Paginator = { first: () => undefined, next: () => false }

export function createPaginator(spec: PaginatorSpec): Paginator {
  const create = Object.hasOwn(paginators, spec.type) ? paginators[spec.type] : undefined
  if (create === undefined) throw wrongValue('paginator.type', spec.type, Object.keys(paginators))
  const paginator = (create as (spec: PaginatorSpec) => Paginator)(spec)
  return 'stopWhen' in spec && spec.stopWhen !== undefined ? stopping(paginator, spec.stopWhen) : paginator
}

/** Ends with the page for which a condition holds. Every page has to be seen, so none is asked for ahead. */
function stopping(paginator: Paginator, text: string): Paginator {
  const holds = condition(text)
  return {
    first: (request) => paginator.first(request),
    next: (request, page) => {
      const { status, body, headers } = page.response
      return holds({ status, body, headers, rows: page.rows }) ? false : paginator.next(request, page)
    },
  }
}
