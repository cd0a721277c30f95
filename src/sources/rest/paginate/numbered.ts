import { PipelineError } from '../../../errors/index.ts'
import type { RestRequest } from '../request.ts'
import type { OffsetSpec, PageNumberSpec } from './paginator-spec.ts'
import { flagAt, numberAt, type Page, type Paginator } from './paginator.ts'
import { shortPages } from './page-size.ts'
import { writerTo } from './place.ts'

interface Counting {
  stopAfterEmptyPage?: boolean
  hasMorePath?: string | null
  pageSize?: number
  totalPath?: string | null
  totalHeader?: string
  maximum: number | null | undefined
}

/** The shared rule of when to stop: an empty or short page, the total or the maximum reached, or `hasMore` false. */
function isLast(rules: Counting, page: Page, reached: number, base: number): boolean {
  if (isEmptyEnd(rules, page)) return true
  if (rules.maximum !== undefined && rules.maximum !== null && reached >= rules.maximum) return true
  if (rules.hasMorePath !== undefined && rules.hasMorePath !== null)
    return !flagAt(page.response.body, rules.hasMorePath)
  if (rules.totalPath === null && rules.totalHeader === undefined) return false
  const total = totalOf(rules, page)
  if (total !== undefined) return reached >= total + base
  if (rules.totalPath === undefined || rules.totalPath === null || rules.totalHeader !== undefined) return false
  throw new PipelineError(`paging: the response has no total at "${rules.totalPath}"`, {
    code: 'PAGING_UNKNOWN',
    fix: 'correct totalPath, or set it to null: then paging stops at an empty page',
  })
}

const isEmptyEnd = ({ stopAfterEmptyPage }: Pick<Counting, 'stopAfterEmptyPage'>, page: Page): boolean =>
  stopAfterEmptyPage !== false && page.count === 0

function totalOf({ totalPath, totalHeader }: Counting, { response }: Page): number | undefined {
  const total =
    totalHeader === undefined
      ? numberAt(response.body, totalPath ?? 'total')
      : totalInHeader(response.headers.get(totalHeader), totalPath)
  // Some say -1 for what they do not count.
  return total === undefined || total < 0 ? undefined : total
}

/** A number; `items 0-24/250`, where `*` is an unknown total; or JSON, with `totalPath` inside it. */
function totalInHeader(header: string | null, path: string | null | undefined): number | undefined {
  const text = header?.trim() ?? ''
  if (text.startsWith('{')) return numberAt(JSON.parse(text), path ?? 'total')
  const total = text.slice(text.lastIndexOf('/') + 1)
  return total === '*' || total === '' ? undefined : numberAt({ total }, 'total')
}

/** Where counting ends, exclusive, when a page tells it. */
function endOf(rules: Counting, page: Page, base: number): number | undefined {
  const { totalPath, totalHeader, hasMorePath, pageSize } = rules
  const tells = (totalPath !== null || totalHeader !== undefined) && (hasMorePath ?? undefined) === undefined
  if (page.count === 0 || !tells || pageSize !== undefined) return undefined
  const total = totalOf(rules, page)
  return total === undefined ? undefined : Math.min(total + base, rules.maximum ?? Infinity)
}

/** The step is what arrived, not what was asked for: a server may serve fewer rows than that. */
export function offsetPaginator(spec: OffsetSpec): Paginator {
  const writeOffset = writerTo(
    { param: spec.offsetParam, bodyPath: spec.offsetBodyPath, header: spec.offsetHeader },
    'offset',
  )
  const writeLimit = writerTo(
    { param: spec.limitParam, bodyPath: spec.limitBodyPath, header: spec.limitHeader },
    'limit',
  )
  const { limit } = spec
  const rules: Counting = { ...spec, maximum: spec.maximumOffset }
  const isShort = shortPages(spec.pageSize)
  let offset = spec.offset ?? 0
  let [end, step] = [0, 0]
  const write = (request: RestRequest): void => {
    writeOffset(request, offset)
    if (limit !== undefined) writeLimit(request, limit)
  }
  return {
    first: write,
    next(request, page) {
      // Where an empty page is not the end, the next one is a whole page further on.
      const step = page.count === 0 ? (limit ?? 0) : page.count
      if (step === 0) return false
      offset += step
      if (isShort(request, page) || isLast(rules, page, offset, 0)) return false
      write(request)
      return true
    },
    endsWith: (page) => isEmptyEnd(spec, page),
    foresees(page) {
      end = endOf(rules, page, 0) ?? 0
      step = page.count
      return end > 0 && step > 0
    },
    skip(request) {
      if (offset + step >= end) return false
      offset += step
      write(request)
      return true
    },
    rewind({ count }, ahead) {
      if (count === step) return false
      offset -= ahead * step
      return true
    },
  }
}

export function pageNumberPaginator(spec: PageNumberSpec): Paginator {
  const writePage = writerTo({ param: spec.pageParam, bodyPath: spec.pageBodyPath, header: spec.pageHeader }, 'page')
  const base = spec.basePage ?? 0
  const rules: Counting = { ...spec, maximum: spec.maximumPage }
  const isShort = shortPages(spec.pageSize)
  let page = spec.page ?? base
  let end = 0
  return {
    first: (request) => writePage(request, page),
    next(request, current) {
      page += 1
      if (isShort(request, current) || isLast(rules, current, page, base)) return false
      writePage(request, page)
      return true
    },
    endsWith: (current) => isEmptyEnd(spec, current),
    foresees(current) {
      end = endOf(rules, current, base) ?? 0
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
