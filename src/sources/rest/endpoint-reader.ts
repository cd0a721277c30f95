import { setImmediate as turn } from 'node:timers/promises'
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
import type { RestClient } from './client.ts'
import { splitByDay } from './day-split.ts'
import { createPaginator, detectPaginator, type Page, type Paginator } from './paginate/index.ts'
import { copyRequest, formData, joinUrl, setParams, type RestRequest, type RestResponse } from './request.ts'
import { detectingSelector, pathSelector } from './select.ts'
import { invalidSource } from './source-invalid.ts'
import type { EndpointSpec, PaginatorName, PaginatorSpec, ResponseAction, RestResourceSpec } from './spec.ts'
import { fill, fillPath, parentFieldsIn, type CursorValues, type TemplateValues } from './template.ts'

/** A resource with shorthands resolved and defaults applied. */
export interface MergedResource extends RestResourceSpec {
  endpoint: EndpointSpec & { path: string }
}

/** Reads the pages of one endpoint, for every parent row where there is one. */
export class EndpointReader {
  private readonly spec: MergedResource
  private readonly clients: ClientPool
  private readonly parent: string | undefined
  private readonly singleEntity: boolean

  constructor(spec: MergedResource, clients: ClientPool, parent: string | undefined) {
    this.spec = spec
    this.clients = clients
    this.parent = parent
    // A path that ends in a field of the parent names one thing, not a list.
    this.singleEntity = /\{resources\.[^{}]+\}$/.test(spec.endpoint.path)
  }

  /** Child pages for a page of parent rows; several parents are read at once, their pages come in order. */
  async *pagesForAll(rows: readonly unknown[], context: ResourceContext): AsyncGenerator<unknown[]> {
    const client = this.clients.get(context.config)
    const pending: Promise<unknown[][]>[] = []
    let next = 0
    const start = (): void => {
      while (next < rows.length && pending.length < this.concurrency * 2) {
        const read = this.collect(rows[next++], client, context)
        // Awaited below; a failure before that must not count as unhandled.
        read.catch(() => undefined)
        pending.push(read)
      }
    }
    for (start(); pending.length > 0; start()) yield* (await pending.shift()!) as unknown[][]
  }

  private async collect(row: unknown, client: RestClient, context: ResourceContext): Promise<unknown[][]> {
    const pages: unknown[][] = []
    for await (const page of this.pages(row, context, client)) pages.push(page)
    return pages
  }

  /** The pages of the endpoint, for one parent row or none. */
  async *pages(
    row: unknown,
    context: ResourceContext,
    client = this.clients.get(context.config),
  ): AsyncGenerator<unknown[]> {
    const { endpoint } = this.spec
    if (this.parent === undefined || endpoint.incremental === undefined) {
      yield* this.pagesWith(context.cursor, row, context, client)
      return
    }
    const states = (context.state.by_parent ??= {}) as Record<string, CursorState>
    const key = this.parentKey(row)
    const cursor = this.cursorFor(key, states)
    for await (const page of this.pagesWith(cursor, row, context, client)) {
      yield cursor.filter(page)
      if (cursor.exhausted) break
    }
    const state = cursor.state()
    if (state !== undefined) states[key] = state
  }

  /** What tells a parent row from the others: the values that go into the request. */
  private parentKey(row: unknown): string {
    const { path, params, json, data, headers } = this.spec.endpoint
    const fields = parentFieldsIn([path, params, json, data, headers])
    return digestId(JSON.stringify(fields.map((field) => jsonPath(field).first(row))))
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
    return new IncrementalCursor(
      incremental(cursorPath, options),
      this.spec.name,
      keyColumns(this.spec.primaryKey),
      stored,
    )
  }

  /** The pages of the endpoint with one cursor, window by window where it has windows. */
  private async *pagesWith(
    cursor: IncrementalCursor | undefined,
    row: unknown,
    context: ResourceContext,
    client: RestClient,
  ): AsyncGenerator<unknown[]> {
    const { endpoint } = this.spec
    if (cursor === undefined || endpoint.incremental?.window === undefined) {
      yield* this.pagesBetween(cursor, row, context, client)
      return
    }
    for (const { start, end } of cursor.windows()) {
      yield* this.pagesBetween({ startValue: start, lastValue: start, endValue: end }, row, context, client)
    }
  }

