import { PipelineError, type ErrorCode } from '../errors/index.ts'
import { bringsRows, listedRows } from '../normalize/index.ts'
import { keyColumns } from '../schema/index.ts'
import { Pauses } from '../timers/index.ts'
import type { Config } from '../config/index.ts'
import type { ExtractEvent } from './events.ts'
import { cursorColumnType, IncrementalCursor } from './incremental-cursor.ts'
import { rowsOf, withRows, type Page } from './marked-rows.ts'
import { requireDistinctNames } from './distinct-names.ts'
import { copyOf, replaces, startState, withCursor, type Progress, type ResourceState } from './resource-state.ts'
import type { ReadLimit, Resource, ResourceContext } from './resource.ts'
import type { Source } from './source.ts'
import { requireWholeTables } from './whole-tables.ts'

/** Who takes the rows. */
export interface ExtractHost {
  readonly signal: AbortSignal
  readonly config: Config
  stateOf(resource: string): ResourceState
  /** Shared by the resources of the source. */
  readonly sourceState: Record<string, unknown>
  write(resource: Resource, page: Page): void
  /** A validator refuses a row, and the contract says to go on without it. */
  discard(resource: Resource, reason: string, row: unknown): void
  /** Everything read so far stays right if the run ends here: these are the states that go with it. */
  checkpoint(states: Map<string, ResourceState>): void
  /** A page with everything below it has been written: the moment to package, and to wait for a slow destination. */
  pageDone(): Promise<void>
  /** A resource with `replace` brought no rows. Throws when that would empty a table that has some. */
  nothingCame?(resource: Resource): Promise<void>
  /** A root resource and everything below it is through; the states of all of them. */
  rootDone(root: Resource, tree: readonly Resource[], states: Map<string, ResourceState>): void
  /** A root resource that may fail did: its rows and its states are not to be kept. Throws when they cannot be left out. */
  rootFailed(tree: readonly Resource[], error: unknown): Promise<void>
  /** The destination has refused rows of a tree, so that it is not read any further. */
  isLeftOut?(tree: readonly Resource[]): boolean
  emit(event: ExtractEvent): void
}

/** Root resources that are read at the same time. */
const parallelRoots = 5

interface Node {
  resource: Resource
  selected: boolean
  children: Node[]
  context: ResourceContext
  rows: number
  /** One of the rows was more than nothing. */
  hasRows: boolean
  pages: number
  begun: number
  /** The limit was reached before the source ended. */
  wasCut: boolean
  /** Rows that others need, whole, and the moment when they are all there. */
  kept: Kept | undefined
}

interface Kept {
  keep: (row: unknown) => unknown
  rows: unknown[]
  through: PromiseWithResolvers<readonly unknown[]>
}

/** Reads the selected resources of a source, parents once for all their children. */
export async function extract(source: Source, host: ExtractHost): Promise<void> {
  requireDistinctNames(source)
  requireWholeTables(source)
  const abort = new AbortController()
  const signal = AbortSignal.any([host.signal, abort.signal])
  const roots = plan(source, { ...host, signal })
  const queue = [...roots]
  const worker = async (): Promise<void> => {
    for (let root = queue.shift(); root !== undefined; root = queue.shift()) {
      await readRoot(root, host).catch((error: unknown) => letThrough(root!, host, signal, error))
    }
  }
  const workers = Array.from({ length: Math.min(parallelRoots, queue.length) }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    // The others would go on asking an API for rows that nobody will take.
    abort.abort()
    await Promise.allSettled(workers)
    throw error
  }
}

/** A root that may fail is left out with all below it, and the others go on. */
async function letThrough(root: Node, host: ExtractHost, signal: AbortSignal, error: unknown): Promise<void> {
  const tree = flatten(root)
  // Whoever waits for these rows waits in vain.
  for (const { kept } of tree) kept?.through.reject(error)
  const resources = tree.map((node) => node.resource)
  const mayFail = root.resource.options.onError === 'continue' || host.isLeftOut?.(resources) === true
  if (!mayFail || signal.aborted) throw error
  await host.rootFailed(resources, error)
  host.emit({ type: 'resource-failed', resource: root.resource.name, error })
}

/** The trees of resources to read: selected ones and the parents they need. Those that others wait for come first. */
function plan(source: Source, host: ExtractHost): Node[] {
  const nodes = new Map<string, Node>()
  const roots: Node[] = []
  const allRowsOf = (name: string): Promise<readonly unknown[]> => nodes.get(name)!.kept!.through.promise
  const add = (resource: Resource, selected: boolean): Node => {
    const known = nodes.get(resource.name)
    if (known !== undefined) {
      known.selected ||= selected
      return known
    }
    const node = {
      resource,
      selected,
      children: [],
      context: { ...contextOf(resource, source.rootOf(resource), host), rowsOf: allRowsOf },
      rows: 0,
      hasRows: false,
      pages: 0,
      begun: performance.now(),
      wasCut: false,
      kept: undefined,
    } as Node
    nodes.set(resource.name, node)
    for (const { resource: other, keep } of resource.alongside) {
      const through = Promise.withResolvers<readonly unknown[]>()
      // Whoever needs the rows sees the failure.
      through.promise.catch(() => undefined)
      add(source.declared(other), false).kept ??= { keep, rows: [], through }
    }
    if (resource.upstream === undefined) {
      roots.push(node)
    } else {
      const parent = add(source.declared(resource.upstream), false)
      parent.children.push(node)
      Object.assign(node.context, { upstream: parent.context })
    }
    return node
  }
  for (const resource of source.resources) if (resource.options.selected !== false) add(resource, true)
  return inOrderOfNeed(roots)
}

