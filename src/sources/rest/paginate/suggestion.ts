import type { Signals } from './signals.ts'

/** What to paste into the source file: the declaration that fits what was seen, with what it does not tell left open. */
export function suggestion({ tokens, fields, more, page, offset, size, total }: Signals): string {
  const place = fields.find(({ name }) => /^(?:lastevaluatedkey|continue|continuation)$/.test(name))
  const cursor = tokens[0] ?? place
  const ends = more === undefined ? '' : `, has_more_path: ${quoted(more.path)}`
  const total_path = more === undefined && total !== undefined ? quoted(total.path) : 'null'
  const paginator =
    cursor !== undefined
      ? `{ type: cursor, cursor_path: ${quoted(cursor.path)}, cursor_param: <the parameter that takes it>${ends} }`
      : page !== undefined
        ? `{ type: page_number, base_page: ${String(page.value)}, page_param: <its parameter>, total_path: null${ends} }`
        : offset !== undefined || total !== undefined || size !== undefined
          ? `{ type: offset, limit: <rows a page>, offset_param: <its parameter>, total_path: ${total_path}${ends} }`
          : `{ type: cursor, cursor_path: <the field>, cursor_param: <its parameter>${ends} }`
  return `declare how the API pages, under endpoint: paginator: ${paginator}; or, if one page is all you want: paginator: single_page`
}

const quoted = (path: string): string => (/^[A-Za-z_][\w.]*$/.test(path) ? path : JSON.stringify(path))
