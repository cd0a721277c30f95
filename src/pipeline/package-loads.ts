import type { StateRow } from '../destinations/index.ts'
import { rowPlace } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'
import { loadPackage, tableOf, type EarlyLoad, type LoadReceipt } from '../load/index.ts'
import type { LoadPackage, PackageGroup, PackageManifest, Refusal } from '../package/index.ts'
import {
  bumpVersion,
  copySchema,
  emptySchema,
  plainJson,
  schemaFromStored,
  storedSchema,
  tableWithNested,
  type StoredSchema,
} from '../schema/index.ts'
import type { LoadedPackage, RefusedPackage } from './load-info.ts'
import type { RunEnvironment } from './run.ts'
import { emptyState, resourceState, stateFromRow, stateRow, type PipelineState } from './state.ts'

/**
 * Loads packages one after the other. What the destination refuses for good is set aside, with its state: its rows are read
 * again by the next run. The other groups of the package, and of those that follow it, are loaded without it.
 */
export class PackageLoads {
  readonly refused: RefusedPackage[] = []
  private readonly environment: RunEnvironment
  /** Why resources are not loaded any more, by the series of packages and the resource. */
  private readonly blocked = new Map<string, { loadId: string; error: PipelineError }>()
  /** Series whose states were counted anew, because a package of theirs was loaded by group. */
  private readonly regrouped = new Set<string>()

  constructor(environment: RunEnvironment) {
    this.environment = environment
  }

  /** Learns what a run that was killed has done with the packages in front of those that it left. */
  recover(): void {
    const { store } = this.environment
    for (const { manifest, refusals } of store.failed()) {
      for (const refusal of refusals) this.block(manifest, refusal.resources, refusalError(manifest, refusal))
    }
    for (const { series = '', byGroup } of store.loaded()) if (byGroup === true) this.regrouped.add(series)
  }

  /** The refusal that keeps a resource's rows of this series from being loaded. */
  refusalOf(series: string, resource: string): PipelineError | undefined {
    return this.blocked.get(blockKey(series, resource))?.error
  }

  async load(sealed: LoadPackage, { recovered, early }: { recovered: boolean; early?: EarlyLoad | undefined }) {
    const { manifest } = sealed
    if (sealed.byGroup !== true && !this.regrouped.has(manifest.series ?? '')) {
      try {
        const done = await this.loadOne(sealed, { recovered, early })
        this.environment.store.finish(sealed)
        return done
      } catch (error) {
        const refusal = this.asRefusal(sealed, error)
        const groups = manifest.groups ?? []
        if (groups.length < 2 || this.environment.partition !== undefined) {
          const refusals = [refusalOf(manifest, refusal, everything(manifest))]
          this.setAside(manifest, refusals, { recovered, error: refusal })
          return []
        }
      }
    } else await early?.abandon()
    return this.loadByGroup(this.environment.store.splitByGroup(sealed), recovered)
  }

  /** Sets a package aside that cannot even be opened. */
  setAsideUnread(manifest: PackageManifest, error: PipelineError): void {
    this.setAside(manifest, [refusalOf(manifest, error, everything(manifest))], { recovered: true, error })
  }

  private async loadByGroup(sealed: LoadPackage, recovered: boolean): Promise<LoadedPackage[]> {
    const { manifest } = sealed
    if (manifest.series !== undefined) this.regrouped.add(manifest.series)
    const loaded: LoadedPackage[] = []
    const refusals: Refusal[] = []
    let first: PipelineError | undefined
    for (const [at, group] of (await this.separable(manifest)).entries()) {
      const part = await partOf(this.environment, sealed, group, at)
      if (part === undefined) continue
      const before = this.blockOf(manifest, group)
      if (before !== undefined) {
        refusals.push({ ...refusalOf(manifest, before.error, group), follows: before.loadId })
        continue
      }
      try {
        loaded.push(...(await this.loadOne(part, { recovered })))
      } catch (error) {
        const refusal = this.asRefusal(sealed, error)
        first ??= refusal
        refusals.push(refusalOf(manifest, refusal, group))
        this.block(manifest, group.resources, refusal)
      }
    }
    if (refusals.length === 0) this.environment.store.finish(sealed)
    else this.setAside(manifest, refusals, { recovered, error: first })
    return loaded
  }

