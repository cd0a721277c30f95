import {
  cursorColumnType,
  incremental,
  IncrementalCursor,
  type CursorState,
  type Incremental,
  type ResourceContext,
} from '../../extract/index.ts'
import { digestId, keyColumns } from '../../schema/index.ts'
import type { ClientPool } from './client-pool.ts'
import { requestRows, valuesOf, type Parents, type RequestRows } from './parent-rows.ts'
import { readAhead } from './read-ahead.ts'
import { ParentSkipped, RequestPages, type MergedResource, type Reading } from './request-pages.ts'
import type { EndpointSpec } from './spec.ts'

/** Reads the pages of one endpoint, for every parent row where there is one. */
export class EndpointReader {
  private readonly spec: MergedResource
  private readonly clients: ClientPool
  private readonly parents: Parents | undefined
  private readonly requests: RequestPages
  private readonly skipsParents: boolean
  private readonly incremental: Incremental | undefined
  /** Only the first page, of the first parent row; a failure is told, not thrown. */
  private readonly probing: boolean
  /** Values of parent rows that were asked for already, by run. */
  private readonly seen = new WeakMap<ResourceContext, Set<string>>()

  constructor(spec: MergedResource, clients: ClientPool, parents: Parents | undefined, probing = false) {
    this.spec = spec
    this.clients = clients
    this.parents = parents
    this.probing = probing
    this.incremental = cursorOf(spec.endpoint)
    const actions = [...(spec.endpoint.responseActions ?? []), ...(clients.spec.client.responseActions ?? [])]
    this.requests = new RequestPages(spec, { actions, parents, probing })
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
    const reached = new Map<RequestRows, [key: string, state: CursorState]>()
    const read = (rows: RequestRows): AsyncIterable<unknown[]> => {
      const pages = this.pagesFor({ client, context, rows }, (key, state) => reached.set(rows, [key, state]))
      return this.skipsParents ? wholeOrNothing(pages, () => this.emitSkipped(context, rows)) : pages
    }
    const concurrency = client.concurrency * 2
    // What was read ahead counts when its rows have been taken: a state must not be ahead of them.
    const taken = (rows: RequestRows): void => {
      const [key, state] = reached.get(rows) ?? []
      if (key !== undefined) cursorStates(context)[key] = state!
      reached.delete(rows)
    }
    for await (const { key, page: rows } of readAhead(units, read, { concurrency, taken })) {
      context.origin = key
      yield rows
    }
  }

  private seenBy(context: ResourceContext): Set<string> {
    const seen = this.seen.get(context) ?? new Set()
    this.seen.set(context, seen)
    return seen
  }

  /** The pages for one parent row, with a cursor of its own where there is one. */
  private async *pagesFor(
    reading: Reading,
    reached: (key: string, state: CursorState) => void,
  ): AsyncGenerator<unknown[]> {
    const { context, rows } = reading
    if (this.incremental === undefined) {
      yield* this.withWindows(context.cursor, reading)
      return
    }
    const key = digestId(JSON.stringify(valuesOf(this.parents!.fields, rows)))
    const cursor = this.cursorFor(this.incremental, key, cursorStates(context))
    for await (const page of this.withWindows(cursor, reading)) {
      yield cursor.filter(page)
      if (cursor.exhausted) break
    }
    const state = cursor.state()
    if (state !== undefined) reached(key, state)
  }

  private cursorFor(declared: Incremental, key: string, states: Record<string, CursorState>): IncrementalCursor {
    return new IncrementalCursor(declared, {
      resource: this.spec.name,
      primaryKey: keyColumns(this.spec.primaryKey),
      dataType: cursorColumnType(this.spec, declared),
      stored: Object.hasOwn(states, key) ? states[key] : undefined,
    })
  }

  /** With one cursor, window by window where it has windows. */
  private async *withWindows(cursor: IncrementalCursor | undefined, reading: Reading): AsyncGenerator<unknown[]> {
    if (cursor === undefined || this.spec.endpoint.incremental?.window === undefined) {
      yield* this.requests.read(cursor, reading)
      return
    }
    for (const { start, end } of cursor.windows()) {
      const { initialValue, lag } = cursor
      yield* this.requests.read({ startValue: start, lastValue: start, endValue: end, initialValue, lag }, reading)
    }
  }

  private emitSkipped(context: ResourceContext, rows: RequestRows): void {
    const values = valuesOf(this.parents!.fields, rows).map(String).join(', ')
    context.emit({ type: 'skipped', resource: this.spec.name, detail: `all of ${this.parents!.primary} ${values}` })
  }
}

/** The cursor of an endpoint, without what only its requests need. */
export function cursorOf({ incremental: given }: EndpointSpec): Incremental | undefined {
  if (given === undefined) return undefined
  const { cursorPath, startParam: _start, endParam: _end, convert: _convert, ...options } = given
  return incremental(cursorPath, options)
}

/** Cursors by what tells their parents apart. */
const cursorStates = ({ state }: ResourceContext): Record<string, CursorState> =>
  (state.by_parent ??= {}) as Record<string, CursorState>

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
