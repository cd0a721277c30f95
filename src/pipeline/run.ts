import type { Config } from '../config/index.ts'
import type { Destination, DestinationSession } from '../destinations/index.ts'
import { asDiskError, PipelineError, type ErrorCode } from '../errors/index.ts'
import { extract, type Source } from '../extract/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { EarlyLoad, loadPackage, type EarlyFile, type LoadReceipt } from '../load/index.ts'
import { newLoadId, type LoadPackage, type PackageStore } from '../package/index.ts'
import {
  bumpVersion,
  emptySchema,
  namingConvention,
  schemaFromStored,
  storedSchema,
  type Schema,
  type StoredSchema,
} from '../schema/index.ts'
import type { RunEvent } from './events.ts'
import type { FailedResource, LoadedPackage } from './load-info.ts'
import { PackageBuilder, type PackageLimits } from './package-builder.ts'
import { checkPartition, type PartitionLoad } from './partition.ts'
import { applyRefresh, resetResources, tablesOf, type RefreshMode } from './refresh.ts'
import { exportSchema, importSchema, type SchemaFiles } from './schema-files.ts'
import { emptyState, resourceState, sourceState, stateFromRow, stateRow, type PipelineState } from './state.ts'

/** What the stages of a run share. */
export interface RunEnvironment {
  pipeline: string
  dataset: string
  destination: Destination
  session: DestinationSession
  store: PackageStore
  config: Config
  limits: PackageLimits
  refresh: RefreshMode | undefined
  partition: Required<PartitionLoad> | undefined
  schemaFiles: SchemaFiles
  signal: AbortSignal
  emit(event: RunEvent): void
}

/** Loads what earlier runs had sealed but not loaded, then the sources; all stages work at the same time. */
export async function runSources(
  environment: RunEnvironment,
  sources: readonly Source[],
): Promise<{ packages: LoadedPackage[]; failedResources: FailedResource[] }> {
  const failedResources: FailedResource[] = []
  const loaded: LoadedPackage[] = []
  for (const pending of environment.store.pending()) {
    const done = await loadOne(environment, pending, true)
    if (done !== undefined) loaded.push(done)
  }
  // Read after the pending packages: their state is part of it.
  const state = await readState(environment)
  const { partition } = environment
  if (partition !== undefined) {
    checkPartition(sources)
    if (state.partition?.done === partition.run) return { packages: loaded, failedResources }
  }
  for (const source of sources) loaded.push(...(await runSource(environment, source, state, failedResources)))
  return { packages: loaded, failedResources }
}

/**
 * Takes resources out of the destination: their tables, unless only the state is meant, and what they remember. A load
 * of its own, so that it is all or nothing.
 */
export async function dropResources(
  environment: RunEnvironment,
  sourceName: string,
  resources: readonly string[] | undefined,
  stateOnly: boolean,
): Promise<string[]> {
  const state = await readState(environment)
  const schema = await readSchema(environment, sourceName)
  const all = [...new Set([...schema.tables.values()].flatMap(({ resource }) => resource ?? []))]
  const chosen = resources ?? all
  const unknown = chosen.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    throw new PipelineError(`there is no loaded resource "${unknown}"; there is: ${all.join(', ')}`, {
      code: 'WRONG_USE',
      fix: `choose from: ${all.join(', ')}`,
    })
  }
  const dropped = stateOnly ? [] : tablesOf(schema, chosen)
  for (const table of dropped) schema.tables.delete(table)
  resetResources(state, sourceName, chosen)
  bumpVersion(schema)
  const sealed = environment.store.seal({
    loadId: newLoadId(),
    pipeline: environment.pipeline,
    dataset: environment.dataset,
    createdAt: new Date().toISOString(),
    schema: storedSchema(schema),
    state: stateRow(state),
    files: [],
    replaced: [],
    dropped,
    truncated: [],
    checks: {},
  })
  await loadOne(environment, sealed, false)
  return dropped
}

