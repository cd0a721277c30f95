import { Config, config as configReference, pipelineDir, settingText } from '../config/index.ts'
import {
  destinationFromSettings,
  type Destination,
  type DestinationSession,
  type ReadLimits,
  type RowObject,
} from '../destinations/index.ts'
import { checkDestinationEgress } from '../egress/index.ts'
import { asDiskError, PipelineError } from '../errors/index.ts'
import type { ResourceOptions } from '../extract/index.ts'
import { failpoint } from '../failpoints/index.ts'
import type { FailedPackage, PackageManifest, PackageStore } from '../package/index.ts'
import { namingConvention, wrongValue, type Schema } from '../schema/index.ts'
import { checkDestination, type CheckStep } from './check-destination.ts'
import { Dataset } from './dataset.ts'
import { EventStream, type EventListener } from './events.ts'
import { discardFailed, findFailed, packageFolders, packageStore, retryFailed } from './failed-packages.ts'
import { LoadInfo, LoadRefused } from './load-info.ts'
import { lockPipeline } from './lock.ts'
import { defaultLimits, type PackageLimits } from './package-builder.ts'
import { goesTo, placeOf, targetOf } from './package-place.ts'
import { partitionFolder, partitionLoad, type PartitionLoad } from './partition.ts'
import { queryingInProcesses, readingFrom, type Querying, type Reading } from './reading.ts'
import { refreshModes, type RefreshMode } from './refresh.ts'
import { rememberedTarget, rememberTarget, type RememberedTarget } from './remembered-target.ts'
import type { LoggedRequest } from './request-log.ts'
import { asSources, type RunData } from './run-data.ts'
import { RunHistory } from './run-history.ts'
import type { RunRecord } from './run-record.ts'
import { dropResources, runSources, type RunEnvironment } from './run.ts'
import type { SchemaFiles } from './schema-files.ts'
import { stateFromRow, type PipelineState } from './state.ts'
import { schemaVersions, stateVersions, type SchemaVersion, type StateVersion } from './versions.ts'

export interface PipelineOptions extends SchemaFiles {
  name: string
  /** A name, or a factory's result from `sluice/destinations/<name>`. @default 'duckdb' */
  destination?: string | Destination
  /** @default `<name>_dataset` */
  dataset?: string
  /** When packages are sealed before the run ends. */
  package?: Partial<PackageLimits>
  /** A dataset and working data of its own for every start of the program: `<dataset>_<time>`. */
  devMode?: boolean
}

export interface RunOptions<Row = unknown> extends ResourceOptions<Row> {
  signal?: AbortSignal
  /** Throw away before loading: all of the sources, the selected resources, or only their rows. */
  refresh?: RefreshMode
  /**
   * A part of the pipeline's data, with a state of its own: parts are loaded at the same time, on any number of machines. All
   * rows of a part become visible at once, and loaded again, it does nothing. For what is loaded again and again, such as
   * each hour, `run` says which time it is.
   */
  partition?: string | PartitionLoad
}

/** A named way from sources to one dataset. */
export function pipeline(options: PipelineOptions): Pipeline {
  return new Pipeline(options)
}

export class Pipeline {
  readonly name: string
  readonly dataDir: string
  private readonly options: PipelineOptions
  private readonly events = new EventStream()
  private readonly devSuffix: string
  /** Where an attached pipeline finds its data, when the configuration does not say. */
  private readonly attachedTo: RememberedTarget | undefined
  private readonly readOnly: ReadLimits | undefined
  /** Whose sections of the configuration are read. */
  private settingsName: string

  constructor(options: PipelineOptions, attachedTo?: RememberedTarget, readOnly?: ReadLimits) {
    this.attachedTo = attachedTo
    this.readOnly = readOnly
    this.name = options.name
    this.settingsName = options.name
    this.dataDir = pipelineDir(options.name)
    this.options = options
    this.devSuffix = options.devMode === true ? `_${new Date().toISOString().replace(/\D/g, '').slice(0, 17)}` : ''
  }

  /** Listens to everything the runs do; returns what ends the listening. */
  on(listener: EventListener): () => void {
    return this.events.on(listener)
  }

