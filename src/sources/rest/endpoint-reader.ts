import { PipelineError } from '../../errors/index.ts'
import {
  incremental,
  IncrementalCursor,
  jsonPath,
  type CursorState,
  type ResourceContext,
} from '../../extract/index.ts'
import { digestId, keyColumns } from '../../schema/index.ts'
import type { ClientPool } from './client-pool.ts'
import { isSkipped, type RestClient } from './client.ts'
import type { FormatOptions } from './formats/index.ts'
import { connectionPaginator, connectionRows, graphqlErrors } from './graphql.ts'
import { PageSeries, type FirstPage } from './page-series.ts'
import type { PaginatorSpec } from './paginate/paginator-spec.ts'
import type { Paginator } from './paginate/index.ts'
import { requestRows, valuesOf, type Parents, type RequestRows } from './parent-rows.ts'
import { splitByRange } from './range-split.ts'
import { readAhead } from './read-ahead.ts'
import { prepareReport } from './report.ts'
import { buildRequest } from './request-builder.ts'
import { copyRequest, type RestRequest, type RestResponse } from './request.ts'
import { judgeBy, type Judge } from './response-actions.ts'
import { detectingSelector, pathSelector, type RowSelector } from './select.ts'
import type { EndpointSpec, RestResourceSpec } from './spec.ts'
import type { CursorValues, TemplateValues } from './template.ts'

/** A resource with shorthands resolved and defaults applied. */
export interface MergedResource extends RestResourceSpec {
  endpoint: EndpointSpec & { path: string }
}

/** Says that a parent's rows are to be left out altogether. */
class ParentSkipped extends Error {}

/** Who reads, for whom. */
interface Reading {
  client: RestClient
  context: ResourceContext
  /** Parent rows that the request is about. */
  rows: RequestRows
}

/** Reads the pages of one endpoint, for every parent row where there is one. */
export class EndpointReader {
  private readonly spec: MergedResource
  private readonly clients: ClientPool
  private readonly parents: Parents | undefined
  private readonly singleEntity: boolean
  private readonly judge: Judge
  private readonly skipsParents: boolean

  /** `probing`: only the first page, of the first parent row; a failure is told, not thrown. */
  private readonly probing: boolean

  constructor(spec: MergedResource, clients: ClientPool, parents: Parents | undefined, probing = false) {
    this.spec = spec
    this.probing = probing
    this.clients = clients
    this.parents = parents
    const { endpoint } = spec
    // A path that ends in a field of the parent names one thing, not a list.
    this.singleEntity = /\{resources\.[^{}]+\}$/.test(endpoint.path) && parents?.options.batch === undefined
    const actions = [...(endpoint.responseActions ?? []), ...(clients.spec.client.responseActions ?? [])]
    const rules = judgeBy(actions)
    this.judge = endpoint.graphql === undefined ? rules : (response) => rules(response) ?? graphqlErrors(response)
    this.skipsParents = actions.some(
      (one) => typeof one === 'function' || one.action === 'skip_parent' || typeof one.action === 'function',
    )
  }

  /** The pages of a root endpoint. */
  async *pages(context: ResourceContext): AsyncGenerator<unknown[]> {
    const pages = (): AsyncGenerator<unknown[]> => {
      const client = this.clients.get(context.config)
      return this.withWindows(context.cursor, { client, context, rows: new Map() })
    }
    yield* this.probing ? this.probed(pages, context) : pages()
  }

  /** Child pages for a page of parent rows; several parents are read at once, their pages come in order. */
  async *pagesForAll(page: readonly unknown[], context: ResourceContext): AsyncGenerator<unknown[]> {
    if (this.probing) yield* this.probed(() => this.childPages(page.slice(0, 1), context), context)
    else yield* this.childPages(page, context)
  }

  private async *probed(pages: () => AsyncGenerator<unknown[]>, context: ResourceContext): AsyncGenerator<unknown[]> {
    try {
      for await (const page of pages()) {
        yield page
        return
      }
    } catch (error) {
      context.emit({ type: 'resource-failed', resource: this.spec.name, error })
    }
  }

  private async *childPages(page: readonly unknown[], context: ResourceContext): AsyncGenerator<unknown[]> {
    const client = this.clients.get(context.config)
    const seen = this.seenBy(context)
    const units = requestRows(this.parents!, page, context, seen)
    const read = (rows: RequestRows): AsyncIterable<unknown[]> => {
      const pages = this.pagesFor({ client, context, rows })
      return this.skipsParents ? wholeOrNothing(pages, () => this.emitSkipped(context, rows)) : pages
    }
    for await (const { key, page: rows } of readAhead(units, read, client.concurrency * 2)) {
      context.origin = key
      yield rows
    }
  }

