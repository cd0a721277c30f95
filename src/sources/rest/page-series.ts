import { setImmediate as turn } from 'node:timers/promises'
import { PipelineError } from '../../errors/index.ts'
import {
  createPaginator,
  detectPaginator,
  signsOfMore,
  askedSize,
  missingPart,
  saysEnd,
  type Page,
  type Paginator,
} from './paginate/index.ts'
import type { PaginatorSpec } from './paginate/paginator-spec.ts'
import { copyRequest, discardRows, jsonText, type RestRequest, type RestResponse } from './request.ts'
import { Progress } from './progress.ts'
import { rowPlaces } from './row-places.ts'
import type { RowSelector } from './select.ts'

/** What a series of pages needs to know. */
export interface SeriesOptions {
  resource: string
  /** Undefined: the first answer has to tell. */
  paginator: PaginatorSpec | Paginator | undefined
  selector: RowSelector
  maxPages: number | undefined
  /** A page is asked for while the one before is being used, and several at once where their number is known. */
  ahead: boolean
  /** Only the first page is wanted, even when it does not tell how to get the next. */
  probing: boolean
  concurrency: number
  /** Told once, when the first page is there. */
  onFirstPage?: ((first: FirstPage) => void) | undefined
  /** Told when the pages are read to their end, with why that cannot be all. */
  onDoubt?: ((doubt: string) => void) | undefined
  /**
   * The response; `undefined` when the source says to go on without it. `hadList`: an earlier page had something where the rows
   * are, so this one must, too.
   */
  ask(request: RestRequest, hadList: boolean): Promise<RestResponse | undefined>
}

/** What the first page tells about an endpoint. */
export interface FirstPage {
  /** Where the rows are. */
  rowsAt: string
  /** Something is there. */
  matched: boolean
  /** Selectors that would find a list; only when nothing is there. */
  listsAt: string[]
  rows: number
  /** Declared or recognised; undefined for one that is no declaration. */
  paginator: PaginatorSpec | undefined
  isDetected: boolean
  hasNext: boolean
  /** The response says itself that nothing follows. */
  isAll: boolean
  /** Why this cannot be all, where paging ends with this page. */
  doubt?: string
  /** How it pages cannot be told; only when probing, otherwise it is thrown. */
  problem?: unknown
}

const partialKeys = ['stopWhen', 'maximumPage', 'maximumOffset', 'page', 'offset', 'initialCursor', 'initialKey']

/** The pages of one request, in order. */
export class PageSeries {
  private readonly options: SeriesOptions
  private readonly asked = new Set<string>()
  private hadList = false
  private readonly progress: Progress
  private pages = 0
  private rows = 0
  private detected: PaginatorSpec | undefined

  constructor(options: SeriesOptions) {
    this.options = options
    this.progress = new Progress({ hasMaximum: options.maxPages !== undefined })
  }

  /** Writes what paging begins with into a request. */
  prepare(request: RestRequest): void {
    this.declaredPaginator()?.first(request)
  }