  /**
   * Loads data. Packages that an earlier run sealed but did not load go first. Throws `PipelineError`; what was loaded
   * before an error stays, complete package by complete package.
   */
  async run<Row>(data: RunData<Row>, options: RunOptions<Row> = {}): Promise<LoadInfo> {
    const begun = performance.now()
    const { signal = new AbortController().signal, refresh, partition: given, ...resourceOptions } = options
    const partition = given === undefined ? undefined : partitionLoad(given)
    if (refresh !== undefined && !refreshModes.includes(refresh)) throw wrongValue('refresh', refresh, refreshModes)
    const sources = asSources(this.name, data, resourceOptions)
    const keepsRequests =
      settingText(this.config().find(configReference('request_log'), { root: 'runtime' }), 'runtime.request_log') !==
      'false'
    const { run, take } = new RunHistory(this.dataDir).follow(this.name, { keepsRequests })
    const unfollow = this.events.on(take)
    const { emit } = this.events
    try {
      const folder = partition === undefined ? this.dataDir : partitionFolder(this.dataDir, partition)
      using lock = lockPipeline(folder, this.name)
      const destination = await this.destination()
      const dataset = this.datasetName(destination)
      await using session = await this.openToWrite(destination, dataset)
      const environment = this.environment(destination, dataset, session, { signal, refresh, partition })
      rememberTarget(this.dataDir, { destination: destination.name, dataset, location: session.location })
      using _building = environment.store.reset()
      emit({
        type: 'run-started',
        run,
        pipeline: this.name,
        destination: destination.name,
        location: session.location,
        dataset,
        resources: sources.flatMap((one) => one.selected),
        ...(partition === undefined ? {} : { partition: partition.name }),
      })
      const { fatalRefusals, ...rest } = await runSources(environment, sources)
      if (partition !== undefined && environment.store.isEmpty) {
        lock.removeFolder()
        failpoint('part-removed')
      }
      const durationMs = performance.now() - begun
      const info = new LoadInfo({
        pipeline: this.name,
        destination: destination.name,
        dataset,
        location: session.location,
        ...rest,
        durationMs,
        partition: partition?.name,
      })
      if (fatalRefusals.length > 0) throw new LoadRefused(info, fatalRefusals)
      emit({ type: 'run-finished', ms: durationMs })
      return info
    } catch (cause) {
      const error = asDiskError(cause, this.dataDir)
      emit({ type: 'run-failed', error, ms: performance.now() - begun })
      throw error
    } finally {
      unfollow()
    }
  }

  private environment(
    destination: Destination,
    dataset: string,
    session: DestinationSession,
    {
      signal = new AbortController().signal,
      refresh,
      partition,
    }: {
      signal?: AbortSignal
      refresh?: RefreshMode | undefined
      partition?: Required<PartitionLoad> | undefined
    } = {},
  ): RunEnvironment {
    return {
      pipeline: this.name,
      dataset,
      destination,
      session,
      target: { destination: placeOf(destination.name, session.location), dataset },
      remembered: rememberedTarget(this.name),
      store: this.packages(partition),
      config: this.config(),
      limits: { ...defaultLimits, ...this.options.package },
      refresh,
      partition,
      schemaFiles: this.options,
      signal,
      emit: this.events.emit,
    }
  }

  /** The source that was loaded first, or whose schema is the newest; `undefined` when nothing was loaded. */
  async defaultSource(): Promise<string | undefined> {
    return (await this.state())?.default_schema_name ?? (await this.schemas()).at(-1)?.name
  }

  /**
   * Drops what resources loaded and remember: all of a source's, or only those named. Returns the dropped tables.
   */
  async dropResources(
    sourceName: string,
    resources?: readonly string[],
    options: { stateOnly?: boolean } = {},
  ): Promise<string[]> {
    using _lock = lockPipeline(this.dataDir, this.name)
    const destination = await this.destination()
    const dataset = this.datasetName(destination)
    await using session = await this.openToWrite(destination, dataset)
    const environment = this.environment(destination, dataset, session)
    using _building = environment.store.reset()
    return await dropResources(environment, sourceName, resources, options.stateOnly === true)
  }

