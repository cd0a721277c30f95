import { PipelineError, redact } from '../errors/index.ts'
import type { CheckResult, SchemaChange } from '../load/index.ts'

export interface LoadedPackage {
  loadId: string
  state: 'loaded'
  failedJobs: string[]
  rows: Record<string, number>
  changes: SchemaChange[]
  /** Checks that failed without blocking. */
  failedChecks: CheckResult[]
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
    durationMs: number
    partition?: string | undefined
  }) {
    this.pipeline = parts.pipeline
    this.destination = parts.destination
    this.dataset = parts.dataset
    this.location = parts.location
    this.packages = parts.packages
    this.failedResources = parts.failedResources
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

  toString(): string {
    return [
      `Pipeline ${this.pipeline} load step completed in ${seconds(this.durationMs)}`,
      `${this.packages.length} load package(s) were loaded to destination ${this.destination} and into dataset ${this.dataset}`,
      `The ${this.destination} destination used ${this.location} location to store data`,
      ...this.packages.map((one) => `Load package ${one.loadId} is LOADED and contains no failed jobs`),
      ...this.failedResources.map((one) => `Resource ${one.resource} FAILED and was left out`),
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
      durationMs: Math.round(this.durationMs),
    }
  }
}

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