/** State lives in the destination, in the transaction of the rows it belongs to; that copy is the one that counts. */
async function readState({ session, pipeline, dataset, partition }: RunEnvironment): Promise<PipelineState> {
  const name = partition === undefined ? pipeline : `${pipeline}/${partition.name}`
  const row = await session.ledger.readState(name)
  return row === undefined ? emptyState(name, dataset) : { ...stateFromRow(row), dataset_name: dataset }
}

async function readSchema({ session }: RunEnvironment, name: string): Promise<Schema> {
  const stored = await session.ledger.readSchema(name)
  return stored === undefined ? emptySchema(name) : schemaFromStored(JSON.parse(stored) as StoredSchema)
}

async function runSource(
  environment: RunEnvironment,
  source: Source,
  state: PipelineState,
  failedResources: FailedResource[],
): Promise<LoadedPackage[]> {
  const { destination, emit, signal, partition } = environment
  const { identifiers } = destination.capabilities
  const naming = namingConvention(identifiers.naming, identifiers.maxLength, identifiers.reserved)
  const schemaName = naming.path(source.name)
  state.schema_names = [...new Set([...(state.schema_names ?? []), schemaName])]
  state.default_schema_name ??= schemaName
  state.destination_type = destination.name
  const schema = await readSchema(environment, schemaName)
  importSchema(environment.schemaFiles, schema)
  const queue = new LoadQueue(environment)
  const builder = new PackageBuilder({
    source,
    schema,
    refresh: environment.refresh === undefined ? undefined : applyRefresh(environment.refresh, source, schema, state),
    state,
    store: environment.store,
    limits: queue.limits,
    naming,
    takesNul: destination.capabilities.text.takesNul,
    maxColumns: destination.capabilities.ddl.maxColumns ?? Infinity,
    notice: (notice) => emit({ type: 'notice', notice }),
  })
  const push = (sealed: LoadPackage | undefined): Promise<void> | undefined => {
    if (sealed === undefined) return undefined
    const { loadId, files } = sealed.manifest
    const [rows, bytes] = [sum(files, 'rows'), sum(files, 'bytes')]
    emit({ type: 'package-sealed', loadId, rows, bytes })
    return queue.push(sealed)
  }
  // Told apart from what a resource throws: it is the disk that refuses.
  const onDisk = <T>(write: () => T): T => {
    try {
      return write()
    } catch (error) {
      throw asDiskError(error, environment.store.folder)
    }
  }
  const seal = async (isLast: boolean): Promise<void> => {
    await queue.settled()
    await push(onDisk(() => builder.seal({ isLast })))
  }
  try {
    await extract(source, {
      signal: AbortSignal.any([signal, queue.failed]),
      config: environment.config,
      stateOf: (resource) => resourceState(state, source.name, resource),
      sourceState: sourceState(state, source.name),
      write: (resource, page) => {
        failpoint('page-received')
        onDisk(() => builder.write(resource, page))
        failpoint('page-written')
      },
      discard: (resource, reason, row) => builder.discard(resource, reason, row),
      checkpoint: (states) => onDisk(() => builder.checkpoint(states)),
      pageDone: async () => {
        if (queue.takesEarly) queue.offer(builder.nextLoadId, builder.completeFiles())
        if (builder.mayCut()) await seal(false)
      },
      rootDone: (_root, loaded, states) => onDisk(() => builder.rootDone(loaded, states)),
      rootFailed: async (tree, error) => {
        // Its rows may be among those that are loaded already, in a transaction that is still open.
        await queue.abandonEarly()
        // A part that lacks a resource is not complete.
        if (partition !== undefined || !builder.rootFailed(tree)) throw error
        failedResources.push({ resource: tree[0]!.name, error })
      },
      emit,
    })
    if (partition !== undefined) {
      state.partition = { name: partition.name, done: partition.run }
      builder.keepState()
    }
    await seal(true)
  } catch (error) {
    await queue.abandonEarly()
    // A failed load stops the extraction; the load's error is the one that tells why.
    await queue.drain()
    throw error
  }
  const loaded = await queue.drain()
  if (loaded.length > 0) exportSchema(environment.schemaFiles, schema)
  return loaded
}

const sum = <K extends string>(items: readonly Record<K, number>[], key: K): number =>
  items.reduce((total, item) => total + item[key], 0)

