import { PipelineError, redact } from '../errors/index.ts'
import type { CheckResult, EmptiedTable, SchemaChange } from '../load/index.ts'
import { keptFailed, type Refusal } from '../package/index.ts'

export interface LoadedPackage {
  loadId: string
  state: 'loaded'
  failedJobs: string[]
  rows: Record<string, number>
  changes: SchemaChange[]
  /** Checks that failed without blocking. */
  failedChecks: CheckResult[]
  /** Tables that had rows before, and have none since `replace` found none. */
  emptied: EmptiedTable[]
}

/** A package that the destination refused, as a whole or some resources of it: they are set aside. */
export interface RefusedPackage {
  loadId: string
  refusals: Refusal[]
  /** An earlier run had sealed it. */
  recovered: boolean
  error: PipelineError | undefined
  /** Old failed packages that were deleted, because only the last ones are kept. */
  displaced: string[]
}

/** The commands to go on with a failed package. */
export type FailedCommands = Record<'show' | 'retry' | 'discard', string>

/** A refused package as data: who was refused and why, and how to go on. */
export interface RefusedFacts extends Pick<RefusedPackage, 'loadId' | 'refusals' | 'displaced'> {
  /** Absent in run records from before 2026-11-28. */
  commands?: FailedCommands
}

/** A package that belongs to another destination or dataset, where it waits to be loaded. */
export interface LeftPackage {
  loadId: string
  dataset: string
  location?: string
}

/** A resource that was left out, with all below it, because the source lets it fail. */
export interface FailedResource {
  resource: string
  error: unknown
}

/** What a run loaded. `String(info)` gives dlt's lines, `JSON.stringify(info)` the same as data. */
export class LoadInfo {
  readonly pipeline: string
  readonly destination: string
  readonly dataset: string
  readonly location: string
  readonly packages: readonly LoadedPackage[]
  readonly failedResources: readonly FailedResource[]
  /** Packages that were set aside: see `sluice pipeline <name> failed-packages`. */
  readonly refusedPackages: readonly RefusedPackage[]
  /** Packages that wait for a run into their own destination and dataset. */
  readonly leftPackages: readonly LeftPackage[]
  readonly durationMs: number
  /** The part of the pipeline's data that was asked for. */
  readonly partition: string | undefined

  constructor(parts: {
    pipeline: string
    destination: string
    dataset: string
    location: string
    packages: readonly LoadedPackage[]
    failedResources: readonly FailedResource[]
    refusedPackages?: readonly RefusedPackage[]
    leftPackages?: readonly LeftPackage[]
    durationMs: number
    partition?: string | undefined
  }) {
    this.pipeline = parts.pipeline
    this.destination = parts.destination
    this.dataset = parts.dataset
    this.location = parts.location
    this.packages = parts.packages
    this.failedResources = parts.failedResources
    this.refusedPackages = parts.refusedPackages ?? []
    this.leftPackages = parts.leftPackages ?? []
    this.durationMs = parts.durationMs
    this.partition = parts.partition
  }

  get loadIds(): string[] {
    return this.packages.map((one) => one.loadId)
  }

  /** Rows loaded by this run, by table. */
  get rows(): Record<string, number> {
    const rows = new Map<string, number>()
    for (const one of this.packages) {
      for (const [table, count] of Object.entries(one.rows)) rows.set(table, (rows.get(table) ?? 0) + count)
    }
    return Object.fromEntries(rows)
  }

  /** Tables that had rows before, and have none since `replace` found none. */
  get emptiedTables(): EmptiedTable[] {
    return this.packages.flatMap((one) => one.emptied)
  }

  /** Packages that were set aside, as data, with the commands to go on with. */
  get refusedFacts(): RefusedFacts[] {
    return this.refusedPackages.map((one) => refusedFacts(this.pipeline, one))
  }

  toString(): string {
    return [
      `Pipeline ${this.pipeline} load step completed in ${seconds(this.durationMs)}`,
      `${this.packages.length} load package(s) were loaded to destination ${this.destination} and into dataset ${this.dataset}`,
      `The ${this.destination} destination used ${this.location} location to store data`,
      ...this.packages.map((one) => `Load package ${one.loadId} is LOADED and contains no failed jobs`),
      ...this.failedResources.map((one) => `Resource ${one.resource} FAILED and was left out`),
      ...this.refusedPackages.flatMap(refusedLines),
      ...this.leftPackages.map(leftLine),
      ...this.emptiedTables.map(
        ({ table, rowsBefore = 'some' }) =>
          `Table ${table} was EMPTIED: it had ${rowsBefore} rows, the new load has none`,
      ),
    ].join('\n')
  }