/** A tree after those whose rows it needs: were it the other way round, all workers could wait. */
function inOrderOfNeed(roots: readonly Node[]): Node[] {
  const ordered: Node[] = []
  const visit = (root: Node, path: readonly Node[]): void => {
    if (ordered.includes(root)) return
    if (path.includes(root)) {
      const names = [...path, root].map(({ resource }) => resource.name).join(' → ')
      throw new PipelineError(`resources wait for each other in a circle: ${names}`, {
        code: 'SOURCE_INVALID',
        fix: 'take one of the references out',
      })
    }
    const needed = flatten(root).flatMap(({ resource }) => resource.alongside.map((one) => one.resource.name))
    for (const other of roots) {
      if (flatten(other).some(({ resource }) => needed.includes(resource.name))) visit(other, [...path, root])
    }
    ordered.push(root)
  }
  for (const root of roots) visit(root, [])
  return ordered
}

function contextOf(resource: Resource, root: Resource, host: ExtractHost): Omit<ResourceContext, 'rowsOf'> {
  const state = startState(resource.options, host.stateOf(resource.name))
  const { incremental, primaryKey } = resource.options
  return {
    signal: host.signal,
    state,
    sourceState: host.sourceState,
    config: host.config,
    upstream: undefined,
    origin: undefined,
    readsAll: incremental === undefined && resource.readLimit === undefined,
    cursor:
      incremental === undefined
        ? undefined
        : new IncrementalCursor(incremental, {
            resource: resource.name,
            primaryKey: keyColumns(primaryKey),
            dataType: cursorColumnType(resource.options, incremental),
            stored: state.incremental?.[incremental.cursorPath],
            beyond: state.beyond_cursor?.[incremental.cursorPath],
            isLimited: root.readLimit !== undefined,
          }),
    emit: host.emit,
    discard: (reason, row) => host.discard(resource, reason, row),
  }
}

async function readRoot(root: Node, host: ExtractHost): Promise<void> {
  const tree = flatten(root)
  for (const { resource } of tree) host.emit({ type: 'resource-started', resource: resource.name })
  const windowEnded = async (): Promise<void> => {
    checkpoint(root, tree, host)
    await host.pageDone()
  }
  await read(root, [], host, { pageDone: () => pageDone(root, tree, host), windowEnded })
  for (const { kept } of tree) kept?.through.resolve(kept.rows)
  for (const node of tree) if (root.wasCut && progressOf(node, root, true) === 'some') emitUnmoved(node, host)
  for (const node of tree) if (broughtNothing(node)) await host.nothingCame?.(node.resource)
  const states = statesOf(root, tree, true)
  const loaded = tree.filter((node) => node.selected).map((node) => node.resource)
  host.rootDone(root.resource, loaded, states)
  for (const { resource, rows, pages } of tree) {
    host.emit({ type: 'resource-finished', resource: resource.name, rows, pages })
  }
  await host.pageDone()
}

const broughtNothing = ({ resource: { options }, selected, hasRows, context }: Node): boolean =>
  selected && !hasRows && context.leftOut !== true && options.allowEmpty !== true && replaces(options)

/** Rows in the order of their cursor can be gone on with after any page. */
async function pageDone(root: Node, tree: readonly Node[], host: ExtractHost): Promise<void> {
  const { cursor } = root.context
  if (root.resource.options.incremental?.rowOrder === 'asc' && cursor?.isComplete === true) checkpoint(root, tree, host)
  await host.pageDone()
}

/** The states go on changing, so copies are kept. A table that is replaced is replaced by all its rows. */
function checkpoint(root: Node, tree: readonly Node[], host: ExtractHost): void {
  if (tree.some(({ selected, resource }) => selected && replaces(resource.options))) return
  const states = [...statesOf(root, tree, false)].map(
    ([name, state]) => [name, copyOf(state) as ResourceState] as const,
  )
  host.checkpoint(new Map(states))
}

const statesOf = (root: Node, tree: readonly Node[], hasEnded: boolean): Map<string, ResourceState> =>
  new Map(tree.map((node) => [node.resource.name, stateAfter(node, progressOf(node, root, hasEnded))]))

/** Until the root has been read to its end, rows for a resource below it may come that lie before its cursor. */
function progressOf(node: Node, root: Node, hasEnded: boolean): Progress {
  if (hasEnded && !root.wasCut) return 'all'
  return node === root && node.context.cursor?.isComplete === true ? 'ordered' : 'some'
}

