import { PipelineError } from '../../errors/index.ts'
import { setParams, type RestRequest } from './request.ts'
import { copyRequest } from './request.ts'
import type { DaySplit } from './spec.ts'

const dayMs = 86_400_000
const dayText = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
const dayNumber = (text: string): number => Math.floor(Date.parse(text.slice(0, 10)) / dayMs)

/**
 * Requests that together reach every row of a query whose answers stop at a fixed number of rows. The range of days is
 * halved until each part fits. Parts share their boundary day, because APIs do not say whether the end counts; rows that
 * come twice are merged by their key.
 */
export async function* splitByDay(
  request: RestRequest,
  split: DaySplit,
  start: string | undefined,
  totalOf: (request: RestRequest) => Promise<number>,
): AsyncGenerator<RestRequest> {
  const part = (from: number, to: number): RestRequest => {
    const copy = copyRequest(request)
    setParams(copy.url, { [split.startParam]: dayText(from), [split.endParam]: dayText(to) })
    return copy
  }
  // An API that does not know the parameters answers every range alike: then there is nothing to split by.
  const ignored = (await totalOf(part(0, 1))) > 0
  if (ignored) {
    yield request
    return
  }
  const open = [{ from: dayNumber(start ?? split.earliest), to: dayNumber(new Date().toISOString()) + 1 }]
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
      // The end counts: the two days can be asked for one by one.
      open.push({ from: to, to }, { from, to: from })
    } else {
      throw new PipelineError(
        `${request.url.pathname}: ${total} rows on ${dayText(from)}, but the API serves only the first ${split.maxRows} of a day`,
        { code: 'PAGING_UNKNOWN', fix: 'add a parameter that narrows the query; a plain load would lose the rest' },
      )
    }
  }
}
