import { excerpt, PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestRequest, RestResponse } from '../request.ts'

/** A page as a paginator sees it. */
export interface Page {
  response: RestResponse
  /** The last of them, where they come piece by piece. */
  rows: readonly unknown[]
  count: number
}

/** How to get from one page to the next. Fresh for every series of pages. */
export interface Paginator {
  /** Where a response names its next page; APIs may leave it out of the last one. */
  readonly nextPath?: string
  /** Prepares the first request. */
  first(request: RestRequest): void
  /** Changes the request into the next one; false when this page was the last. */
  next(request: RestRequest, page: Page): boolean
  /**
   * For paging by numbers: true when this page tells how many there are, so that `skip` can go on without seeing the
   * pages in between. The last one goes to `next` again, since the total may have grown.
   */
  foresees?(page: Page): boolean
  /** Changes the request into the next one that is known to be there; false when there is none. */
  skip?(request: RestRequest): boolean
  /**
   * For offsets: true when this page is not as long as those asked for ahead of it suppose. They are forgotten, and `next`
   * continues right after it.
   */
  rewind?(page: Page, ahead: number): boolean
  /** True when the pages end here although more were foreseen. */
  endsWith?(page: Page): boolean
}

/** A whole number from an answer, text included; `undefined` when the path selects nothing. */
export function numberAt(body: unknown, path: string): number | undefined {
  const value = jsonPath(path).first(body)
  if (value === undefined || value === null) return undefined
  const number = Number(value)
  if (Number.isInteger(number)) return number
  throw new PipelineError(
    `paging: expected a whole number at "${path}", got ${JSON.stringify(excerpt(String(value), 40))}`,
    {
      code: 'PAGING_UNKNOWN',
      fix: 'correct totalPath, or set it to null',
    },
  )
}

/** A flag from an answer: booleans and the usual words. */
export function flagAt(body: unknown, path: string): boolean {
  const value = jsonPath(path).first(body)
  if (typeof value === 'boolean') return value
  const word = String(value).toLowerCase()
  if (['true', 'yes', 't', 'y', '1'].includes(word)) return true
  if (['false', 'no', 'f', 'n', '0'].includes(word)) return false
  throw new PipelineError(`paging: expected true or false at "${path}", got ${JSON.stringify(excerpt(word, 40))}`, {
    code: 'PAGING_UNKNOWN',
    fix: 'correct hasMorePath',
  })
}
