import { PipelineError } from '../../errors/index.ts'
import { CursorOrder, type CursorFormat, type CursorValue } from '../../extract/index.ts'
import { instantText } from '../../schema/index.ts'
import { copyRequest, setParams, type RestRequest } from './request.ts'
import type { RangeSplit } from './spec.ts'

type Unit = NonNullable<RangeSplit['unit']>
type Position = string | number

const milliseconds: Record<Exclude<Unit, 'number'>, number> = { day: 86_400_000, second: 1000, millisecond: 1 }

/**
 * Requests that together reach every row of a query whose answers stop at a fixed number of rows. The range is halved until
 * each part fits. Parts share their boundary, because APIs do not say whether the end counts; rows that come twice are
 * merged by their key.
 */
export async function* splitByRange(
  request: RestRequest,
  split: RangeSplit,
  start: Position | undefined,
  totalOf: (request: RestRequest) => Promise<number>,
): AsyncGenerator<RestRequest> {
  const part = (from: number, to: number): RestRequest => {
    const copy = copyRequest(request)
    setParams(copy.url, { [split.startParam]: written(from, split), [split.endParam]: written(to, split) })
    return copy
  }
  const first = Math.floor(numbered(start ?? split.earliest, split))
  const last = split.latest === undefined ? now(split) : Math.ceil(numbered(split.latest, split))
  // An API that does not know the parameters answers every range alike: then there is nothing to split by.
  const before = split.unit === 'number' ? part(first - 2, first - 1) : part(0, 1)
  if ((await totalOf(before)) > 0) {
    yield request
    return
  }
  const open = [{ from: first, to: last }]
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    const { from, to } = range
    const current = part(from, to)
    const total = await totalOf(current)
    if (total === 0) continue
    if (total <= split.maxRows) {
      yield current
    } else if (to - from > 1) {
      const middle = Math.floor((from + to) / 2)
      open.push({ from: middle, to }, { from, to: middle })
    } else if (to > from && (await totalOf(part(from, from))) > 0) {
      // The end counts: the two can be asked for one by one.
      open.push({ from: to, to }, { from, to: from })
    } else {
      const range = `${written(from, split)} to ${written(to, split)}`
      throw new PipelineError(
        `${request.url.pathname}: ${total} rows from ${range}, but the API serves only the first ${split.maxRows}`,
        {
          code: 'PAGING_UNKNOWN',
          fix: 'split by a smaller unit, or add a parameter that narrows the query; a plain load would lose the rest',
        },
      )
    }
  }
}

/** Where a cursor starts, as a position of the range. Numbers that are declared as epoch time become timestamps. */
export function rangeStart(start: CursorValue, { unit }: RangeSplit, format: CursorFormat | undefined): Position {
  if (unit === 'number') return typeof start === 'number' ? start : String(start)
  if (start instanceof Date) return start.toISOString()
  if (format === undefined) return typeof start === 'number' ? start : String(start)
  return `${String(new CursorOrder('splitRange', { format }).key(start))}Z`
}

/** The end of the unit that is under way; needed only for units of time. */
function now({ unit = 'day' }: RangeSplit): number {
  return unit === 'number' ? Date.now() + 1 : Math.floor(Date.now() / milliseconds[unit]) + 1
}

/** A position counted in units. */
function numbered(position: Position, { unit = 'day', format }: RangeSplit): number {
  if (unit === 'number') return Number(position)
  if (typeof position === 'number') return (position * (format === 'seconds' ? 1000 : 1)) / milliseconds[unit]
  const instant = instantText(position)
  const moment = Date.parse(instant === undefined ? position : `${instant}Z`)
  if (!Number.isNaN(moment)) return moment / milliseconds[unit]
  throw new PipelineError(`splitRange: "${position}" is not a valid date-time`, {
    code: 'SOURCE_INVALID',
    fix: 'write timestamps as 2025-01-31 or 2025-01-31T00:00:00Z, or set unit: number',
  })
}

/** A position as the API wants it. */
function written(position: number, { unit = 'day', format = unit === 'day' ? 'date' : 'iso' }: RangeSplit): Position {
  if (unit === 'number') return position
  const moment = position * milliseconds[unit]
  switch (format) {
    case 'date':
      return new Date(moment).toISOString().slice(0, 10)
    case 'iso':
      return new Date(moment).toISOString()
    case 'seconds':
      return Math.floor(moment / 1000)
    case 'milliseconds':
      return moment
  }
}
