import type { Paginator } from './paginator.ts'

/** A page is the last one when this holds: a condition such as `body.more == 'no'`, or a function in code. */
interface Stop {
  stopWhen?: string
}

interface Sized extends Stop {
  stopAfterEmptyPage?: boolean
  hasMorePath?: string | null
  /** A page with fewer rows than this is the last one, unless the first page already has fewer than were asked for. */
  pageSize?: number
}

/** A `{name}` in the endpoint's path takes the place of the parameter of that name, for every kind of paging. */
export interface OffsetSpec extends Sized {
  type: 'offset'
  limit?: number
  offset?: number
  offsetParam?: string
  offsetBodyPath?: string
  offsetHeader?: string
  limitParam?: string
  limitBodyPath?: string
  limitHeader?: string
  totalPath?: string | null
  /** The header that holds the number of rows: a number, `items 0-24/250`, or JSON with `totalPath` inside it. */
  totalHeader?: string
  maximumOffset?: number | null
}

export interface PageNumberSpec extends Sized {
  type: 'page_number'
  basePage?: number
  page?: number
  pageParam?: string
  pageBodyPath?: string
  pageHeader?: string
  totalPath?: string | null
  /** The header that holds the number of pages: a number, or JSON with `totalPath` inside it. */
  totalHeader?: string
  maximumPage?: number | null
}

export interface CursorSpec extends Sized {
  type: 'cursor'
  cursorPath?: string
  cursorParam?: string
  cursorBodyPath?: string
  cursorHeader?: string
  /** Sent with the first request. */
  initialCursor?: string | number
}

/** The key of a page's last row is where the next page begins. */
export interface KeysetSpec extends Sized {
  type: 'keyset'
  /** Field of a row. @default 'id' */
  keyPath?: string
  /** @default 'after' */
  keyParam?: string
  keyBodyPath?: string
  keyHeader?: string
  initialKey?: string | number
}

export interface HeaderCursorSpec extends Stop {
  type: 'header_cursor'
  cursorKey?: string
  cursorParam?: string
  cursorBodyPath?: string
  cursorHeader?: string
  initialCursor?: string | number
}

export interface JsonLinkSpec extends Stop {
  type: 'json_link'
  nextUrlPath?: string
}

/** dlt's older name of `json_link`. */
export interface JsonResponseSpec extends Stop {
  type: 'json_response'
  nextUrlPath?: string
}

export interface HeaderLinkSpec extends Stop {
  type: 'header_link'
  linksNextKey?: string
}

/** The first answer lists the addresses of all others: Chaport's `links.more`. */
export interface LinkListSpec extends Stop {
  type: 'link_list'
  linksPath: string
}

export interface AutoSpec {
  type: 'auto'
}

export interface SinglePageSpec {
  type: 'single_page'
}

/** A paginator of one's own: `{ type: 'custom', create: () => ({ first, next }) }`. */
export interface CustomPaginator {
  type: 'custom'
  create(): Paginator
}

export type PaginatorSpec =
  | AutoSpec
  | SinglePageSpec
  | JsonLinkSpec
  | JsonResponseSpec
  | HeaderLinkSpec
  | HeaderCursorSpec
  | CursorSpec
  | KeysetSpec
  | OffsetSpec
  | PageNumberSpec
  | LinkListSpec
  | CustomPaginator
/** Kinds that need no options. */
export type PaginatorName = Exclude<PaginatorSpec, CustomPaginator | LinkListSpec>['type']
export type PaginatorOf<T extends PaginatorSpec['type']> = Extract<PaginatorSpec, { type: T }>