  private async *pagesBetween(
    cursor: CursorValues | undefined,
    row: unknown,
    context: ResourceContext,
    client: RestClient,
  ): AsyncGenerator<unknown[]> {
    const { endpoint } = this.spec
    const values: TemplateValues = { parent: this.parent, row, cursor, convert: endpoint.incremental?.convert }
    const request = this.request(client, values)
    const ahead = context.readsAll && cursor === undefined
    if (endpoint.splitByDay === undefined) {
      yield* this.series(request, row, client, context, ahead)
      return
    }
    const { totalPath } = endpoint.splitByDay
    const total = async (part: RestRequest): Promise<number> => {
      const first = copyRequest(part)
      this.paginator(client)?.first(first)
      const response = await this.ask(first, client, context)
      return response === undefined ? 0 : Number(jsonPath(totalPath).first(response.body) ?? 0)
    }
    const start = endpoint.splitByDay.fromCursor === false ? undefined : cursor?.startValue
    const parts = splitByDay(request, endpoint.splitByDay, start === undefined ? undefined : String(start), total)
    for await (const part of parts) yield* this.series(part, row, client, context, ahead)
  }

  /**
   * The pages of one request, in order. `ahead`: a page is asked for while the one before is being used, and several at
   * once where their number is known.
   */
  private async *series(
    request: RestRequest,
    row: unknown,
    client: RestClient,
    context: ResourceContext,
    ahead: boolean,
  ): AsyncGenerator<unknown[]> {
    const selector = this.selector()
    const fromParent = this.fieldsOfParent(row)
    let paginator = this.paginator(client)
    paginator?.first(request)
    const sameAnswer = this.sameAnswerGuard()
    const asked = new Set<string>()
    const ask = (): Promise<RestResponse | undefined> => {
      // The request changes while this one is under way.
      const answer = this.askOnce(copyRequest(request), asked, client, context)
      // Awaited when its turn comes; a failure before that must not count as unhandled.
      answer.catch(() => undefined)
      return answer
    }
    const waiting = [ask()]
    let foreseen = false
    while (waiting.length > 0) {
      const response = await waiting.shift()!
      if (response === undefined) return
      const page = { response, rows: selector.rows(response.body) }
      paginator ??= createPaginator(detectPaginator(response, page.rows))
      foreseen ||= ahead && paginator.foresees?.(page) === true
      if (foreseen && paginator.endsWith!(page)) return
      if (foreseen) while (waiting.length < this.concurrency && paginator.skip!(request)) waiting.push(ask())
      const more = waiting.length === 0 && paginator.next(request, page)
      if (more && ahead) waiting.push(ask())
      // Rows are walked in one go: without a turn for the socket, the requests would leave only after them.
      if (waiting.length > 0) await turn()
      sameAnswer(page)
      yield this.withFields(page.rows, fromParent)
      if (more && !ahead) waiting.push(ask())
    }
  }

  private get concurrency(): number {
    return this.clients.spec.client.concurrency ?? 6
  }

  private async askOnce(
    request: RestRequest,
    asked: Set<string>,
    client: RestClient,
    context: ResourceContext,
  ): Promise<RestResponse | undefined> {
    this.guardLoop(request, asked)
    return this.ask(request, client, context)
  }

  /** Throws when one answer follows itself too often: the API does not know the parameter that should change it. */
  private sameAnswerGuard(): (page: Page) => void {
    let times = 0
    let before: string | undefined
    return ({ response: { text }, rows }) => {
      times = rows.length > 0 && before === text ? times + 1 : 0
      before = text
      if (times === sameAnswers) throw this.loops('the same answer comes again and again')
    }
  }

  private guardLoop(request: RestRequest, asked: Set<string>): void {
    const key = `${request.method} ${request.url.href} ${JSON.stringify(request.body ?? null)}`
    if (!asked.has(key)) {
      asked.add(key)
      return
    }
    throw this.loops('it asks for the same page again')
  }

  private loops(what: string): PipelineError {
    return new PipelineError(`resource "${this.spec.name}": paging does not end: ${what}`, {
      code: 'PAGING_LOOP',
      resource: this.spec.name,
      fix: 'check the paginator: its cursor, next link or parameter does not move on, or the API does not know it',
    })
  }

  /** The answer, or `undefined` when a response action ignores it. */
  private async ask(
    request: RestRequest,
    client: RestClient,
    context: ResourceContext,
  ): Promise<RestResponse | undefined> {
    const { name, endpoint } = this.spec
    try {
      const response = await client.send(request, endpoint.auth, {
        resource: name,
        signal: context.signal,
        emit: context.emit,
        isFinal: (status) =>
          (endpoint.responseActions ?? []).some(
            (one) => one.content === undefined && Number(one.statusCode) === status,
          ),
      })
      return this.isIgnored(response.status, response.body) ? undefined : response
    } catch (error) {
      const status = statusOf(error)
      if (status === undefined || !this.isIgnored(status, (error as Error).message)) throw error
      context.emit({ type: 'skipped', resource: name, detail: `${request.url.pathname} answered ${status}` })
      return undefined
    }
  }