  /** The versions of all sources' schemas, oldest first. */
  async schemas(): Promise<Schema[]> {
    return (await this.schemaVersions()).map(({ schema }) => schema)
  }

  /** The same with when each was saved. */
  schemaVersions(): Promise<SchemaVersion[]> {
    return this.withDataset(schemaVersions)
  }

  /**
   * Forgets what is only on this machine, the packages that wait for this destination and dataset included; the destination
   * is the truth.
   */
  async sync(): Promise<PipelineState | undefined> {
    const destination = await this.destination()
    const dataset = this.datasetName(destination)
    await using session = await this.openToWrite(destination, dataset)
    {
      using _lock = lockPipeline(this.dataDir, this.name)
      const { store, target, remembered } = this.environment(destination, dataset, session)
      using _building = store.reset()
      store.dropPending((manifest) => goesTo(target, manifest, remembered))
    }
    rememberTarget(this.dataDir, { destination: destination.name, dataset, location: session.location })
    const row = await session.ledger.readState(this.name)
    return row === undefined ? undefined : stateFromRow(row)
  }

  /** Tries everything that a load needs, one step after the other; ends with the first that fails. Leaves nothing. */
  async *check(): AsyncGenerator<CheckStep> {
    yield* checkDestination(this.name, this.dataDir, () => this.destination())
  }

  /** The loaded tables; with types that `sluice types` has written, typed to the column. */
  dataset<Tables = Record<string, RowObject>>(): Dataset<Tables> {
    return new Dataset<Tables>(() => this.openToRead(), this.openForSql())
  }

  /** Several reads on one connection, one after the other. */
  async withDataset<T>(read: (data: Dataset) => Promise<T>): Promise<T> {
    await using opened = await this.openToRead()
    // Each read closes what it opened; this one is closed here.
    const borrowed = { ...opened, [Symbol.asyncDispose]: async () => undefined }
    return await read(new Dataset(async () => borrowed, this.openForSql()))
  }

  /** The load packages of this pipeline on disk, or of one part of it. */
  packages(partition?: PartitionLoad): PackageStore {
    const folder = partition === undefined ? this.dataDir : partitionFolder(this.dataDir, partition)
    return packageStore(folder)
  }

  /** Packages that wait to be loaded, of the pipeline and of its parts, wherever they belong. */
  pendingPackages(): PackageManifest[] {
    return packageFolders(this.dataDir).flatMap((folder) => packageStore(folder).pendingManifests())
  }

  /**
   * Deletes packages that wait: those of the destination and dataset that the pipeline loaded to last, those with the given
   * ids, or all. Their rows are read again by the next run there. Returns their load ids.
   */
  dropPendingPackages({ all = false, loadIds }: { all?: boolean; loadIds?: readonly string[] } = {}): string[] {
    const last = this.lastTarget
    const isChosen = (manifest: PackageManifest): boolean =>
      loadIds?.includes(manifest.loadId) ?? (all || last === undefined || goesTo(targetOf(last), manifest, last))
    return packageFolders(this.dataDir).flatMap((folder) => {
      const store = packageStore(folder)
      if (!store.pendingManifests().some(isChosen)) return []
      using _lock = lockPipeline(folder, this.name)
      using _building = store.reset()
      return store.dropPending(isChosen)
    })
  }

  /** Packages that a destination refused, oldest first: their rows are kept, and are read again by the next run. */
  failedPackages(): FailedPackage[] {
    return packageFolders(this.dataDir).flatMap((folder) => packageStore(folder).failed())
  }

  /**
   * Loads a failed package after all. Refused when its tables got newer rows since, which may be the same ones read again;
   * `force` loads its rows all the same, without its state. Returns the rows by table.
   */
  async retryFailedPackage(loadId: string, { force = false } = {}): Promise<Record<string, number>> {
    const { folder, failed } = findFailed(this.dataDir, loadId)
    using _lock = lockPipeline(folder, this.name)
    const destination = await this.destination()
    const dataset = this.datasetName(destination)
    await using session = await this.openToWrite(destination, dataset)
    const environment = { ...this.environment(destination, dataset, session), store: packageStore(folder) }
    using _building = environment.store.reset()
    return await retryFailed(environment, failed, force)
  }

