import type { Config } from '../config/index.ts'
import type { Destination, DestinationSession } from '../destinations/index.ts'
import { asDiskError, PipelineError } from '../errors/index.ts'
import { extract, type Source } from '../extract/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { loadPackage } from '../load/index.ts'
import { newLoadId, type LoadPackage, type PackageManifest, type PackageStore } from '../package/index.ts'
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
import type { FailedResource, LeftPackage, LoadedPackage, RefusedPackage } from './load-info.ts'
import { LoadQueue } from './load-queue.ts'
import { requireEmptyTables } from './nothing-came.ts'
import { PackageBuilder, type PackageLimits } from './package-builder.ts'
import { byOnError } from './refused-resources.ts'
import { PackageLoads, readState } from './package-loads.ts'
import { goesTo, type Target } from './package-place.ts'
import { checkPartition, type PartitionLoad } from './partition.ts'
import { applyRefresh, resetResources, tablesOf, type RefreshMode } from './refresh.ts'
import type { RememberedTarget } from './remembered-target.ts'
import { exportSchema, importSchema, type SchemaFiles } from './schema-files.ts'
import { resourceState, sourceState, stateRow, type PipelineState } from './state.ts'

/** What the stages of a run share. */
export interface RunEnvironment {
  pipeline: string
  dataset: string
  destination: Destination
  session: DestinationSession
  /** Where the run goes to, as its packages say it. */
  target: Target
  /** Where the pipeline went to before. */
  remembered: RememberedTarget | undefined
  store: PackageStore
  config: Config
  limits: PackageLimits
  refresh: RefreshMode | undefined
  partition: Required<PartitionLoad> | undefined
  schemaFiles: SchemaFiles
  signal: AbortSignal
  emit(event: RunEvent): void
}

/** What a run has loaded, and what it has not. */
export interface RunResult {
  packages: LoadedPackage[]
  failedResources: FailedResource[]
  refusedPackages: RefusedPackage[]
  /** Those of this run that it cannot end well with. */
  fatalRefusals: RefusedPackage[]
  leftPackages: LeftPackage[]
}

/** Loads what earlier runs had sealed but not loaded, then the sources; all stages work at the same time. */
export async function runSources(environment: RunEnvironment, sources: readonly Source[]): Promise<RunResult> {
  const loads = new PackageLoads(environment)
  const failedResources: FailedResource[] = []
  const leftPackages: LeftPackage[] = []
  const packages: LoadedPackage[] = []
  const fatalRefusals: RefusedPackage[] = []
  const result = { packages, failedResources, refusedPackages: loads.refused, fatalRefusals, leftPackages }
  const pendingManifests = environment.store.pendingManifests()
  if (pendingManifests.length > 0) loads.recover()
  for (const manifest of pendingManifests) {
    if (goesTo(environment.target, manifest, environment.remembered)) {
      const pending = opened(environment, loads, manifest)
      if (pending !== undefined) packages.push(...(await loads.load(pending, { recovered: true })))
    } else {
      leftPackages.push(leftPackage(manifest))
      environment.emit({ type: 'package-left', ...leftPackage(manifest) })
    }
  }
  // Read after the pending packages: their state is part of it.
  const state = await readState(environment)
  const { partition } = environment
  if (partition !== undefined) {
    checkPartition(sources)
    if (state.partition?.done === partition.run) return result
  }
  for (const source of sources) {
    // Of packages that an earlier run has left, that run's error spoke; what they held is read again.
    const before = loads.refused.length
    packages.push(...(await runSource(environment, { source, loads, failedResources }, state)))
    const refused = loads.refused.slice(before)
    // A part that lacks a resource is not complete.
    const { failed, fatal } = partition === undefined ? byOnError(source, refused) : { failed: [], fatal: refused }
    failedResources.push(...failed)
    fatalRefusals.push(...fatal)
  }
  return result
}

const leftPackage = ({ loadId, dataset, destination }: PackageManifest): LeftPackage => ({
  loadId,
  dataset,
  ...(destination === undefined ? {} : { location: destination.address }),
})

/** A pending package; one that is damaged is set aside. */
function opened({ store }: RunEnvironment, loads: PackageLoads, manifest: PackageManifest): LoadPackage | undefined {
  try {
    return store.open(manifest)
  } catch (error) {
    if (!(error instanceof PipelineError) || error.recovery !== 'skip') throw error
    loads.setAsideUnread(manifest, error)
    return undefined
  }
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
    destination: environment.target.destination,
    createdAt: new Date().toISOString(),
    schema: storedSchema(schema),
    state: stateRow(state),
    files: [],
    replaced: [],
    dropped,
    truncated: [],
    checks: {},
  })
  try {
    await loadPackage(environment.session, sealed)
  } catch (error) {
    // It has no rows that could be lost.
    if (error instanceof PipelineError && error.recovery === 'skip') {
      environment.store.dropPending(({ loadId }) => loadId === sealed.manifest.loadId)
    }
    throw error
  }
  environment.store.finish(sealed)
  return dropped
}

async function readSchema({ session }: RunEnvironment, name: string): Promise<Schema> {
  const stored = await session.ledger.readSchema(name)
  return stored === undefined ? emptySchema(name) : schemaFromStored(JSON.parse(stored) as StoredSchema)
}

async function runSource(
  environment: RunEnvironment,
  { source, loads, failedResources }: { source: Source; loads: PackageLoads; failedResources: FailedResource[] },
  state: PipelineState,
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
  const queue = new LoadQueue(environment, loads)
  const builder = new PackageBuilder({
    source,
    schema,
    refresh: environment.refresh === undefined ? undefined : applyRefresh(environment.refresh, source, schema, state),
    state,
    store: environment.store,
    destination: environment.target.destination,
    limits: queue.limits,
    naming,
    takesNul: destination.capabilities.text.takesNul,
    storage: destination.capabilities.storage,
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
        const refusal = loads.refusalOf(builder.series, resource.name)
        if (refusal !== undefined) throw refusal
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
      nothingCame: async (resource) => {
        // A refresh throws the rows away in any case.
        const tables = environment.refresh === undefined ? builder.tablesToEmpty(resource) : []
        if (tables.length > 0) await queue.between(() => requireEmptyTables(environment.session, resource.name, tables))
      },
      rootDone: (_root, loaded, states) => onDisk(() => builder.rootDone(loaded, states)),
      isLeftOut: (tree) => tree.some(({ name }) => loads.refusalOf(builder.series, name) !== undefined),
      rootFailed: async (tree, error) => {
        if (loads.refusalOf(builder.series, tree[0]!.name) === error) {
          builder.rootFailed(tree)
          return
        }
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
  const isWhole = source.resources.every(({ name }) => loads.refusalOf(builder.series, name) === undefined)
  if (loaded.length > 0 && isWhole) exportSchema(environment.schemaFiles, schema)
  return loaded
}

const sum = <K extends string>(items: readonly Record<K, number>[], key: K): number =>
  items.reduce((total, item) => total + item[key], 0)