const flatten = (node: Node): Node[] => [node, ...node.children.flatMap(flatten)]

function stateAfter({ resource, context }: Node, progress: Progress): ResourceState {
  const { cursor, state } = context
  return cursor === undefined
    ? state
    : withCursor(state, resource.options.incremental!.cursorPath, { cursor, progress })
}

function emitUnmoved({ resource, context }: Node, host: ExtractHost): void {
  if (context.cursor === undefined || context.cursor.isRange || replaces(resource.options)) return
  const { cursorPath } = resource.options.incremental!
  host.emit({
    type: 'skipped',
    resource: resource.name,
    detail: `rows after the limit; the cursor "${cursorPath}" stays where it was, so that the next run reads them`,
  })
}

/** Reads a resource, for a transformer from one page of its parent; every page goes down the tree at once. */
async function read(
  node: Node,
  upstream: readonly unknown[],
  host: ExtractHost,
  root?: { pageDone(): Promise<void>; windowEnded(): Promise<void> },
): Promise<void> {
  const { resource, context, children } = node
  const limit = root === undefined ? undefined : resource.readLimit
  if (limit !== undefined && isReached(limit, node)) {
    node.wasCut = true
    return
  }
  try {
    for await (const page of resource.pages(context, upstream)) {
      context.signal.throwIfAborted()
      // The page belongs to the next window: what came before is complete.
      if (context.cursor?.takeWindowEnd() === true) await root?.windowEnded()
      const kept = context.cursor === undefined ? page : filterPage(context.cursor, page)
      const rows = rowsOf(kept)
      const normalizeMs = node.selected ? await write(resource, kept, host) : 0
      if (node.kept !== undefined) node.kept.rows.push(...rows.map(node.kept.keep))
      node.rows += rows.length
      node.hasRows ||= bringsRows(rows)
      node.pages += 1
      host.emit({ type: 'page', resource: resource.name, rows: rows.length, normalizeMs })
      if (rows.length > 0) for (const below of children) await read(below, rows, host)
      await root?.pageDone()
      if (context.cursor?.exhausted === true) return
      if (limit !== undefined && isReached(limit, node)) {
        node.wasCut = true
        return
      }
    }
  } catch (error) {
    throw failed(resource, error)
  }
}

/** A page of more rows is written in parts, so that timeouts and signals have their turn meanwhile. */
const rowsAtOnce = 20_000

/** Writes a page and returns the milliseconds that it took. */
async function write(resource: Resource, page: Page, host: ExtractHost): Promise<number> {
  // Here and nowhere later: a list of many rows counts as so many, and each page is looked through for lists once.
  const rows = listedRows(rowsOf(page))
  if (rows.length <= rowsAtOnce) return timed(() => host.write(resource, withRows(page, rows)))
  const pauses = new Pauses()
  let ms = 0
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    ms += timed(() => host.write(resource, withRows(page, rows.slice(from, from + rowsAtOnce))))
    await pauses.take()
    host.signal.throwIfAborted()
  }
  return ms
}

function timed(work: () => void): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

const isReached = ({ pages, rows, timeMs }: ReadLimit, node: Node): boolean =>
  (pages !== undefined && node.pages >= pages) ||
  (rows !== undefined && node.rows >= rows) ||
  (timeMs !== undefined && performance.now() - node.begun >= timeMs)

/** Pages may hold lists of rows; the cursor looks at each row. */
function filterPage(cursor: IncrementalCursor, page: Page): Page {
  return withRows(page, cursor.filter(listedRows(rowsOf(page))))
}

/** What goes wrong between an API and its reader, who may not know for whom it reads. */
const ofReading: ReadonlySet<ErrorCode> = new Set([
  'HTTP_TOO_LARGE',
  'LIMIT_EXCEEDED',
  'LINK_FORBIDDEN',
  'PAGING_LOOP',
  'PAGING_UNKNOWN',
])

function failed(resource: Resource, error: unknown): unknown {
  if (error instanceof PipelineError && error.resource === undefined && ofReading.has(error.code)) {
    const { code, fix, recovery, summary, cause } = error
    const what = summary.includes(`"${resource.name}"`) ? summary : `resource "${resource.name}": ${summary}`
    return new PipelineError(what, { code, fix, recovery, cause, resource: resource.name })
  }
  if (error instanceof PipelineError || (error as { name?: string } | null)?.name === 'AbortError') return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof RangeError && /call stack/.test(message)) {
    return new PipelineError(`resource "${resource.name}": a document nests too deep`, {
      code: 'NESTED_TOO_DEEP',
      resource: resource.name,
      fix: 'ask the API for less depth; nothing of this resource was loaded',
      cause: error,
    })
  }
  return new PipelineError(`resource "${resource.name}" failed: ${message}`, {
    code: 'RESOURCE_FAILED',
    resource: resource.name,
    fix: 'correct the resource, or see the cause with --debug; nothing of this resource was loaded',
    cause: error,
  })
}
