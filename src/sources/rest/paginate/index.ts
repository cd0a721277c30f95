import { wrongValue } from '../../../schema/index.ts'
import type { PaginatorSpec } from '../spec.ts'
import {
  cursorPaginator,
  headerCursorPaginator,
  headerLinkPaginator,
  jsonLinkPaginator,
  linkListPaginator,
} from './linked.ts'
import { offsetPaginator, pageNumberPaginator } from './numbered.ts'
import type { Paginator } from './paginator.ts'

export { detectPaginator } from './detect.ts'
export type { CustomPaginator, Page, Paginator } from './paginator.ts'

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
  offset: offsetPaginator,
  page_number: pageNumberPaginator,
  link_list: linkListPaginator,
  custom: (spec) => spec.create(),
}

const singlePage: Paginator = { first: () => undefined, next: () => false }

export function createPaginator(spec: PaginatorSpec): Paginator {
  const create = Object.hasOwn(paginators, spec.type) ? paginators[spec.type] : undefined
  if (create === undefined) throw wrongValue('paginator.type', spec.type, Object.keys(paginators))
  return (create as (spec: PaginatorSpec) => Paginator)(spec)
}
