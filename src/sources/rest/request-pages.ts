import { PipelineError, redact } from '../../errors/index.ts'
import type { ResourceContext } from '../../extract/index.ts'
import { isSkipped, type RestClient } from './client.ts'
import type { FormatOptions } from './formats/index.ts'
import { connectionPaginator, connectionRows, graphqlErrors } from './graphql.ts'
import { fieldsFromParent, withFields } from './include-from-parent.ts'
import { PageSeries, type FirstPage } from './page-series.ts'
import type { Paginator } from './paginate/index.ts'
import { numberAt } from './paginate/paginator.ts'
import type { PaginatorSpec } from './paginate/paginator-spec.ts'
import type { Parents, RequestRows } from './parent-rows.ts'
import { rangeStart, splitByRange } from './range-split.ts'
import { prepareReport } from './report.ts'
import { buildRequest } from './request-builder.ts'
import { authoredOrigin, copyRequest, type RestRequest, type RestResponse } from './request.ts'
import { judgeBy, type Judge } from './response-actions.ts'
import { pageFault, statusFault } from './page-fault.ts'
import { detectingSelector, pathSelector, type RowSelector } from './select.ts'
import type { EndpointSpec, ResponseAction, RestResourceSpec } from './spec.ts'
import type { CursorValues, TemplateValues } from './template.ts'

/** A resource with shorthands resolved and defaults applied. */
export interface MergedResource extends RestResourceSpec {
  /** The `auth` of `resourceDefaults`, for endpoints on the client's own origin. */
  defaultAuth?: EndpointSpec['auth']
  endpoint: EndpointSpec & { path: string }
}

/** Says that a parent's rows are to be left out altogether. */
export class ParentSkipped extends Error {}

/** Who reads, for whom. */
export interface Reading {
  client: RestClient
  context: ResourceContext
  /** Parent rows that the request is about. */
  rows: RequestRows
}

interface Asking {
  /** @default the endpoint's */
  format?: FormatOptions
  /** Why a response of status 2xx is not what was asked for. */
  fault?: (response: RestResponse) => string | undefined
}

/** Sends the requests of one endpoint and gives the pages of rows in their answers. */
export class RequestPages {
  private readonly spec: MergedResource
  private readonly parents: Parents | undefined
  private readonly singleEntity: boolean
  private readonly judge: Judge
  /** Only the first page is wanted. */
  private readonly probing: boolean
  /** Runs in which the first page was told. */
  private readonly toldIn = new WeakSet<ResourceContext>()
  private readonly doubtedIn = new WeakSet<ResourceContext>()

  constructor(
    spec: MergedResource,
    options: { actions: readonly ResponseAction[]; parents: Parents | undefined; probing: boolean },
  ) {
    this.spec = spec
    this.parents = options.parents
    this.probing = options.probing
    const { endpoint } = spec
    // A path that ends in a field of the parent names one thing, not a list.
    this.singleEntity = /\{resources\.[^{}]+\}$/.test(endpoint.path) && options.parents?.options.batch === undefined
    const rules = judgeBy(options.actions)
    this.judge = endpoint.graphql === undefined ? rules : (response) => rules(response) ?? graphqlErrors(response)
  }

  /** The pages of the request, or of the requests into which its range is split. */
  async *read(cursor: CursorValues | undefined, reading: Reading): AsyncGenerator<unknown[]> {
    const { endpoint } = this.spec
    const { client, rows } = reading
    const values: TemplateValues = {
      parents: rows,
      separator: this.parents?.options.separator,
      cursor,
      convert: endpoint.incremental?.convert,
    }
    const paginator = this.paginator(client)
    const request = buildRequest(endpoint, client, paginator, values)
    const ahead = reading.context.readsAll && cursor === undefined && !this.probing
    const { splitRange } = endpoint
    if (splitRange === undefined) {
      yield* this.pagesOf(request, reading, ahead)
      return
    }
    const total = async (part: RestRequest): Promise<number> => {
      const first = copyRequest(part)
      this.series(reading, ahead).prepare(first)
      const fault = (response: RestResponse) => pageFault(response, this.selector(), false)
      const response = await this.ask(first, reading, { fault })
      return response === undefined ? 0 : totalAt(splitRange.totalPath, response)
    }
    const start = splitRange.fromCursor === false ? undefined : cursor?.startValue
    const from = start === undefined ? undefined : rangeStart(start, splitRange, endpoint.incremental?.format)
    for await (const part of splitByRange(request, splitRange, from, total)) yield* this.pagesOf(part, reading, ahead)
  }

  private async *pagesOf(request: RestRequest, reading: Reading, ahead: boolean): AsyncGenerator<unknown[]> {
    const { report } = this.spec.endpoint
    const prepared = report === undefined ? { request } : await this.prepare(request, reading)
    if (prepared === undefined) return
    const fromParent = fieldsFromParent(this.spec, this.parents, reading.rows)
    for await (const page of this.series(reading, ahead).read(prepared.request, prepared.answered)) {
      yield fromParent === undefined ? page : withFields(page, fromParent)
    }
  }

  private prepare(request: RestRequest, reading: Reading): ReturnType<typeof prepareReport> {
    const { client, context } = reading
    return prepareReport(this.spec.endpoint.report!, request, {
      resource: this.spec.name,
      baseUrl: client.baseUrl,
      foreign: (path) => client.targets.foreign(authoredOrigin(path)),
      headers: client.headers(),
      context,
      ask: (step) => this.ask(step, reading, { format: { format: 'json' } }),
    })
  }

