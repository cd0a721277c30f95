import type { Config } from '../config/index.ts'
import type { TableHints } from '../normalize/index.ts'
import type { ExtractEvent } from './events.ts'
import type { StandardSchema } from './standard-schema.ts'
import { validateRows } from './validate-rows.ts'
import type { Incremental } from './incremental.ts'
import type { IncrementalCursor } from './incremental-cursor.ts'
import { MarkedRows, rowsOf, separated, withRows, type Page } from './marked-rows.ts'

/** What a resource gets while it is read. */
export interface ResourceContext {
  readonly signal: AbortSignal
  /** Kept with the pipeline's state once the resource is through. JSON values only. */
  readonly state: Record<string, unknown>
  /** Shared by all resources of the source; kept with whichever package comes next. */
  readonly sourceState: Record<string, unknown>
  /** The resource's cursor, when it declares one. */
  readonly cursor: IncrementalCursor | undefined
  /** Neither limit nor cursor can end the reading early: what comes next may be asked for ahead. */
  readonly readsAll: boolean
  /** Settings and secrets. */
  readonly config: Config
  /** Of the upstream resource, whose page is being transformed. */
  readonly upstream: ResourceContext | undefined
  /** The rows above that the page which is yielded next comes from, by resource; a transformer says it for those below. */
  origin: ReadonlyMap<string, readonly unknown[]> | undefined
  /** True when a page had rows, and steps or validators left none of them. */
  leftOut?: boolean
  /** All rows of a resource that this one stands `alongside`, as soon as it is through. */
  rowsOf(resource: string): Promise<readonly unknown[]>
  emit(event: ExtractEvent): void
  /** Leaves a row out, and keeps it in the quarantine where there is one. */
  discard(reason: string, row: unknown): void
}

/** Rows, pages of rows, or functions and iterables of them. */
export type ResourceData<Row> =
  | Iterable<Row | readonly Row[]>
  | AsyncIterable<Row | readonly Row[]>
  | Promise<Row | readonly Row[]>
export type ResourceProducer<Row> = ResourceData<Row> | ((context: ResourceContext) => ResourceData<Row>)
export type PageTransform<In, Out> = (page: readonly In[], context: ResourceContext) => ResourceData<Out>

// A method's parameter is bivariant: a resource of users must fit where any resource fits.
type RowFunction<Row> = { of(row: Row): string }['of']

export interface ResourceOptions<Row = unknown> extends TableHints {
  /** The table's name, or a function that tells it from a row. @default the resource's name */
  tableName?: string | RowFunction<Row>
  incremental?: Incremental
  /** `false`: read for its transformers only. @default true */
  selected?: boolean
  maxTableNesting?: number
  /** Columns that a table may get from its rows. @default the source's */
  maxTableColumns?: number
  /** A validator of zod, valibot, arktype or any other Standard Schema; gives the rows their type. */
  schema?: StandardSchema<Row>
  /**
   * The rows already read stay right if a run ends early: the next run reads them again, or goes on after them. Tables
   * merged by primary key are; anything else is packaged only as a whole.
   */
  resumable?: boolean
  /**
   * `continue`: when this resource or one below it fails, or the destination refuses it, the whole tree is left out and its state
   * stays; the others load, and the run ends well. The resource at the root decides. @default 'fail'
   */
  onError?: 'fail' | 'continue'
  /**
   * `replace` may empty a table that has rows because none came. Rows that came and that filters or validators left out are
   * enough without it. @default false, an error
   */
  allowEmpty?: boolean
}

/** A resource whose rows, all of them, are needed while another is read. */
export interface Alongside {
  resource: Resource
  /** What is kept of a row, in memory. */
  keep(row: unknown): unknown
}

/** What a resource asks an API for, for documentation. */
export interface EndpointFacts {
  method: string
  /** With `{…}` where values of parents or parameters go. */
  path: string
  /** Where the rows stand in an answer; `undefined` when the first answer tells. */
  dataSelector?: string | undefined
  /** The kind of paging; `undefined` when the first answer tells. */
  paginator?: string | undefined
  /** The path of its cursor in a row. */
  cursor?: string | undefined
}

export interface ReadLimit {
  pages?: number
  rows?: number
  timeMs?: number
}

type Step = (rows: readonly unknown[]) => readonly unknown[]

