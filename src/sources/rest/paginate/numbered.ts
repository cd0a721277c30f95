import { PipelineError } from '../../../errors/index.ts'
import { setBodyValue, setParams, type RestRequest } from '../request.ts'
import type { PaginatorSpec } from '../spec.ts'
import { flagAt, numberAt, type Page, type Paginator } from './paginator.ts'

/** Where a value of the paging goes. */
function writer(param: string | undefined, bodyPath: string | undefined, standard: string) {
  if (bodyPath !== undefined) {
    return (request: RestRequest, value: number): void => setBodyValue(request, bodyPath, value)
  }
  return (request: RestRequest, value: number): void => setParams(request.url, { [param ?? standard]: value })
}

interface Counting {
  stopAfterEmptyPage?: boolean
  hasMorePath?: string
  totalPath?: string | null
  maximum: number | undefined
}

/** The shared rule of when to stop: an empty page, the total or the maximum reached, or `hasMore` false. */
function isLast(rules: Counting, page: Page, reached: number, base: number): boolean {
  if (isEmptyEnd(rules, page)) return true
  if (rules.maximum !== undefined && reached >= rules.maximum) return true
  if (rules.hasMorePath !== undefined) return !flagAt(page.response.body, rules.hasMorePath)
  if (rules.totalPath === null) return false
  const total = numberAt(page.response.body, rules.totalPath ?? 'total')
  if (total !== undefined) return reached >= total + base
  if (rules.totalPath === undefined) return false
  throw new PipelineError(`paging: the answer has no total at "${rules.totalPath}"`, {
    code: 'PAGING_UNKNOWN',
    fix: 'correct totalPath, or set it to null: then paging stops at an empty page',
  })
}

const isEmptyEnd = ({ stopAfterEmptyPage }: Pick<Counting, 'stopAfterEmptyPage'>, page: Page): boolean =>
  stopAfterEmptyPage !== false && page.rows.length === 0

/** Where counting ends, exclusive, when a page tells it. */
function endOf(rules: Counting, page: Page, base: number): number | undefined {
  if (page.rows.length === 0 || rules.totalPath === null || rules.hasMorePath !== undefined) return undefined
  const total = numberAt(page.response.body, rules.totalPath ?? 'total')
  return total === undefined ? undefined : Math.min(total + base, rules.maximum ?? Infinity)
}

export function offsetPaginator(spec: Extract<PaginatorSpec, { type: 'offset' }>): Paginator {
  const writeOffset = writer(spec.offsetParam, spec.offsetBodyPath, 'offset')
  const writeLimit = writer(spec.limitParam, spec.limitBodyPath, 'limit')
  const { limit } = spec
  let offset = spec.offset ?? 0
  let [end, step] = [0, 0]
  const write = (request: RestRequest): void => {
    writeOffset(request, offset)
    if (limit !== undefined) writeLimit(request, limit)
  }
  return {
    first: write,
    next(request, page) {
      // Without a stated limit the server's page size counts.
      const step = limit ?? page.rows.length
      if (step === 0) return false
      offset += step
      if (isLast({ ...spec, maximum: spec.maximumOffset }, page, offset, 0)) return false
      write(request)
      return true
    },
    endsWith: (page) => isEmptyEnd(spec, page),
    foresees(page) {
      end = endOf({ ...spec, maximum: spec.maximumOffset }, page, 0) ?? 0
      step = limit ?? page.rows.length
      return end > 0 && step > 0
    },
    skip(request) {
      if (offset + step >= end) return false
      offset += step
      write(request)
      return true
    },
  }
}

export function pageNumberPaginator(spec: Extract<PaginatorSpec, { type: 'page_number' }>): Paginator {
  const writePage = writer(spec.pageParam, spec.pageBodyPath, 'page')
  const base = spec.basePage ?? 0
  let page = spec.page ?? base
  let end = 0
  return {
    first: (request) => writePage(request, page),
    next(request, current) {
      page += 1
      if (isLast({ ...spec, maximum: spec.maximumPage }, current, page, base)) return false
      writePage(request, page)
      return true
    },
    endsWith: (current) => isEmptyEnd(spec, current),
    foresees(current) {
      end = endOf({ ...spec, maximum: spec.maximumPage }, current, base) ?? 0
      return end > 0
    },
    skip(request) {
      if (page + 1 >= end) return false
      page += 1
      writePage(request, page)
      return true
    },
  }
}