  /** What resources share in the source's state cannot be kept for some of them only. */
  private async separable(manifest: PackageManifest): Promise<PackageGroup[]> {
    const { groups = [everything(manifest)], source, state } = manifest
    if (state === undefined || source === undefined || groups.length < 2) return groups
    const shared = (from: PipelineState): string => plainJson({ ...from.sources[source], resources: undefined })
    const now = await readState(this.environment)
    return shared(now) === shared(stateFromRow(state)) ? groups : [everything(manifest)]
  }

  private async loadOne(
    sealed: LoadPackage,
    { recovered, early }: { recovered: boolean; early?: EarlyLoad | undefined },
  ): Promise<LoadedPackage[]> {
    const { session, emit } = this.environment
    const startedAt = performance.now()
    const receipt: LoadReceipt =
      (await early?.finish(sealed)) ?? (await loadPackage(session, sealed, { isSecondTry: recovered }))
    if (receipt.alreadyLoaded) return []
    const rows = Object.fromEntries(receipt.rows)
    const { loadId, changes, spans, emptied } = receipt
    for (const one of receipt.fixed) emit({ type: 'notice', notice: { kind: 'column-fixed', ...one } })
    for (const one of emptied) emit({ type: 'notice', notice: { kind: 'table-emptied', ...one } })
    const failedChecks = receipt.checks.filter((check) => check.failing > 0)
    const ms = performance.now() - startedAt
    const bytes = bytesByTable(sealed)
    emit({ type: 'package-loaded', loadId, rows, bytes, ms, changes, failedChecks, spans, recovered })
    return [{ loadId, state: 'loaded', failedJobs: [], rows, changes, failedChecks, emptied }]
  }

  /** An error that trying again cannot cure; any other is thrown, and the package stays where it is. */
  private asRefusal(sealed: LoadPackage, error: unknown): PipelineError {
    if (!(error instanceof PipelineError)) throw error
    if (error.recovery === 'skip') return error
    // The other runner has loaded the same rows, or they are read again.
    if (error.code === 'PIPELINE_OVERTAKEN') this.environment.store.finish(sealed)
    throw error
  }

  private setAside(
    manifest: PackageManifest,
    refusals: readonly Refusal[],
    { recovered, error }: { recovered: boolean; error: PipelineError | undefined },
  ): void {
    const { store, emit } = this.environment
    for (const { resources, follows } of refusals) {
      if (follows === undefined && error !== undefined) this.block(manifest, resources, error)
    }
    const displaced = store.setAside(manifest, refusals)
    const { loadId } = manifest
    this.refused.push({ loadId, refusals: [...refusals], recovered, error, displaced })
    emit({ type: 'package-refused', loadId, refusals: [...refusals], recovered, displaced })
  }

  private block({ series, loadId }: PackageManifest, resources: readonly string[], error: PipelineError): void {
    if (series === undefined) return
    this.regrouped.add(series)
    for (const resource of resources) {
      const key = blockKey(series, resource)
      if (!this.blocked.has(key)) this.blocked.set(key, { loadId, error })
    }
  }

  private blockOf({ series = '' }: PackageManifest, { resources }: PackageGroup) {
    return resources.map((resource) => this.blocked.get(blockKey(series, resource))).find((one) => one !== undefined)
  }
}

const blockKey = (series: string, resource: string): string => `${series}\n${resource}`

/** All of a package as one group. */
export function everything({ groups = [], files, replaced }: PackageManifest): PackageGroup {
  const tables = [...groups.flatMap((group) => group.tables), ...files.map((file) => file.table), ...replaced]
  return { resources: groups.flatMap((group) => group.resources), tables: [...new Set(tables)] }
}

function refusalOf(
  { schema, files, replaced }: PackageManifest,
  error: PipelineError,
  { resources, tables }: PackageGroup,
): Refusal {
  const { code, summary: message, fix, cause } = error
  const table = tableOf(error)
  const resource = table === undefined ? undefined : (schema.tables[table]?.resource as string | undefined)
  const written = new Set([...files.map((file) => file.table), ...replaced])
  return {
    resources: [...resources],
    ...(resource === undefined ? {} : { resource }),
    tables: [...written].filter((name) => tables.includes(rootName(schema, name))),
    code,
    message,
    fix,
    ...(table === undefined ? {} : { table }),
    ...(typeof cause === 'object' && cause !== null ? rowPlace(cause) : {}),
  }
}

/** The table at the top that a table's rows are nested in. */
function rootName(schema: StoredSchema, table: string): string {
  const parent = schema.tables[table]?.parent
  return typeof parent === 'string' ? rootName(schema, parent) : table
}