  /** Parent rows of a run that were asked for already. */
  private readonly seen = new WeakMap<ResourceContext, Set<string>>()
  private readonly toldIn = new WeakSet<ResourceContext>()
  private seenBy(context: ResourceContext): Set<string> {
    const seen = this.seen.get(context) ?? new Set()
    this.seen.set(context, seen)
    return seen
  }

  /** The pages for one parent row, with a cursor of its own where there is one. */
  private async *pagesFor(reading: Reading): AsyncGenerator<unknown[]> {
    const { endpoint } = this.spec
    const { context, rows } = reading
    if (endpoint.incremental === undefined) {
      yield* this.withWindows(context.cursor, reading)
      return
    }
    const states = (context.state.by_parent ??= {}) as Record<string, CursorState>
    const key = digestId(JSON.stringify(valuesOf(this.parents!.fields, rows)))
    const cursor = this.cursorFor(key, states)
    for await (const page of this.withWindows(cursor, reading)) {
      yield cursor.filter(page)
      if (cursor.exhausted) break
    }
    const state = cursor.state()
    if (state !== undefined) states[key] = state
  }

  private cursorFor(key: string, states: Record<string, CursorState>): IncrementalCursor {
    const {
      cursorPath,
      startParam: _start,
      endParam: _end,
      convert: _convert,
      ...options
    } = this.spec.endpoint.incremental!
    const stored = Object.hasOwn(states, key) ? states[key] : undefined
    const declared = incremental(cursorPath, options)
    return new IncrementalCursor(declared, this.spec.name, keyColumns(this.spec.primaryKey), stored)
  }

  /** With one cursor, window by window where it has windows. */
  private async *withWindows(cursor: IncrementalCursor | undefined, reading: Reading): AsyncGenerator<unknown[]> {
    if (cursor === undefined || this.spec.endpoint.incremental?.window === undefined) {
      yield* this.between(cursor, reading)
      return
    }
    for (const { start, end } of cursor.windows()) {
      yield* this.between({ startValue: start, lastValue: start, endValue: end }, reading)
    }
  }

