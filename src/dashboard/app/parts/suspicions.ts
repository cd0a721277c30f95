import type { RunRecord } from '../../api.ts'
import { count } from '../format.ts'

const roundSizes = new Set([10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000])

/** What looks wrong in a run that did not fail. */
export function suspicions({ resources, notices, status }: RunRecord): string[] {
  if (status !== 'done') return []
  const warnings = notices.flatMap(({ notice }) => {
    if (notice.kind === 'pages-in-doubt') return [`${notice.table} may not be complete: ${notice.detail}.`]
    if (notice.kind !== 'table-emptied') return []
    return [`${notice.table} had rows and was left empty. Are there none at the source?`]
  })
  const doubtful = Object.entries(resources).flatMap(([name, { firstPage, error }]) => {
    if (error !== undefined || firstPage === undefined) return []
    const { rows, matched, rowsAt, hasNext, isAll, paginator } = firstPage
    if (!matched) return [`${name}: nothing is at ${rowsAt} in the first answer. Does its data selector fit?`]
    if (hasNext || isAll || paginator !== 'single_page' || !roundSizes.has(rows)) return []
    return [
      `${name}: exactly ${count(rows)} rows on one page. Is that only the first page? Its paginator may be missing.`,
    ]
  })
  return [...warnings, ...doubtful]
}