const refusalError = ({ loadId }: PackageManifest, { message, fix }: Refusal): PipelineError =>
  new PipelineError(`package ${loadId} was set aside: ${message}`, { code: 'LOAD_FAILED', recovery: 'skip', fix })

/** True for a group that stands for the whole package, and so for what its resources share. */
export const isEverything = (
  { groups = [] }: PackageManifest,
  { resources }: Pick<PackageGroup, 'resources'>,
): boolean => groups.every((group) => group.resources.every((name) => resources.includes(name)))

/**
 * A group of a package as a package of its own: its tables in the schema that is stored, its states in the state that is
 * stored. `undefined` when the package has nothing of the group.
 */
export async function partOf(
  environment: RunEnvironment,
  sealed: LoadPackage,
  group: PackageGroup,
  at: number,
): Promise<LoadPackage | undefined> {
  const { manifest } = sealed
  const own = schemaFromStored(manifest.schema)
  const tables = group.tables.flatMap((root) => tableWithNested(own, root))
  const names = new Set(tables.map(({ name }) => name))
  const files = manifest.files.filter((file) => names.has(file.table))
  const replaced = manifest.replaced.filter((table) => names.has(table))
  const { state, hasChanged } = await stateWith(environment, manifest, group)
  const isAll = manifest.dropped.length + manifest.truncated.length > 0
  if (files.length + replaced.length === 0 && !hasChanged && !isAll) return undefined
  const text = await environment.session.ledger.readSchema(own.name)
  const schema =
    text === undefined
      ? { ...emptySchema(own.name), ...(own.kept === undefined ? {} : { kept: own.kept }) }
      : copySchema(schemaFromStored(JSON.parse(text) as StoredSchema))
  for (const name of manifest.dropped) schema.tables.delete(name)
  for (const table of tables) schema.tables.set(table.name, table)
  bumpVersion(schema)
  const checks = Object.fromEntries(Object.entries(manifest.checks).filter(([table]) => names.has(table)))
  // The same in each try, so that a part that was loaded before a crash is not loaded again.
  const loadId = `${manifest.loadId}${isEverything(manifest, group) ? '999' : String(at).padStart(3, '0')}`
  return { ...sealed, manifest: { ...manifest, loadId, schema: storedSchema(schema), state, files, replaced, checks } }
}

/** The state that is stored, with what the package says of the resources of a group. */
async function stateWith(
  environment: RunEnvironment,
  manifest: PackageManifest,
  group: PackageGroup,
): Promise<{ state: StateRow | undefined; hasChanged: boolean }> {
  const { source, state } = manifest
  const { resources } = group
  if (state === undefined || source === undefined) return { state, hasChanged: state !== undefined }
  const packaged = stateFromRow(state)
  const stored = await readState(environment)
  const before = plainJson(stored.sources)
  const { resources: known, ...shared } = stored.sources[source] ?? {}
  const states = Object.fromEntries(
    [...new Set([...Object.keys(known ?? {}), ...resources])].flatMap((name) => {
      const own = resourceState(resources.includes(name) ? packaged : stored, source, name)
      return Object.keys(own).length === 0 ? [] : [[name, own]]
    }),
  )
  const { resources: _, ...sharedNow } = (isEverything(manifest, group) ? packaged : stored).sources[source] ?? {}
  const { _state_version, _version_hash, sources } = stored
  const merged: PipelineState = {
    ...packaged,
    _state_version,
    ...(_version_hash === undefined ? {} : { _version_hash }),
    sources: {
      ...sources,
      [source]: { ...shared, ...sharedNow, ...(Object.keys(states).length === 0 ? {} : { resources: states }) },
    },
  }
  return { state: stateRow(merged, true), hasChanged: plainJson(merged.sources) !== before }
}

/** State lives in the destination, in the transaction of the rows it belongs to; that copy is the one that counts. */
export async function readState({ session, pipeline, dataset, partition }: RunEnvironment): Promise<PipelineState> {
  const name = partition === undefined ? pipeline : `${pipeline}/${partition.name}`
  const row = await session.ledger.readState(name)
  return row === undefined ? emptyState(name, dataset) : { ...stateFromRow(row), dataset_name: dataset }
}

function bytesByTable({ manifest }: LoadPackage): Record<string, number> {
  const bytes = new Map<string, number>()
  for (const file of manifest.files) bytes.set(file.table, (bytes.get(file.table) ?? 0) + file.bytes)
  return Object.fromEntries(bytes)
}