  toJSON(): Record<string, unknown> {
    return {
      pipeline: this.pipeline,
      ...(this.partition === undefined ? {} : { partition: this.partition }),
      destination: this.destination,
      dataset: this.dataset,
      location: this.location,
      loadIds: this.loadIds,
      packages: this.packages.map(({ loadId, state, failedJobs }) => ({ loadId, state, failedJobs })),
      rows: this.rows,
      ...(this.failedResources.length === 0 ? {} : { failedResources: this.failedResources.map(described) }),
      ...(this.refusedPackages.length === 0
        ? {}
        : {
            refusedPackages: this.refusedFacts,
          }),
      ...(this.leftPackages.length === 0 ? {} : { leftPackages: this.leftPackages }),
      ...(this.emptiedTables.length === 0 ? {} : { emptiedTables: this.emptiedTables }),
      durationMs: Math.round(this.durationMs),
    }
  }
}

export function refusedFacts(
  pipeline: string,
  { loadId, refusals, displaced }: Omit<RefusedFacts, 'commands'>,
): RefusedFacts {
  return { loadId, refusals, displaced, commands: failedCommands(pipeline, loadId) }
}

export function failedCommands(pipeline: string, loadId: string): FailedCommands {
  const command = (use: string): string => `sluice pipeline ${pipeline} failed-packages ${use} ${loadId}`
  return { show: command('show'), retry: command('retry'), discard: command('discard') }
}

export const refusedLines = ({
  loadId,
  refusals,
  displaced,
}: Pick<RefusedPackage, 'loadId' | 'refusals' | 'displaced'>): string[] => [
  ...refusals.map(
    ({ resources, message, follows }) =>
      `Load package ${loadId} was SET ASIDE for ${resources.join(', ') || 'all resources'}: ${follows === undefined ? message : `it follows ${follows}`}`,
  ),
  ...displaced.map((old) => `Failed package ${old} was DELETED: only the last ${keptFailed} are kept`),
]

export const leftLine = ({ loadId, dataset, location = 'another place' }: LeftPackage): string =>
  `Load package ${loadId} WAITS for a run into ${location}, dataset ${dataset}`

function described({ resource, error }: FailedResource): Record<string, string> {
  if (!(error instanceof PipelineError)) return { resource, message: redact(String(error)) }
  return { resource, code: error.code, message: error.summary, fix: error.fix }
}

function seconds(ms: number): string {
  const whole = ms / 1000
  if (whole < 60) return `${whole.toFixed(2)} seconds`
  const minutes = Math.floor(whole / 60)
  return `${minutes} minute${minutes === 1 ? '' : 's'} and ${(whole - minutes * 60).toFixed(2)} seconds`
}

/** Thrown when the destination refused resources of a run; `info` says what was loaded all the same. */
export class LoadRefused extends PipelineError {
  readonly info: LoadInfo

  constructor(info: LoadInfo, refused: readonly RefusedPackage[]) {
    const refusals = refused.flatMap((one) => one.refusals).filter(({ follows }) => follows === undefined)
    const [first] = refusals
    const names = [...new Set(refusals.flatMap(culprits))]
    const others = refusals.length > 1 ? `, and ${refusals.length - 1} more` : ''
    const { code = 'LOAD_FAILED', fix = '' } = first ?? {}
    super(
      `the destination refused ${names.length === 0 ? 'rows' : `resource ${names.map((name) => `"${name}"`).join(', ')}`}: ${first?.message ?? ''}${others}`,
      {
        code,
        recovery: 'skip',
        ...(names.length === 1 ? { resource: names[0]! } : {}),
        fix: `${fix}; its rows are set aside and are read again by the next run: sluice pipeline ${info.pipeline} failed-packages`,
        cause: refused.find(({ error }) => error !== undefined && error.summary === first?.message)?.error,
      },
    )
    this.info = info
  }
}

/** The resource that the refused table belongs to, or all that go together with it. */
const culprits = ({ resource, resources }: Refusal): string[] => (resource === undefined ? resources : [resource])