  /** The pages of the request, or of the requests into which its range is split. */
  private async *between(cursor: CursorValues | undefined, reading: Reading): AsyncGenerator<unknown[]> {
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
      yield* this.read(request, reading, ahead)
      return
    }
    const total = async (part: RestRequest): Promise<number> => {
      const first = copyRequest(part)
      this.series(reading, ahead).prepare(first)
      const response = await this.ask(first, reading)
      return response === undefined ? 0 : Number(jsonPath(splitRange.totalPath).first(response.body) ?? 0)
    }
    const start = splitRange.fromCursor === false ? undefined : cursor?.startValue
    const from =
      start === undefined || typeof start === 'number'
        ? start
        : start instanceof Date
          ? start.toISOString()
          : String(start)
    for await (const part of splitByRange(request, splitRange, from, total)) yield* this.read(part, reading, ahead)
  }

  private async *read(request: RestRequest, reading: Reading, ahead: boolean): AsyncGenerator<unknown[]> {
    const { report } = this.spec.endpoint
    const prepared = report === undefined ? { request } : await this.prepare(request, reading)
    if (prepared === undefined) return
    const fromParent = this.fieldsOfParent(reading.rows)
    for await (const page of this.series(reading, ahead).read(prepared.request, prepared.answered)) {
      yield fromParent === undefined ? page : withFields(page, fromParent)
    }
  }

  private prepare(request: RestRequest, reading: Reading): ReturnType<typeof prepareReport> {
    const { client, context } = reading
    return prepareReport(this.spec.endpoint.report!, request, {
      resource: this.spec.name,
      baseUrl: client.baseUrl,
      headers: client.headers(),
      context,
      ask: (step) => this.ask(step, reading, { format: 'json' }),
    })
  }

  private series(reading: Reading, ahead: boolean): PageSeries {
    const { endpoint, name } = this.spec
    const { client } = reading
    return new PageSeries({
      resource: name,
      paginator: this.ownPaginator() ?? this.paginator(client),
      selector: this.selector(),
      maxPages: endpoint.maxPages,
      ahead,
      probing: this.probing,
      concurrency: client.concurrency,
      onFirstPage: this.firstPageOf(reading.context),
      ask: (request) => this.ask(request, reading),
    })
  }

  /** Of all series of a run, the first one tells what was found. */
  private firstPageOf(context: ResourceContext): ((first: FirstPage) => void) | undefined {
    if (this.toldIn.has(context)) return undefined
    return (first) => {
      if (this.toldIn.has(context)) return
      this.toldIn.add(context)
      const { problem, matched, ...told } = first
      if (!matched) this.tellNoMatch(first.rowsAt, context)
      const paginator = first.paginator as Record<string, unknown> | undefined
      context.emit({ type: 'first-page', resource: this.spec.name, ...told, paginator })
      if (problem !== undefined) context.emit({ type: 'resource-failed', resource: this.spec.name, error: problem })
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
    format = this.format(),
  ): Promise<RestResponse | undefined> {
    const { name: resource, endpoint } = this.spec
    const { signal, emit } = context
    const answer = await client.send(request, endpoint.auth, { resource, signal, emit, judge: this.judge, format })
    if (!isSkipped(answer)) return answer
    if (answer.skipped === 'skip_parent') throw new ParentSkipped(`${request.url.pathname} answered ${answer.status}`)
    emit({ type: 'skipped', resource, detail: `${request.url.pathname} answered ${answer.status}` })
    return undefined
  }

  private format(): FormatOptions {
    const { format = 'auto', csv, dataSelector } = this.spec.endpoint
    return { format, csv, selector: dataSelector ?? undefined }
  }

  private selector(): RowSelector {
    const { dataSelector, graphql } = this.spec.endpoint
    if (dataSelector !== undefined && dataSelector !== null && dataSelector !== '') return pathSelector(dataSelector)
    if (graphql !== undefined) return connectionRows(graphql)
    return this.singleEntity ? pathSelector('$') : detectingSelector()
  }

  /** The paginator of a connection is no spec: it looks for the connection in every answer. */
  private ownPaginator(): Paginator | undefined {
    const { graphql, paginator, dataSelector } = this.spec.endpoint
    const isConnection =
      graphql !== undefined && (paginator ?? undefined) === undefined && (dataSelector ?? undefined) === undefined
    return isConnection ? connectionPaginator(graphql) : undefined
  }

  /** The declared paginator; `undefined` when the first answer has to tell. */
  private paginator(client: RestClient): PaginatorSpec | undefined {
    const { paginator, report, graphql } = this.spec.endpoint
    const isSingle = this.singleEntity || report !== undefined || graphql !== undefined
    const own = paginator ?? (isSingle ? 'single_page' : client.spec.paginator) ?? undefined
    return typeof own === 'string' ? { type: own } : own
  }

  /** What every row of a child takes over from its parent rows. */
  private fieldsOfParent(rows: RequestRows): Record<string, unknown> | undefined {
    const { includeFromParent: include } = this.spec
    if (include === undefined || this.parents === undefined) return undefined
    const { primary } = this.parents
    const names = Array.isArray(include)
      ? (include as string[]).map((field) => [field, `_${primary}_${field}`] as const)
      : Object.entries(include as Record<string, string>)
    return Object.fromEntries(names.map(([field, name]) => [name, this.parentValue(field, rows)]))
  }

  /** A field of the parent row, or `resource.field` of another row that the request is about. */
  private parentValue(field: string, rows: RequestRows): unknown {
    const { primary } = this.parents!
    const [row] = rows.get(primary)!
    const own = jsonPath(field).first(row)
    if (own !== undefined) return own
    const dot = field.indexOf('.')
    const other = dot < 0 ? undefined : rows.get(field.slice(0, dot))
    const value = other === undefined ? undefined : jsonPath(field.slice(dot + 1)).first(other[0])
    if (value === undefined) throw this.noParentField(field, row)
    return value
  }

  private noParentField(field: string, row: unknown): PipelineError {
    const has = typeof row === 'object' && row !== null ? Object.keys(row).join(', ') : 'no fields'
    return new PipelineError(
      `resource "${this.spec.name}": a row of "${this.parents!.primary}" has no "${field}" to include`,
      {
        code: 'SOURCE_INVALID',
        resource: this.spec.name,
        fix: `name a field that every row has; this one has: ${has}`,
      },
    )
  }

  private emitSkipped(context: ResourceContext, rows: RequestRows): void {
    const values = valuesOf(this.parents!.fields, rows).map(String).join(', ')
    context.emit({ type: 'skipped', resource: this.spec.name, detail: `all of ${this.parents!.primary} ${values}` })
  }
}

function withFields(rows: unknown[], fields: Record<string, unknown>): unknown[] {
  return rows.map((row) => {
    const own = typeof row === 'object' && row !== null ? row : { value: row }
    return Object.assign(own, fields)
  })
}

/** All pages of a parent, or none when a response action leaves the parent out. */
async function* wholeOrNothing(pages: AsyncIterable<unknown[]>, skipped: () => void): AsyncGenerator<unknown[]> {
  const all: unknown[][] = []
  try {
    for await (const page of pages) all.push(page)
  } catch (error) {
    if (!(error instanceof ParentSkipped)) throw error
    skipped()
    return
  }
  yield* all
}