  private isIgnored(status: number, body: unknown): boolean {
    const matches = ({ statusCode, content, action }: ResponseAction): boolean =>
      action === 'ignore' &&
      (statusCode === undefined || Number(statusCode) === status) &&
      (content === undefined || JSON.stringify(body).includes(content)) &&
      (statusCode !== undefined || content !== undefined)
    return (this.spec.endpoint.responseActions ?? []).some(matches)
  }

  private request(client: RestClient, values: TemplateValues): RestRequest {
    const { endpoint } = this.spec
    const params = { ...endpoint.params }
    const path = fillPath(takePathParams(endpoint.path, params), values)
    const request: RestRequest = {
      method: endpoint.method ?? 'GET',
      url: joinUrl(client.baseUrl, path),
      headers: this.headers(client, values),
      body:
        endpoint.json === undefined || endpoint.json === null
          ? undefined
          : (fill(endpoint.json, values) as Record<string, unknown>),
      data: formData(fill(endpoint.data, values)),
    }
    setParams(request.url, { ...(fill(params, values) as object), ...this.cursorParams(values) })
    return request
  }

  private headers(client: RestClient, values: TemplateValues): Record<string, string> {
    const own = fill(this.spec.endpoint.headers ?? {}, values) as Record<string, unknown>
    const texts = Object.entries(own).map(([name, value]) => [name, String(value)])
    return { ...client.headers(), ...Object.fromEntries(texts) }
  }

  private cursorParams({ cursor, convert }: TemplateValues): Record<string, unknown> {
    const { incremental: declared } = this.spec.endpoint
    if (declared === undefined || cursor === undefined) return {}
    const value = (of: unknown): unknown => (of !== undefined && convert !== undefined ? convert(of) : of)
    return {
      ...(declared.startParam === undefined ? {} : { [declared.startParam]: value(cursor.startValue) }),
      ...(declared.endParam === undefined ? {} : { [declared.endParam]: value(cursor.endValue) }),
    }
  }

  private selector() {
    const { dataSelector } = this.spec.endpoint
    if (dataSelector !== undefined && dataSelector !== null && dataSelector !== '') return pathSelector(dataSelector)
    return this.singleEntity ? pathSelector('$') : detectingSelector()
  }

  /** The declared paginator; `undefined` when the first answer has to tell. */
  private paginator(client: RestClient): Paginator | undefined {
    const own = this.spec.endpoint.paginator ?? (this.singleEntity ? 'single_page' : client.paginator)
    const spec: PaginatorSpec | undefined =
      typeof own === 'string' ? ({ type: own as PaginatorName } as PaginatorSpec) : own
    return spec === undefined || spec.type === 'auto' ? undefined : createPaginator(spec)
  }

  private noParentField(field: string, row: unknown): PipelineError {
    const has = typeof row === 'object' && row !== null ? Object.keys(row).join(', ') : 'no fields'
    return new PipelineError(`resource "${this.spec.name}": a row of "${this.parent}" has no "${field}" to include`, {
      code: 'SOURCE_INVALID',
      resource: this.spec.name,
      fix: `name a field that every row has; this one has: ${has}`,
    })
  }

  /** What every row of a child takes over from its parent row. */
  private fieldsOfParent(parentRow: unknown): Record<string, unknown> | undefined {
    const { includeFromParent: include } = this.spec
    if (include === undefined || parentRow === undefined) return undefined
    const names = Array.isArray(include)
      ? (include as string[]).map((field) => [field, `_${this.parent}_${field}`] as const)
      : Object.entries(include as Record<string, string>)
    const added = names.map(([field, name]) => {
      const value = jsonPath(field).first(parentRow)
      if (value === undefined) throw this.noParentField(field, parentRow)
      return [name, value] as const
    })
    return Object.fromEntries(added)
  }

  private withFields(rows: unknown[], fields: Record<string, unknown> | undefined): unknown[] {
    if (fields === undefined) return rows
    return rows.map((row) => {
      const own = typeof row === 'object' && row !== null ? row : { value: row }
      return Object.assign(own, fields)
    })
  }
}

/** So often may one answer follow itself: a page of equal rows is no loop yet. */
const sameAnswers = 5

/** `{name}` in a path takes the parameter of that name out of the query. */
function takePathParams(path: string, params: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (value === undefined || value === null) throw invalidSource(`path "${path}" needs the parameter "${name}"`)
    delete params[name]
    // A template stays one: it is filled, and encoded, together with the rest of the path.
    return typeof value === 'string' && value.startsWith('{') ? value : encodeURIComponent(String(value))
  })
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof PipelineError ? (error.cause as { status?: number } | undefined)?.status : undefined
