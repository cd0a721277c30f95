import {
  MarkedRows,
  rowsOf,
  type MarkHints,
  type Page,
  type Resource,
  type ResourceState,
  type Source,
} from '../extract/index.ts'
import {
  dispositionOf,
  bringsRows,
  listedRows,
  mostColumns,
  mostLinks,
  Normalizer,
  type Notice,
  type RowTarget,
  type TableHints,
} from '../normalize/index.ts'
import type { EarlyFile } from '../load/index.ts'
import {
  newLoadId,
  type LoadPackage,
  type PackageGroup,
  type PackagePlace,
  type PackageStore,
} from '../package/index.ts'
import {
  bumpVersion,
  copySchema,
  inference,
  plainJson,
  rootOf,
  storedSchema,
  tableWithNested,
  type Check,
  type NamingConvention,
  type Schema,
  type StorageLimits,
  type Table,
} from '../schema/index.ts'
import type { Refresh } from './refresh.ts'
import { HeldStates } from './held-states.ts'
import { HeldTables, isWhole, mayBeCut } from './held-tables.ts'
import { packageGroups } from './package-groups.ts'
import { stateRow, type PipelineState } from './state.ts'
import { TrialRows } from './trial-rows.ts'

/** When a growing package is sealed before the run ends. */
export interface PackageLimits {
  /** @default 64 MiB */
  maxBytes: number
  /** @default 60 seconds */
  maxAgeMs: number
  /** From here on a file of a package is complete, and may be loaded while the others grow. @default 8 MiB */
  fileBytes: number
}

export const defaultLimits: PackageLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxAgeMs: 60_000,
  fileBytes: 8 * 1024 * 1024,
}

/**
 * Gathers normalised rows and cuts them into packages. A cut only takes tables whose rows may become visible now: those
 * of finished resources, and those that a later run can read again without harm.
 */
export class PackageBuilder {
  private readonly source: Source
  private readonly schema: Schema
  private readonly state: PipelineState
  private readonly store: PackageStore
  private readonly limits: PackageLimits
  private readonly maxColumns: number
  private readonly normalizer: Normalizer
  private readonly trial: () => TrialRows
  private readonly targets = new Map<string, RowTarget>()
  private readonly held = new HeldTables()
  private readonly replacing = new Set<string>()
  /** Root tables that resources of this run write. */
  private readonly written = new Set<string>()
  /** Those of them that have rows of this run. */
  private readonly filled = new Set<string>()
  /** Resources that have been read. */
  private readonly done = new Set<string>()
  private readonly checks = new Map<string, Check[]>()
  /** Tables that the destination has, or that a package brings it. */
  private readonly packaged: Set<string>
  /** States that wait for their rows to be packaged. */
  private readonly states: HeldStates
  private stateChanged: boolean
  private shared: string
  private refresh: Refresh | undefined
  private begun = Date.now()
  /** The id of the package that is being built. */
  private loadId = newLoadId()
  /** What the packages of this run and source have in common: the first one's id. */
  readonly series = this.loadId
  private readonly destination: PackagePlace

  constructor(parts: {
    source: Source
    schema: Schema
    state: PipelineState
    store: PackageStore
    limits: PackageLimits
    destination: PackagePlace
    /** What the first package drops or empties. */
    refresh: Refresh | undefined
    naming: NamingConvention
    takesNul: boolean
    storage?: StorageLimits | undefined
    /** What a table of the destination can have. */
    maxColumns: number
    notice(notice: Notice): void
  }) {
    this.source = parts.source
    this.schema = parts.schema
    this.state = parts.state
    this.packaged = new Set(parts.schema.tables.keys())
    this.states = new HeldStates(parts.state, parts.source.name)
    this.store = parts.store
    this.destination = parts.destination
    this.limits = parts.limits
    this.refresh = parts.refresh
    this.maxColumns = parts.maxColumns
    this.stateChanged = parts.refresh !== undefined
    this.shared = this.sharedState()
    const { naming, notice, store } = parts
    const options = {
      infer: inference(this.source.options),
      takesNul: parts.takesNul,
      ...(parts.storage === undefined ? {} : { storage: parts.storage }),
      fileBytes: parts.limits.fileBytes,
    }
    this.normalizer = new Normalizer(parts.schema, naming, store.nextFilePath, notice, options)
    const trialOptions = { ...options, goesOnFrom: this.normalizer }
    this.trial = () =>
      new TrialRows(
        parts.schema,
        (copy) => new Normalizer(copy, naming, store.nextFilePath, () => undefined, trialOptions),
      )
  }