/** A table's worth of rows from somewhere. Every method returns a new resource. */
export class Resource<Row = unknown> {
  readonly name: string
  readonly options: ResourceOptions<Row>
  /** The resource whose pages this one transforms. */
  readonly upstream: Resource | undefined
  readonly readLimit: ReadLimit | undefined
  readonly alongside: readonly Alongside[]
  readonly endpoint: EndpointFacts | undefined
  /** It leaves out rows that an earlier run read. */
  readonly remembers: boolean
  private readonly produce: (page: readonly unknown[], context: ResourceContext) => ResourceData<unknown>
  private readonly steps: readonly Step[]

  constructor(parts: {
    name: string
    options: ResourceOptions<Row>
    upstream?: Resource | undefined
    produce(page: readonly unknown[], context: ResourceContext): ResourceData<unknown>
    steps?: readonly Step[]
    readLimit?: ReadLimit | undefined
    alongside?: readonly Alongside[]
    endpoint?: EndpointFacts | undefined
    remembers?: boolean
  }) {
    this.name = parts.name
    this.options = parts.options
    this.upstream = parts.upstream
    this.produce = parts.produce
    this.steps = parts.steps ?? []
    this.readLimit = parts.readLimit
    this.alongside = parts.alongside ?? []
    this.endpoint = parts.endpoint
    this.remembers = parts.remembers ?? false
  }

  /** Resources whose rows this one is made from. */
  get needs(): Resource[] {
    const alongside = this.alongside.map((one) => one.resource)
    return this.upstream === undefined ? alongside : [this.upstream, ...alongside]
  }

  /** Whether another resource reads the same data, however its rows are changed afterwards. */
  readsLike(other: Resource): boolean {
    return this.produce === other.produce
  }

  /** Changes every row. */
  map<Out>(change: (row: Row) => Out): Resource<Out> {
    return this.withStep((rows) => rows.map((row) => change(row as Row))) as unknown as Resource<Out>
  }

  filter(keep: (row: Row) => boolean): Resource<Row> {
    return this.withStep((rows) => rows.filter((row) => keep(row as Row)))
  }

  /**
   * Leaves out rows whose field had a value that an earlier run already saw. The values are kept in the resource's
   * state, so this is for short lists of ids.
   */
  remembering(field: string): Resource<Row> {
    const { produce } = this
    return this.copy({
      remembers: true,
      produce: async function* (page, context) {
        const seen = new Set((context.state.seen ??= []) as unknown[])
        for await (const one of asPages(produce(page, context), context)) {
          const fresh = rowsOf(one).filter((row) => !seen.has((row as Record<string, unknown>)[field]))
          for (const row of fresh) seen.add((row as Record<string, unknown>)[field])
          yield withRows(one, fresh)
        }
        context.state.seen = [...seen]
      },
    })
  }

  /**
   * Reads at most so many pages, as dlt's `add_limit` does; or until so many rows have come (the page that crosses the
   * number is loaded whole), or for so long.
   */
  limit(limit: number | ReadLimit): Resource<Row> {
    return this.copy({ readLimit: typeof limit === 'number' ? { pages: limit } : limit })
  }

  /** Makes any number of rows of each. */
  flatMap<Out>(change: (row: Row) => readonly Out[]): Resource<Out> {
    return this.withStep((rows) => rows.flatMap((row) => [...change(row as Row)])) as unknown as Resource<Out>
  }

  /** The same resource, saying what it asks for. */
  describedBy(endpoint: EndpointFacts): Resource<Row> {
    return this.copy({ endpoint })
  }

  /** Feeds this resource's pages into a transformer. */
  pipe<Out>(transform: Resource<Out>): Resource<Out> {
    return transform.copy({ upstream: this as unknown as Resource })
  }

  /** The same resource with other hints or options. */
  with(options: ResourceOptions<Row>): Resource<Row> {
    return this.copy({ options: { ...this.options, ...options } })
  }

  /** Pages as they come: for a root resource from nothing, for a transformer from a page of its upstream. */
  async *pages(context: ResourceContext, page: readonly unknown[] = []): AsyncGenerator<Page> {
    const { schema } = this.options
    for await (const one of asPages(this.produce(page, context), context)) {
      let isEmpty = true
      for (const changed of this.afterSteps(one)) {
        const kept = schema === undefined ? [changed] : await this.validated(schema, changed, context)
        for (const rows of kept) {
          isEmpty &&= rowsOf(rows).length === 0
          yield rows
        }
      }
      if (isEmpty && rowsOf(one).length > 0) context.leftOut = true
    }
  }

  private async validated(schema: StandardSchema<Row>, page: Page, context: ResourceContext): Promise<readonly Page[]> {
    const { name, options } = this
    const rows = await validateRows(name, schema, options as ResourceOptions, rowsOf(page), context)
    return separated(withRows(page, rows))
  }

