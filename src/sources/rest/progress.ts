import { createHash } from 'node:crypto'
import { jsonText } from './request.ts'
import type { Page } from './paginate/index.ts'

/** So often may one response follow itself: a page of equal rows is no loop yet. */
const sameResponses = 5
/** So many pages in a row may bring no row that is new. APIs that filter late send some empty ones. */
const pagesWithoutRows = 20

/** Whether a series of pages gets anywhere. */
export class Progress {
  /** The last page has the rows of the page before it. */
  repeatsLast = false
  private readonly seen = new Set<string>()
  private readonly mostEmpty: number
  private same = 0
  private stale = 0
  private response: string | undefined
  private rows: string | undefined

  /** Where the source says how many pages there may be, that is the only limit on empty ones. */
  constructor({ hasMaximum }: { hasMaximum: boolean }) {
    this.mostEmpty = hasMaximum ? Infinity : pagesWithoutRows
  }

  /** Why the series cannot end; `undefined` as long as it gets on. */
  after({ response, rows, count }: Page): string | undefined {
    const print = count === 0 ? '' : printOf(rows, count)
    // Of a response that was read piece by piece only its end is left.
    const text = response.rows === undefined ? response.text : print
    this.repeatsLast = count > 0 && print === this.rows
    this.same = count > 0 && text === this.response ? this.same + 1 : 0
    this.stale = count === 0 || this.seen.has(print) ? this.stale + 1 : 0
    this.seen.add(print)
    this.rows = print
    this.response = text
    if (this.same >= sameResponses) return 'the same answer comes again and again'
    if (count > 0 && this.stale >= pagesWithoutRows) return `the last ${this.stale} pages brought no rows that are new`
    if (this.stale >= this.mostEmpty) return `the last ${this.stale} pages brought no rows`
    return undefined
  }
}

/** The number of rows with the first and the last: enough to tell pages apart, and little to compute. */
const printOf = (rows: readonly unknown[], count: number): string =>
  createHash('sha1')
    .update(`${count} ${jsonText(rows[0] ?? null)} ${jsonText(rows.at(-1) ?? null)}`)
    .digest('base64')
