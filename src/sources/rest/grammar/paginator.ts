import type { PaginatorSpec } from '../paginate/paginator-spec.ts'
import { code, either, flag, orNull, text, variants, whole, type UnionShape } from './shape.ts'

const sized = { stopAfterEmptyPage: flag, hasMorePath: orNull(text), pageSize: whole, stopWhen: text }
const textOrWhole = either(text, whole)

const paginatorTypes = variants<PaginatorSpec>(
  {
    auto: {},
    single_page: {},
    json_link: { nextUrlPath: text, stopWhen: text },
    json_response: { nextUrlPath: text, stopWhen: text },
    header_link: { linksNextKey: text, stopWhen: text },
    header_cursor: {
      cursorKey: text,
      cursorParam: text,
      cursorBodyPath: text,
      cursorHeader: text,
      initialCursor: textOrWhole,
      stopWhen: text,
    },
    cursor: {
      cursorPath: text,
      cursorParam: text,
      cursorBodyPath: text,
      cursorHeader: text,
      initialCursor: textOrWhole,
      ...sized,
    },
    keyset: {
      keyPath: text,
      keyParam: text,
      keyBodyPath: text,
      keyHeader: text,
      initialKey: textOrWhole,
      ...sized,
    },
    offset: {
      limit: whole,
      offset: whole,
      offsetParam: text,
      offsetBodyPath: text,
      offsetHeader: text,
      limitParam: text,
      limitBodyPath: text,
      limitHeader: text,
      totalPath: orNull(text),
      totalHeader: text,
      maximumOffset: orNull(whole),
      ...sized,
    },
    page_number: {
      basePage: whole,
      page: whole,
      pageParam: text,
      pageBodyPath: text,
      pageHeader: text,
      totalPath: orNull(text),
      totalHeader: text,
      maximumPage: orNull(whole),
      ...sized,
    },
    link_list: { linksPath: text, stopWhen: text },
    custom: { create: code },
  },
  {
    link_list: ['linksPath'],
    custom: ['create'],
  },
)
/** The keys of every type of paginator. */
export const paginator: UnionShape = { kind: 'union', types: paginatorTypes }
