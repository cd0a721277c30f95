import type { Field } from './fields.ts'
import { wholeAt, type Signals } from './signals.ts'

/** Ends of paths, in plain names, with the parameter that takes the cursor where it is not called like it. */
const known: readonly (readonly [place: RegExp, param: string])[] = [
  [/(?:^|\.)meta\.aftercursor$/, 'page[after]'],
  [/(?:^|\.)meta\.page\.after$/, 'page[cursor]'],
  [/(?:^|\.)(?:meta\.)?page\.(?:next)?cursor$/, 'page[cursor]'],
  [/(?:^|\.)meta\.nexttoken$/, 'pagination_token'],
  [/(?:^|\.)pagination\.cursor$/, 'after'],
  [/(?:^|\.)paging\.next\.after$/, 'after'],
  [/(?:^|\.)(?:end|after)cursor$/, 'after'],
  [/(?:^|\.)cursors?\.(?:next|after)$/, 'cursor'],
  [/(?:^|\.)cursornext$/, 'cursor'],
  [/(?:^|\.)nextcontinuationtoken$/, 'continuation-token'],
  // Dynatrace.
  [/(?:^|\.)nextpagekey$/, 'nextPageKey'],
]

/** The parameter that takes a cursor; `undefined` where the name does not tell. */
export function cursorParam(
  token: Field,
  { signals, count, isList }: { signals: Signals; count: number; isList: boolean },
): string | undefined {
  const { name, key, parent, value } = token
  const place = parent === '' ? name : `${parent}.${name}`
  if (/^cursors\.after$/.test(place) && token.path.includes('paging')) return 'after'
  const found = known.find(([end]) => end.test(place) || end.test(plainPath(token.path)))
  if (found !== undefined) return found[1]
  // Notion marks its lists, and has a name of its own.
  if (name === 'nextcursor') return isList && token.path === key ? 'start_cursor' : 'cursor'
  if (parent === 'next' || parent === 'nextpage') return key
  if (name === 'next') return nextParam(value, signals, count)
  if (name === 'nextpage') return 'page'
  if (name === 'offset') return typeof value === 'number' && value !== count ? undefined : key
  // Lists of AWS take back what they gave, under its name.
  if (name === 'nexttoken') return key
  if (name === 'nextpagetoken' && keepsItsName(signals)) return key
  if (name.startsWith('next')) return withoutNext(key)
  const isPlain =
    /^(?:cursor|after|continue|continuation|bookmark|marker|continuationtoken|paginationtoken|pagetoken|startingafter)$/
  return isPlain.test(name) ? key : undefined
}

/** Jira, Marketo and Zoom take `nextPageToken` under its own name; Google, and most others, as `pageToken`. */
const keepsItsName = ({ last, more, size }: Signals): boolean =>
  last?.key === 'isLast' || more?.key === 'moreResult' || size?.key === 'page_size'

/** A plain `next`: a number is what its neighbours say it is, text is a cursor, as dlt takes it. */
function nextParam(value: unknown, { page, offset }: Signals, count: number): string | undefined {
  if (typeof value === 'string' && !/^\d+$/.test(value)) return 'cursor'
  const next = Number(value)
  if (page !== undefined && next === wholeAt(page)! + 1) return 'page'
  if (offset !== undefined && next === wholeAt(offset)! + count) return offset.key
  return undefined
}

/** `nextPageToken` goes to `pageToken`, `next_marker` to `marker`, `NextMarker` to `Marker`. */
const withoutNext = (key: string): string =>
  key.replace(/^(next)[-_]?(.)/i, (_all, next: string, first: string) =>
    next.startsWith('N') ? first : first.toLowerCase(),
  )

const plainPath = (path: string): string => path.replace(/['[\]_-]/g, '').toLowerCase()