/** Sealed packages wait here for the loader. One may wait while one loads; then extraction waits too. */
class LoadQueue {
  private readonly environment: RunEnvironment
  private readonly abort = new AbortController()
  private readonly loaded: LoadedPackage[] = []
  private last: Promise<void> = Promise.resolve()
  private beforeLast: Promise<void> = Promise.resolve()
  private early: EarlyLoad | undefined

  constructor(environment: RunEnvironment) {
    this.environment = environment
  }

  /** Aborted as soon as a load fails. */
  get failed(): AbortSignal {
    return this.abort.signal
  }

  /** A part is loaded in one transaction, beside others that load parts of the same tables. */
  get takesEarly(): boolean {
    const { destination, partition } = this.environment
    return destination.capabilities.load.early && partition === undefined
  }

  get limits(): PackageLimits {
    const { limits, partition } = this.environment
    if (partition !== undefined) return { maxBytes: Infinity, maxAgeMs: Infinity, fileBytes: Infinity }
    // Only an early load gains by files of a certain size.
    return this.takesEarly ? limits : { ...limits, fileBytes: Infinity }
  }

  /** Files of a package that still grows; its load may begin with them. */
  offer(loadId: string, files: readonly EarlyFile[]): void {
    if (files.length === 0) return
    this.early ??= new EarlyLoad(this.environment.session, loadId, this.last)
    this.early.offer(files)
  }

  /** Resolves when nobody reads a file that is to be moved. */
  async settled(): Promise<void> {
    await this.early?.settled()
  }

  async abandonEarly(): Promise<void> {
    await this.early?.abandon()
    this.early = undefined
  }

  /** Takes a package; resolves when there is room for the next one. */
  push(sealed: LoadPackage): Promise<void> {
    const room = this.beforeLast
    this.beforeLast = this.last
    this.last = this.loadAfter(this.last, sealed, this.early)
    this.early = undefined
    // The failure is thrown from `drain`; until then nobody awaits this promise.
    this.last.catch((error: unknown) => this.abort.abort(error))
    return room
  }

  private async loadAfter(previous: Promise<void>, sealed: LoadPackage, early: EarlyLoad | undefined): Promise<void> {
    await previous
    const done = await loadOne(this.environment, sealed, false, early)
    if (done !== undefined) this.loaded.push(done)
  }

  async drain(): Promise<LoadedPackage[]> {
    await this.last
    return this.loaded
  }
}

/** Errors that loading the same package again cannot cure. */
const hopeless: ReadonlySet<ErrorCode> = new Set(['CHECK_FAILED', 'PIPELINE_OVERTAKEN'])

async function loadOne(
  { session, store, emit }: RunEnvironment,
  sealed: LoadPackage,
  recovered: boolean,
  early?: EarlyLoad,
): Promise<LoadedPackage | undefined> {
  const begun = performance.now()
  const load = async (): Promise<LoadReceipt> => (await early?.finish(sealed)) ?? loadPackage(session, sealed)
  const receipt = await load().catch((error: unknown) => {
    // Its state was not kept, so its rows are read again; keeping it would block every later run.
    if (error instanceof PipelineError && hopeless.has(error.code)) store.finish(sealed)
    throw error
  })
  store.finish(sealed)
  if (receipt.alreadyLoaded) return undefined
  const rows = Object.fromEntries(receipt.rows)
  const { loadId, changes, spans } = receipt
  const failedChecks = receipt.checks.filter((check) => check.failing > 0)
  const ms = performance.now() - begun
  const bytes = bytesByTable(sealed)
  emit({ type: 'package-loaded', loadId, rows, bytes, ms, changes, failedChecks, spans, recovered })
  return { loadId, state: 'loaded', failedJobs: [], rows, changes, failedChecks }
}

function bytesByTable({ manifest }: LoadPackage): Record<string, number> {
  const bytes = new Map<string, number>()
  for (const file of manifest.files) bytes.set(file.table, (bytes.get(file.table) ?? 0) + file.bytes)
  return Object.fromEntries(bytes)
}