  /** `answered`: the answer to the request is there already. */
  async *read(request: RestRequest, answered?: RestResponse): AsyncGenerator<unknown[]> {
    const { ahead, concurrency, selector } = this.options
    let paginator = this.declaredPaginator()
    paginator?.first(request)
    this.checkPath(request)
    const ask = (): Promise<RestResponse | undefined> => {
      // The request changes while this one is under way.
      const answer = this.ask(copyRequest(request))
      // Awaited when its turn comes; a failure before that must not count as unhandled.
      answer.catch(() => undefined)
      return answer
    }
    const waiting = [answered === undefined ? ask() : Promise.resolve(answered)]
    let foresight: 'possible' | 'used' | 'none' = ahead ? 'possible' : 'none'
    try {
      while (waiting.length > 0) {
        const response = await waiting.shift()!
        if (response === undefined) return
        const page =
          response.rows === undefined ? wholePage(response, selector) : yield* this.pieces(response, response.rows)
        this.hadList ||= response.rows === undefined && selector.matched
        this.rows += page.count
        try {
          paginator ??= this.detectedPaginator(page, request)
        } catch (problem) {
          if (!this.options.probing) throw problem
          this.tellFirstPage(page, true, problem)
          yield page.rows as unknown[]
          return
        }
        if (foresight === 'possible' && paginator.foresees?.(page) === true) foresight = 'used'
        if (foresight === 'used' && paginator.endsWith!(page)) return this.tellDoubt(request, page, paginator)
        if (waiting.length > 0 && paginator.rewind?.(page, waiting.length) === true) {
          foresight = 'none'
          this.forget(waiting)
        }
        if (foresight === 'used') while (waiting.length < concurrency && paginator.skip!(request)) waiting.push(ask())
        const more = waiting.length === 0 && paginator.next(request, page)
        const isEnd = !more && waiting.length === 0
        this.tellFirstPage(page, !isEnd)
        if (more && ahead) waiting.push(ask())
        // Rows are walked in one go: without a turn for the socket, the requests would leave only after them.
        if (waiting.length > 0) await turn()
        this.guardProgress(page)
        if (isEnd) this.tellDoubt(request, page, paginator)
        if (response.rows === undefined) yield page.rows as unknown[]
        if (more && !ahead) waiting.push(ask())
      }
    } finally {
      // Nobody takes these any more: the rows were not wanted to their end.
      discard(waiting)
    }
  }

  /** Requests that were sent for pages of another size. */
  private forget(waiting: Promise<RestResponse | undefined>[]): void {
    this.pages -= waiting.length
    discard(waiting)
    waiting.length = 0
    this.asked.clear()
  }

  /** The pages end here: says what speaks against that. */
  private tellDoubt(request: RestRequest, page: Page, { nextPath }: Paginator): void {
    const { response, rows, count } = page
    const { onDoubt } = this.options
    if (onDoubt === undefined || this.options.probing || this.endsOnPurpose()) return
    const sign = this.signOfMore(page)
    if (sign !== undefined) return onDoubt(`${sign}, yet paging ended after ${this.rows} rows`)
    if (this.pages > 1 || count === 0 || saysEnd(response, rows, count)) return
    const doubt = doubtAboutOnlyPage(page, askedSize(request), nextPath)
    if (doubt !== undefined) onDoubt(doubt)
  }

  private signOfMore({ response, rows, count }: Page): string | undefined {
    return signsOfMore(response, rows, count, { rows: this.rows, pages: this.pages })[0]
  }

  /** The source itself says that it wants a part: where to start, or where to stop. */
  private endsOnPurpose(): boolean {
    const { paginator } = this.options
    return paginator !== undefined && partialKeys.some((key) => Object.hasOwn(paginator, key))
  }

  /** Passes on the rows of an answer that is read piece by piece; paging sees the last piece and the count. */
  private async *pieces(response: RestResponse, rows: AsyncIterable<unknown[]>): AsyncGenerator<unknown[], Page> {
    let count = 0
    let last: unknown[] = []
    for await (const piece of rows) {
      count += piece.length
      if (piece.length > 0) last = piece
      yield piece
    }
    return { response, rows: last, count }
  }

  private tellFirstPage(page: Page, hasNext: boolean, problem?: unknown): void {
    const { response, rows, count } = page
    const { onFirstPage, paginator, selector } = this.options
    if (onFirstPage === undefined) return
    const matched = response.rows !== undefined || isEmpty(response) || selector.matched
    const doubt = hasNext ? undefined : this.signOfMore(page)
    onFirstPage({
      rowsAt: response.rows === undefined ? selector.place : 'the lines',
      matched,
      listsAt: matched ? [] : rowPlaces(response.body),
      rows: count,
      paginator: this.detected ?? (paginator !== undefined && 'type' in paginator ? paginator : undefined),
      isDetected: this.detected !== undefined,
      hasNext,
      isAll: !hasNext && saysEnd(response, rows, count),
      ...(doubt === undefined ? {} : { doubt }),
      ...(problem === undefined ? {} : { problem }),
    })
    this.options.onFirstPage = undefined
  }

