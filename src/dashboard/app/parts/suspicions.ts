import type { RunRecord } from '../../api.ts'
import { count } from '../format.ts'

const roundSizes = new Set([10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000])

/** What looks wrong in a run that did not fail. */
export function suspicions({ resources, status }: RunRecord): string[] {
  if (status !== 'done') return []
  return Object.entries(resources).flatMap(([name, { rows, pages, requests, error }]) => {
    if (error !== undefined) return []
    if (pages === 1 && roundSizes.has(rows)) {
      return [
        `${name}: exactly ${count(rows)} rows on one page. Is that only the first page? Its paginator may be missing.`,
      ]
    }
    const asked = Object.values(requests).reduce((sum, one) => sum + one.count, 0)
    if (asked > 1 && rows === 0) return [`${name}: ${count(asked)} requests and no rows. Does its data selector fit?`]
    return []
  })
}