  /** A step may mark rows, so that one page becomes several. */
  private afterSteps(page: Page): readonly Page[] {
    return this.steps.reduce<readonly Page[]>(
      (pages, step) => pages.flatMap((one) => separated(withRows(one, step(rowsOf(one))))),
      [page],
    )
  }

  private withStep(step: Step): Resource<Row> {
    return this.copy({ steps: [...this.steps, step] })
  }

  private copy(changes: {
    options?: ResourceOptions<Row>
    upstream?: Resource
    steps?: readonly Step[]
    readLimit?: ReadLimit
    endpoint?: EndpointFacts
    remembers?: boolean
    produce?: Resource['produce']
  }): Resource<Row> {
    return new Resource<Row>({
      name: this.name,
      options: this.options,
      upstream: this.upstream,
      produce: this.produce,
      steps: this.steps,
      readLimit: this.readLimit,
      alongside: this.alongside,
      endpoint: this.endpoint,
      remembers: this.remembers,
      ...changes,
    })
  }
}

/** A resource from rows, pages, iterables, or a function that makes them. */
export function resource<Row>(
  name: string,
  data: ResourceProducer<Row>,
  options: ResourceOptions<Row> = {},
): Resource<Row> {
  return new Resource<Row>({
    name,
    options,
    produce: (_page, context) => (typeof data === 'function' ? data(context) : data),
  })
}

export interface TransformerOptions<In, Out> extends ResourceOptions<Out> {
  from?: Resource<In>
  alongside?: readonly Alongside[]
  /** Gives the function one row at a time, so many at once; their pages come in the order of the rows. */
  concurrency?: number
}

async function* eachRow<In, Out>(
  rows: readonly In[],
  context: ResourceContext,
  { concurrency, transform }: { concurrency: number; transform(row: In): ResourceData<Out> },
): AsyncGenerator<Out[]> {
  const pending: Promise<Out[]>[] = []
  let next = 0
  const start = (): void => {
    while (next < rows.length && pending.length < concurrency) {
      const result = gather(transform(rows[next++]!), context)
      // Awaited below; a failure before that must not count as unhandled.
      result.catch(() => undefined)
      pending.push(result)
    }
  }
  for (start(); pending.length > 0; start()) yield await pending.shift()!
}

async function gather<Out>(data: ResourceData<Out>, context: ResourceContext): Promise<Out[]> {
  const rows: unknown[] = []
  for await (const page of asPages(data, context)) {
    if (page instanceof MarkedRows) rows.push(page)
    else for (const row of page) rows.push(row)
  }
  return rows as Out[]
}

/** A resource made from each page of another: `users.pipe(transformer('details', async function* (page) { … }))`. */
export function transformer<In, Out>(
  name: string,
  transform: PageTransform<In, Out>,
  options: TransformerOptions<In, Out> = {},
): Resource<Out> {
  const { from, concurrency, alongside = [], ...rest } = options
  return new Resource<Out>({
    name,
    options: rest as ResourceOptions<Out>,
    upstream: from as Resource | undefined,
    alongside,
    produce: (page, context) =>
      concurrency === undefined
        ? transform(page as readonly In[], context)
        : eachRow(page as readonly In[], context, { concurrency, transform: (row) => transform([row], context) }),
  })
}

const rowsPerPage = 1000

/** Single rows are gathered into pages: everything after this works on pages. Only async data costs promises. */
async function* asPages(data: ResourceData<unknown>, { cursor }: ResourceContext): AsyncGenerator<Page> {
  const known = data instanceof Promise ? ((await data) as Iterable<unknown>) : data
  const gathering = new PageGatherer()
  // A row of a window must not wait until the next window has begun.
  const take = (item: unknown): readonly Page[] =>
    cursor?.isInWindows === true ? [...gathering.take(item), ...gathering.rest()] : gathering.take(item)
  if (Symbol.iterator in known) {
    for (const item of known) yield* take(item)
  } else {
    for await (const item of known as AsyncIterable<unknown>) yield* take(item)
  }
  yield* gathering.rest()
}

class PageGatherer {
  private rows: unknown[] = []

  /** The pages that are complete with this item: a page is passed on, a row waits for others. */
  take(item: unknown): readonly Page[] {
    if (Array.isArray(item) || item instanceof MarkedRows) {
      return this.rows.length === 0 ? separated(item) : [...this.rest(), ...separated(item)]
    }
    this.rows.push(item)
    return this.rows.length < rowsPerPage ? none : this.rest()
  }

  rest(): readonly Page[] {
    if (this.rows.length === 0) return none
    const page = this.rows
    this.rows = []
    return [page]
  }
}
const none: readonly Page[] = []