  private declaredPaginator(): Paginator | undefined {
    const { paginator } = this.options
    if (paginator === undefined || 'first' in paginator) return paginator
    return paginator.type === 'auto' ? undefined : createPaginator(paginator)
  }

  private detectedPaginator({ response, rows, count }: Page, sent: RestRequest): Paginator {
    this.detected = detectPaginator(response, rows, count, sent)
    return createPaginator(this.detected)
  }

  private async ask(request: RestRequest): Promise<RestResponse | undefined> {
    this.guardLoop(request)
    return this.options.ask(request, this.hadList)
  }

  private checkPath({ url, pathValues }: RestRequest): void {
    if (pathValues === undefined || !url.pathname.includes('%7B')) return
    throw new PipelineError(
      `resource "${this.options.resource}": ${url.pathname} has a place that paging did not fill`,
      {
        code: 'SOURCE_INVALID',
        resource: this.options.resource,
        fix: 'say where paging begins: initialCursor or initialKey of the paginator',
      },
    )
  }

  /** Throws when the pages bring nothing new: the API does not know the parameter that should change them. */
  private guardProgress(page: Page): void {
    const stop = this.progress.after(page)
    if (this.progress.repeatsLast && this.detected !== undefined) throw this.wronglyDetected(this.detected)
    if (stop !== undefined) throw this.loops(stop)
  }

  private guardLoop(request: RestRequest): void {
    const { maxPages = Infinity } = this.options
    this.pages += 1
    if (this.pages > maxPages) throw this.loops(`there are more than ${maxPages} pages, which is its maxPages`)
    const body = request.data?.text ?? jsonText(request.body ?? null)
    const key = `${request.method} ${request.url.href} ${body} ${JSON.stringify(request.headers)}`
    if (this.asked.has(key)) throw this.loops('it asks for the same page again')
    this.asked.add(key)
  }

  /** Two equal pages in a row: the way of paging was guessed, and the API does not know it. */
  private wronglyDetected({ type, ...options }: PaginatorSpec): PipelineError {
    const { resource } = this.options
    return new PipelineError(
      `resource "${resource}": paging was taken for ${type} ${JSON.stringify(options)}, but the second page is the first again`,
      {
        code: 'PAGING_UNKNOWN',
        resource,
        fix: 'declare endpoint.paginator as the API documents it',
      },
    )
  }

  private loops(what: string): PipelineError {
    const { resource } = this.options
    return new PipelineError(`resource "${resource}": paging does not end: ${what}`, {
      code: 'PAGING_LOOP',
      resource,
      fix: 'check the paginator: its cursor, next link or parameter does not move on, or the API does not know it',
    })
  }
}

function discard(responses: readonly Promise<RestResponse | undefined>[]): void {
  for (const one of responses) void one.then((response) => discardRows(response ?? {})).catch(() => undefined)
}

/** What speaks against the first page being all, when nothing in it says that it is. A null where the next page is named does. */
function doubtAboutOnlyPage(
  { response, count }: Page,
  asked: number | undefined,
  nextPath: string | undefined,
): string | undefined {
  const isFull = asked === count
  if (asked !== undefined && !isFull) return undefined
  const asMany = `${count} rows were asked for and ${count} came; `
  if (nextPath === undefined || response.rows !== undefined) {
    return isFull ? `${asMany}nothing says that these are all` : undefined
  }
  const missing = missingPart(nextPath, response.body)
  const hasNoNext = `the response has no "${nextPath}", where the paginator looks for the next page`
  if (isFull) return missing === 'none' ? undefined : `${asMany}${hasNoNext}`
  return missing === 'parent' ? `${hasNoNext}; with the page size in params only a full page is in doubt` : undefined
}

/** 204, and answers without a body. */
const isEmpty = ({ text }: RestResponse): boolean => text === ''

function wholePage(response: RestResponse, selector: RowSelector): Page {
  const rows = selector.rows(response.body)
  return { response, rows, count: rows.length }
}