  private series(reading: Reading, ahead: boolean): PageSeries {
    const { endpoint, name } = this.spec
    const { client } = reading
    const selector = this.selector()
    const { requireSelector } = endpoint
    // The first response of a run is reported in words of its own.
    const isFirst = !this.toldIn.has(reading.context)
    return new PageSeries({
      resource: name,
      paginator: this.ownPaginator() ?? this.paginator(client),
      selector,
      maxPages: endpoint.maxPages,
      ahead,
      probing: this.probing,
      concurrency: client.concurrency,
      onFirstPage: this.firstPageOf(reading.context),
      onDoubt: this.doubtOf(reading.context),
      ask: (request, hadList) => {
        const mustMatch = requireSelector === undefined ? hadList : requireSelector && (hadList || !isFirst)
        return this.ask(request, reading, { fault: (response) => pageFault(response, selector, mustMatch) })
      },
    })
  }

  /** Of all series of a run, the first one tells what was found. */
  private firstPageOf(context: ResourceContext): ((first: FirstPage) => void) | undefined {
    if (this.toldIn.has(context)) return undefined
    return (first) => {
      if (this.toldIn.has(context)) return
      this.toldIn.add(context)
      const { problem, ...told } = first
      if (!first.matched && !this.probing) this.tellNoMatch(first.rowsAt, context)
      const paginator = first.paginator as Record<string, unknown> | undefined
      context.emit({ type: 'first-page', resource: this.spec.name, ...told, paginator })
      if (problem !== undefined) context.emit({ type: 'resource-failed', resource: this.spec.name, error: problem })
    }
  }

  /** Of all series of a run, the first one that is in doubt is reported. */
  private doubtOf(context: ResourceContext): ((detail: string) => void) | undefined {
    // One thing is all that was asked for.
    if (this.singleEntity || this.doubtedIn.has(context)) return undefined
    return (detail) => {
      if (this.doubtedIn.has(context)) return
      this.doubtedIn.add(context)
      context.emit({
        type: 'notice',
        notice: { kind: 'pages-in-doubt', table: this.spec.name, detail: redact(detail) },
      })
    }
  }

  /** A selector with a typing error would load nothing, run after run; an API may leave an empty list out. */
  private tellNoMatch(selector: string, context: ResourceContext): void {
    const { name: resource, endpoint } = this.spec
    if (endpoint.requireSelector === true) {
      throw new PipelineError(
        `resource "${resource}": dataSelector "${selector}" matches nothing in the first answer`,
        {
          code: 'SOURCE_INVALID',
          resource,
          fix: 'correct the selector; sluice source probe shows where rows are',
        },
      )
    }
    context.emit({
      type: 'skipped',
      resource,
      detail: `dataSelector "${selector}" matches nothing in the first answer`,
    })
  }

  /** The answer, or `undefined` when a response action says to go on without it. */
  private async ask(
    request: RestRequest,
    { client, context }: Reading,
    { format = this.format(), fault = () => undefined }: Asking = {},
  ): Promise<RestResponse | undefined> {
    const { name: resource, endpoint } = this.spec
    const { signal, emit } = context
    const judge: Judge = (response) => {
      const verdict = this.judge(response)
      const found = verdict === undefined ? (statusFault(response, request) ?? fault(response)) : undefined
      return found === undefined ? verdict : { fault: found }
    }
    const standard = request.home === undefined ? this.spec.defaultAuth : undefined
    const answer = await client.send(request, endpoint.auth === undefined ? standard : endpoint.auth, {
      resource,
      signal,
      emit,
      judge,
      format,
    })
    if (!isSkipped(answer)) return answer
    if (answer.skipped === 'skip_parent') throw new ParentSkipped(`${request.url.pathname} answered ${answer.status}`)
    emit({ type: 'skipped', resource, detail: redact(`${request.url.pathname} answered ${answer.status}`) })
    return undefined
  }

  private format(): FormatOptions {
    const { format = 'auto', csv, xml, charset, dataSelector } = this.spec.endpoint
    return { format, csv, xml, charset, selector: dataSelector ?? undefined }
  }

  private selector(): RowSelector {
    const { dataSelector, graphql } = this.spec.endpoint
    if (dataSelector !== undefined && dataSelector !== null && dataSelector !== '') return pathSelector(dataSelector)
    if (graphql !== undefined) return connectionRows(graphql)
    return this.singleEntity ? pathSelector('$') : detectingSelector()
  }

  /** The paginator of a connection is no spec: it looks for the connection in every answer. */
  private ownPaginator(): Paginator | undefined {
    const { graphql, paginator } = this.spec.endpoint
    return graphql !== undefined && (paginator ?? undefined) === undefined ? connectionPaginator(graphql) : undefined
  }

  /** The declared paginator; `undefined` when the first answer has to tell. */
  private paginator(client: RestClient): PaginatorSpec | undefined {
    const { paginator, report, graphql } = this.spec.endpoint
    const isSingle = this.singleEntity || report !== undefined || graphql !== undefined
    const own = paginator ?? (isSingle ? 'single_page' : client.spec.paginator) ?? undefined
    return typeof own === 'string' ? { type: own } : own
  }
}

/** A range whose total is missing is not empty. */
function totalAt(path: string, { body }: RestResponse): number {
  const total = numberAt(body, path)
  if (total !== undefined) return total
  throw new PipelineError(`paging: the response has no total at "${path}"`, {
    code: 'PAGING_UNKNOWN',
    fix: 'correct splitRange.totalPath',
  })
}