  /** Deletes a failed package. */
  discardFailedPackage(loadId: string): void {
    const { folder, failed } = findFailed(this.dataDir, loadId)
    using _lock = lockPipeline(folder, this.name)
    const store = packageStore(folder)
    using _building = store.reset()
    discardFailed(store, failed)
  }

  /** What the runs on this machine did, the newest first. */
  runs(limit?: number): RunRecord[] {
    return new RunHistory(this.dataDir).list(limit)
  }

  /** A run by its id, or the beginning of it. */
  findRun(id: string): RunRecord | undefined {
    return new RunHistory(this.dataDir).find(id)
  }

  /** Requests of a run with their answers, as far as they were kept. */
  requests(run: string): LoggedRequest[] {
    return new RunHistory(this.dataDir).requests(run)
  }

  /**
   * Deletes the working data; the destination keeps its tables and the state in them. Throws `PIPELINE_BUSY` while the
   * pipeline, or a part of it, runs.
   */
  drop(): void {
    for (const folder of packageFolders(this.dataDir).toReversed()) {
      using lock = lockPipeline(folder, this.name)
      lock.removeFolder()
    }
  }

  /** Where this pipeline last loaded to; `undefined` before its first run. */
  get lastTarget(): RememberedTarget | undefined {
    return rememberedTarget(this.name)
  }

  /** What the sources remember, as the destination has it. */
  async state(): Promise<PipelineState | undefined> {
    await using session = await this.openSession()
    const row = await session.ledger.readState(this.name)
    return row === undefined ? undefined : stateFromRow(row)
  }

  /** What the sources remembered, version by version, the newest first; at most `limit`. */
  stateHistory(limit = 50): Promise<StateVersion[]> {
    return this.withDataset((data) => stateVersions(data, this.name, limit))
  }

  async openSession(): Promise<DestinationSession> {
    const destination = await this.destination()
    return destination.open({
      pipeline: this.name,
      dataset: this.datasetName(destination),
      ...(this.readOnly === undefined ? {} : { readOnly: this.readOnly }),
    })
  }

  /** Another pipeline, with a state of its own, into the same dataset. */
  beside(name: string): Pipeline {
    const dataset = this.options.dataset ?? `${this.name}_dataset`
    const other = new Pipeline(
      { ...this.options, name, dataset: dataset + this.devSuffix, devMode: false },
      this.attachedTo,
    )
    other.settingsName = this.settingsName
    return other
  }

  private async openToRead(): Promise<Reading> {
    return readingFrom(await this.openSession(), { pipeline: this.name, limits: this.readOnly })
  }

  /** SQL that is to be read-only may come from anybody: it runs in a process that can be stopped. */
  private openForSql(): (() => Promise<Querying>) | undefined {
    const { readOnly: limits, attachedTo: target, name: pipeline } = this
    if (limits === undefined || target === undefined) return undefined
    return async () => queryingInProcesses({ pipeline, target, limits })
  }

  /** Opens what a load, a drop or a sync needs. */
  private async openToWrite(destination: Destination, dataset: string): Promise<DestinationSession> {
    const onWait = (holder: string): void => this.events.emit({ type: 'destination-wait', holder })
    if (this.readOnly === undefined) return destination.open({ pipeline: this.name, dataset, onWait })
    throw new PipelineError(`pipeline "${this.name}" is opened only to look`, {
      code: 'READ_ONLY',
      fix: 'attach it without readOnly',
    })
  }

  private config(): Config {
    return new Config({
      pipeline: this.settingsName,
      onFound: (found) => this.events.emit({ type: 'setting', ...found }),
    })
  }

  private async destination(): Promise<Destination> {
    const { destination = 'duckdb' } = this.options
    if (typeof destination !== 'string') return destination
    const { location } = this.attachedTo ?? {}
    const made = await destinationFromSettings(destination, this.config(), location)
    checkDestinationEgress(destination, made.settings)
    return made.destination
  }

  private datasetName({ capabilities }: Destination): string {
    const { naming, maxLength } = capabilities.identifiers
    const name = (this.options.dataset ?? `${this.name}_dataset`) + this.devSuffix
    return namingConvention(naming, maxLength).path(name)
  }
}