  /** The next package brings the state, whether or not a resource has changed it. */
  keepState(): void {
    this.stateChanged = true
  }

  get nextLoadId(): string {
    return this.loadId
  }

  write(resource: Resource, page: Page): void {
    const hints = page instanceof MarkedRows ? page.hints : undefined
    const rows = rowsOf(page)
    const table = hints?.tableName ?? resource.options.tableName ?? resource.name
    if (typeof table !== 'function') {
      this.writeTo(resource, rows, table, hints)
      return
    }
    const groups = new Map<string, unknown[]>()
    for (const row of listedRows(rows)) {
      const name = table(row)
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [row])
      else group.push(row)
    }
    for (const [name, group] of groups) this.writeTo(resource, group, name, hints)
  }

  /** Keeps a row that may not be loaded, where its resource has a quarantine. */
  discard(resource: Resource, reason: string, row: unknown): void {
    if (resource.options.quarantine !== true) return
    const table = typeof resource.options.tableName === 'string' ? resource.options.tableName : resource.name
    this.writeTo(resource, [], table)
    this.normalizer.setAside(this.targets.get(`${resource.name}\n${table}`)!, reason, row)
  }

  /**
   * Root tables that `replace` is about to empty because the resource has brought no rows, which earlier runs have filled. A table
   * of several resources is named when the last of them has brought none.
   */
  tablesToEmpty(resource: Resource): string[] {
    this.done.add(resource.name)
    const { tableName } = resource.options
    const others = this.source.resources.filter((other) => fixedTable(other) === fixedTable(resource))
    if (fixedTable(resource) !== undefined && others.some(({ name }) => !this.done.has(name))) return []
    // Where rows name their tables, a table that no row names is how the source says that nothing is left of it.
    if (typeof tableName === 'function') return []
    this.write(resource, [])
    const own = [...this.targets.values()].filter((target) => target.resource === resource.name)
    const earlier = typeof tableName === 'string' ? [] : this.earlierTables(resource)
    const named = new Set([...own.map((target) => this.rootTable(target)), ...earlier.map(({ name }) => name)])
    return [...named].filter((name) => !this.filled.has(name) && this.schema.tables.get(name)!.seenData)
  }

  /** The resource is through: its rows may be packaged, its state is the new state. */
  rootDone(loaded: readonly Resource[], states: Map<string, ResourceState>): void {
    for (const resource of loaded) {
      this.done.add(resource.name)
      // A resource without rows still has a table to empty or to declare.
      if (replaces(resource) || Object.keys(resource.options.columns ?? {}).length > 0) this.write(resource, [])
      for (const table of this.held.release(resource.name)) {
        if (this.schema.tables.get(table)?.writeDisposition?.disposition === 'replace') this.replacing.add(table)
      }
      if (replaces(resource)) this.emptyEarlierTables(resource)
    }
    this.states.keep(states)
  }

  /**
   * Tables that the rows of earlier runs have named, and those of this run have not. A table of another `tableName` option is
   * another use of the resource, whose rows stay.
   */
  private emptyEarlierTables(resource: Resource): void {
    if (typeof resource.options.tableName === 'string') return
    for (const table of this.earlierTables(resource)) {
      table.writeDisposition = dispositionOf(resource.options)
      this.replacing.add(table.name)
    }
  }

  private earlierTables({ name }: Resource): Table[] {
    return [...this.schema.tables.values()].filter(
      (table) =>
        table.parent === undefined &&
        table.resource === name &&
        !this.written.has(table.name) &&
        !isQuarantine(this.schema, table),
    )
  }

  /**
   * A resource with all below it is to be left out: its rows that are not packaged yet go, except those that a later run
   * writes again in place, and so does its state. False when they stand in one table with rows of another resource.
   */
  rootFailed(tree: readonly Resource[]): boolean {
    const targets = [...this.targets.values()]
    const hintsOf = ({ name, options }: Resource): TableHints[] => [
      options,
      ...targets.filter((one) => one.resource === name).map(({ hints }) => hints),
    ]
    const failed = tree
      .filter((resource) => hintsOf(resource).some((hints) => !mayBeCut(resource, hints)))
      .map((resource) => resource.name)
    const tables = new Set(targets.filter((one) => failed.includes(one.resource)).map((one) => this.rootTable(one)))
    const shared = targets.some((one) => !failed.includes(one.resource) && tables.has(this.rootTable(one)))
    if (shared) return false
    const all = [...tables].flatMap((root) => tableWithNested(this.schema, root))
    this.normalizer.dropRows(new Set(all.map((table) => table.name)))
    for (const { name } of all) if (!this.packaged.has(name)) this.schema.tables.delete(name)
    for (const name of failed) this.held.release(name)
    this.states.forget(tree.map((resource) => resource.name))
    return true
  }

  private rootTable(target: RowTarget): string {
    return this.normalizer.declare(target).name
  }

  /** Rows and states agree at this moment: a package may end here. */
  checkpoint(states: Map<string, ResourceState>): void {
    this.states.keep(states)
    this.held.checkpoint(states.keys())
  }

  /** Files of tables that are only appended to and that nothing will be added to: a load may begin with them. */
  completeFiles(): EarlyFile[] {
    if (this.refresh !== undefined) return []
    const files = this.normalizer.takeCompleteFiles((table) => appends(rootOf(this.schema, table)))
    return files.map((file) => {
      const root = rootOf(this.schema, this.schema.tables.get(file.table)!)
      const tables = new Map(tableWithNested(this.schema, root.name).map((table) => [table.name, table]))
      return { table: file.table, file: { ...file }, schema: copySchema({ ...this.schema, tables }) }
    })
  }

  /** Size or age ask for a package, and there are rows that may be cut off. */
  mayCut(): boolean {
    if (this.normalizer.bytes < this.limits.maxBytes && Date.now() - this.begun < this.limits.maxAgeMs) return false
    this.begun = Date.now()
    const held = this.held.tables()
    return this.normalizer.hasRows((table) => !held.has(rootOf(this.schema, table).name))
  }

  /**
   * Everything that may be packaged, or `undefined` when there is nothing. A package that others of the run follow brings a
   * version of the state, whether or not that has changed: so a runner that was overtaken is refused with each of them, and
   * never writes old rows over newer ones.
   */
  seal({ isLast }: { isLast: boolean }): LoadPackage | undefined {
    this.begun = Date.now()
    const held = this.held.tables()
    const ready = [...this.schema.tables.values()].filter((table) => !held.has(rootOf(this.schema, table).name))
    const taken = this.normalizer.takeFiles(new Set(ready.map((table) => table.name)))
    const files = taken.flatMap((one) => one.files)
    const replaced = [...this.replacing].filter((table) => !held.has(table) && this.hasData(table))
    const shared = this.sharedState()
    if (shared !== this.shared) this.stateChanged = true
    this.shared = shared
    const kept = this.states.release((resource) => this.held.isHeld(resource))
    const changed = this.stateChanged || kept ? stateRow(this.state) : undefined
    this.stateChanged = false
    const nothing = files.length === 0 && replaced.length === 0 && changed === undefined && this.refresh === undefined
    if (nothing) return undefined
    const state = changed ?? (isLast ? undefined : stateRow(this.state, true))
    for (const table of replaced) this.replacing.delete(table)
    const { dropped = [], truncated = [] } = this.refresh ?? {}
    // What a refresh throws away belongs to all that comes after it.
    const groups = this.groups(this.refresh !== undefined)
    this.refresh = undefined
    const { loadId } = this
    this.loadId = newLoadId()
    return this.store.seal({
      loadId,
      pipeline: this.state.pipeline_name,
      dataset: this.state.dataset_name,
      destination: this.destination,
      source: this.source.name,
      series: this.series,
      groups,
      createdAt: new Date().toISOString(),
      schema: storedSchema(this.finishedSchema(held)),
      state,
      files,
      replaced,
      dropped,
      truncated,
      checks: Object.fromEntries(this.checks),
    })
  }

  /** What the resources of the source remember together. */
  private sharedState(): string {
    return plainJson({ ...this.state.sources[this.source.name], resources: undefined })
  }

  /** What of a package can be loaded without the rest. */
  private groups(isOne: boolean): PackageGroup[] {
    const writers = new Map<string, Set<string>>()
    for (const { name, parent, resource } of this.schema.tables.values()) {
      if (parent === undefined) writers.set(name, new Set(resource === undefined ? [] : [resource]))
    }
    for (const target of this.targets.values()) writers.get(this.rootTable(target))?.add(target.resource)
    const tables = [...writers].map(([table, resources]) => ({ table, resources: [...resources] }))
    const groups = packageGroups(this.source, tables)
    if (!isOne) return groups
    return [{ resources: groups.flatMap((group) => group.resources), tables: groups.flatMap((group) => group.tables) }]
  }

  /** The schema without what belongs to tables that stay behind. */
  private finishedSchema(held: ReadonlySet<string>): Schema {
    const copy = copySchema(this.schema)
    for (const root of held) for (const table of tableWithNested(this.schema, root)) copy.tables.delete(table.name)
    bumpVersion(copy)
    this.schema.version = copy.version
    this.schema.versionHash = copy.versionHash
    this.schema.previousHashes = copy.previousHashes
    for (const name of copy.tables.keys()) this.packaged.add(name)
    return copy
  }

  private hasData(root: string): boolean {
    return tableWithNested(this.schema, root).some((table) => table.seenData)
  }

  private writeTo(resource: Resource, rows: readonly unknown[], table: string, hints?: MarkHints): void {
    const key = `${resource.name}\n${table}`
    let target = this.targets.get(key)
    if (target === undefined || hints !== undefined) {
      target = this.newTarget(resource, table, { ...resource.options, ...target?.hints, ...hints })
      this.targets.set(key, target)
    }
    const name = this.normalizer.declare(target).name
    this.written.add(name)
    const { checks } = target.hints
    if (checks !== undefined) this.checks.set(name, [...checks])
    if (resource.options.quarantine === true) this.held.hold(resource.name, `${name}_quarantine`, { hasRows: true })
    if (!mayBeCut(resource, target.hints))
      this.held.hold(resource.name, name, { hasRows: rows.length > 0, isWhole: isWhole(target.hints) })
    if (rows.length === 0) return
    if (bringsRows(rows)) this.filled.add(name)
    if (hints?.otherwise === undefined) this.normalizer.write(target, rows)
    else this.writeEach(resource, target, rows, hints.otherwise)
  }

  /** Writes what can be written, and something else instead of the rest. */
  private writeEach(
    resource: Resource,
    target: RowTarget,
    rows: readonly unknown[],
    otherwise: NonNullable<MarkHints['otherwise']>,
  ): void {
    const trial = this.trial()
    for (const row of rows) {
      const refusal = trial.refusalOf(target, row)
      if (refusal === undefined) this.normalizer.write(target, [row])
      else this.write(resource, otherwise(row, refusal))
    }
  }

  private newTarget(resource: Resource, table: string, hints: TableHints): RowTarget {
    const { options } = this.source
    const maxTableNesting = resource.options.maxTableNesting ?? options.maxTableNesting
    const maxTableColumns = resource.options.maxTableColumns ?? options.maxTableColumns ?? mostColumns
    const schemaContract = hints.schemaContract ?? options.schemaContract
    return {
      table,
      resource: resource.name,
      hints: schemaContract === undefined ? hints : { ...hints, schemaContract },
      maxTableColumns: Math.min(maxTableColumns, this.maxColumns - mostLinks),
      ...(maxTableNesting === undefined ? {} : { maxTableNesting }),
      ...(options.rootKey === undefined ? {} : { rootKey: options.rootKey }),
    }
  }
}

const appends = ({ writeDisposition }: Table): boolean => (writeDisposition?.disposition ?? 'append') === 'append'
const replaces = ({ options }: Resource): boolean => dispositionOf(options).disposition === 'replace'

/** The table of all rows of a resource that is read for its own sake. */
const fixedTable = ({ name, options: { selected, tableName = name } }: Resource): string | undefined =>
  typeof tableName === 'string' && selected !== false ? tableName : undefined

const isQuarantine = ({ tables }: Schema, { name }: Table): boolean =>
  name.endsWith('_quarantine') && tables.has(name.slice(0, -'_quarantine'.length))
