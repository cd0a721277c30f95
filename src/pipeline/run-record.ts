import { randomBytes } from 'node:crypto'
import type { FoundSetting } from '../config/index.ts'
import { PipelineError, redact } from '../errors/index.ts'
import type { CheckResult, SchemaChange } from '../load/index.ts'
import { ownIdentity, type ProcessIdentity } from '../locks/index.ts'
import type { RunEvent } from './events.ts'
import { refusedFacts, type LeftPackage, type RefusedFacts } from './load-info.ts'

const keptWaits = 100
/** Counted up when a record means something else than before; fields that are only new do not count. */
export const recordFormat = 1

/** What a run did, as it is kept. Times in ms are counted from its start. */
export interface RunRecord {
  /** Of the record: `recordFormat` of what wrote it; none before 2026-11-26, which was the first. */
  format?: number
  id: string
  pipeline: string
  startedAt: string
  /** `died`: its process ended without a word. */
  status: 'running' | 'done' | 'failed' | 'died'
  durationMs: number
  destination?: string
  dataset?: string
  location?: string
  /** The part of the pipeline's data that it loaded. */
  partition?: string
  resources: Record<string, ResourceRecord>
  packages: PackageRecord[]
  /** Rows loaded, by table. */
  tables: Record<string, number>
  /** Bytes of their rows in load packages, by table. */
  bytes: Record<string, number>
  changes: SchemaChange[]
  failedChecks: CheckResult[]
  /** What was replaced or left out of the data, and how often. */
  notices: { notice: Notice; times: number }[]
  /** Packages that were set aside, with why. */
  refusedPackages?: RefusedFacts[]
  /** Packages that wait for a run into another destination or dataset. */
  leftPackages?: LeftPackage[]
  error?: ErrorRecord
  /** Settings of the configuration that were used: their names and where they stand. */
  settings: FoundSetting[]
  /** How it was started. */
  command: { program: string; args: string[]; cwd: string }
  /** Who runs it. */
  pid: number
  /** The same, told apart from a later process with this id. Absent in records from before 2026-11-28. */
  process?: ProcessIdentity
}

export interface ResourceRecord {
  rows: number
  pages: number
  startedMs: number
  finishedMs?: number
  retries: number
  /** Of its time: what it took to make lines of its rows. */
  normalizeMs: number
  /** Waited for limits, retries and reports, in all. */
  waitedMs: number
  /** The first hundred waits. */
  waits: { atMs: number; ms: number; reason: string }[]
  skipped: number
  /** What the first answer told, of a resource of an API. */
  firstPage?: FirstPageRecord
  /** By their status. */
  requests: Record<number, RequestRecord>
  error?: ErrorRecord
}

export interface FirstPageRecord {
  /** Before any was left out as known. */
  rows: number
  /** Something is where rows are looked for; else where there are lists. */
  matched: boolean
  rowsAt: string
  listsAt: string[]
  hasNext: boolean
  /** It said itself that nothing follows. */
  isAll: boolean
  /** The type of the paginator. */
  paginator?: string
}

/** The requests of a resource that were answered alike. */
export interface RequestRecord {
  count: number
  ms: number
  slowest: { ms: number; url: string }
}

export interface PackageRecord {
  loadId: string
  rows: number
  bytes: number
  sealedMs: number
  loadedMs?: number
  /** How long its load took. */
  loadMs?: number
  /** When the destination worked on which root table and what is nested in it. */
  tables?: { table: string; atMs: number; ms: number }[]
  /** It was left by an earlier run. */
  recovered: boolean
}

export interface ErrorRecord {
  code: string
  message: string
  fix: string
  /** Where it happened, when it was in one. */
  resource?: string
  cause?: string
}

/** Follows a run, and tells at any time what it did so far. Names come from data, so they live in maps. */
export class RunRecorder {
  readonly id: string
  private readonly pipeline: string
  private readonly startedAt = new Date()
  private readonly begun = performance.now()
  private readonly resources = new Map<string, ResourceRecord>()
  private readonly packages = new Map<string, PackageRecord>()
  private readonly tables = new Map<string, number>()
  private readonly bytes = new Map<string, number>()
  private readonly notices = new Map<string, { notice: Notice; times: number }>()
  private readonly settings = new Map<string, FoundSetting>()
  private readonly changes: SchemaChange[] = []
  private readonly failedChecks: CheckResult[] = []
  private readonly refusedPackages: RefusedFacts[] = []
  private readonly leftPackages: LeftPackage[] = []
  private target: Pick<RunRecord, 'destination' | 'dataset' | 'location'> = {}
  private outcome: Pick<RunRecord, 'status' | 'error'> = { status: 'running' }
  private durationMs = 0

  constructor(pipeline: string) {
    this.pipeline = pipeline
    this.id = `${this.startedAt.toISOString().replaceAll(/[-:.Z]/g, '')}-${randomBytes(2).toString('hex')}`
  }

  record(): RunRecord {
    return {
      format: recordFormat,
      id: this.id,
      pipeline: this.pipeline,
      startedAt: this.startedAt.toISOString(),
      ...this.outcome,
      durationMs: this.durationMs,
      ...this.target,
      resources: Object.fromEntries(
        [...this.resources].map(([name, one]) => [name, { ...one, normalizeMs: Math.round(one.normalizeMs) }]),
      ),
      packages: [...this.packages.values()],
      tables: Object.fromEntries(this.tables),
      bytes: Object.fromEntries(this.bytes),
      changes: this.changes,
      failedChecks: this.failedChecks,
      notices: [...this.notices.values()],
      ...(this.refusedPackages.length === 0 ? {} : { refusedPackages: this.refusedPackages }),
      ...(this.leftPackages.length === 0 ? {} : { leftPackages: this.leftPackages }),
      settings: [...this.settings.values()],
      command: {
        program: process.execPath,
        args: [...process.execArgv, ...process.argv.slice(1)].map((one) => redact(one, { byName: true })),
        cwd: process.cwd(),
      },
      pid: process.pid,
      process: ownIdentity,
    }
  }

  take(event: RunEvent): void {
    const ms = Math.round(performance.now() - this.begun)
    this.durationMs = ms
    switch (event.type) {
      case 'run-started': {
        const { destination, dataset, location, partition } = event
        this.target = {
          destination,
          dataset,
          location: redact(location),
          ...(partition === undefined ? {} : { partition }),
        }
        break
      }
      case 'package-sealed': {
        const { loadId, rows, bytes } = event
        this.packages.set(loadId, { loadId, rows, bytes, sealedMs: ms, recovered: false })
        break
      }
      case 'package-loaded':
        this.loaded(event, ms)
        break
      case 'package-refused':
        this.refusedPackages.push(refusedFacts(this.pipeline, event))
        break
      case 'package-left': {
        const { type: _, ...left } = event
        this.leftPackages.push(left)
        break
      }
      case 'setting':
        this.settings.set(event.name, { name: event.name, provider: event.provider })
        break
      case 'notice':
        this.noticed(event.notice)
        break
      case 'destination-wait':
        break
      case 'run-finished':
        this.outcome = { status: 'done' }
        break
      case 'run-failed':
        this.outcome = { status: 'failed', error: errorRecord(event.error) }
        break
      default:
        this.extracted(event, ms)
    }
  }

  private extracted(event: ResourceEvent, ms: number): void {
    const resource = this.resources.get(event.resource) ?? newResource(ms)
    this.resources.set(event.resource, resource)
    switch (event.type) {
      case 'page':
        resource.rows += event.rows
        resource.pages += 1
        resource.normalizeMs += event.normalizeMs
        break
      case 'resource-finished':
        resource.finishedMs = ms
        break
      case 'request':
        addRequest(resource, event)
        break
      case 'wait':
        resource.waitedMs += Math.round(event.ms)
        if (resource.waits.length < keptWaits)
          resource.waits.push({ atMs: ms, ms: Math.round(event.ms), reason: event.reason })
        if (event.reason === 'retry') resource.retries += 1
        break
      case 'first-page':
        resource.firstPage = firstPageRecord(event)
        break
      case 'skipped':
        resource.skipped += 1
        break
      case 'resource-failed':
        resource.error = errorRecord(event.error)
        break
      default:
        break
    }
  }

  private loaded(event: Extract<RunEvent, { type: 'package-loaded' }>, ms: number): void {
    const { loadId, recovered } = event
    const rows = Object.values(event.rows).reduce((sum, one) => sum + one, 0)
    // One that an earlier run has left was not sealed by this one.
    const sealed = this.packages.get(loadId) ?? { loadId, rows, bytes: 0, sealedMs: 0 }
    const tables = event.spans.map(({ table, began, ms: took }) => ({
      table,
      atMs: Math.round(began - this.begun),
      ms: Math.round(took),
    }))
    this.packages.set(loadId, { ...sealed, loadedMs: ms, loadMs: Math.round(event.ms), tables, recovered })
    for (const [table, count] of Object.entries(event.rows)) add(this.tables, table, count)
    for (const [table, count] of Object.entries(event.bytes)) add(this.bytes, table, count)
    this.changes.push(...event.changes)
    this.failedChecks.push(...event.failedChecks)
  }

  private noticed(notice: Notice): void {
    const key = `${notice.kind} ${notice.table} ${('column' in notice ? notice.column : undefined) ?? ''}`
    const known = this.notices.get(key)
    if (known === undefined) this.notices.set(key, { notice, times: 1 })
    else known.times += 1
  }
}

type Notice = Extract<RunEvent, { type: 'notice' }>['notice']
type ResourceEvent = Extract<RunEvent, { resource: string }>

const add = (counts: Map<string, number>, name: string, count: number): void =>
  void counts.set(name, (counts.get(name) ?? 0) + count)

const newResource = (ms: number): ResourceRecord => ({
  rows: 0,
  pages: 0,
  startedMs: ms,
  retries: 0,
  normalizeMs: 0,
  waitedMs: 0,
  waits: [],
  skipped: 0,
  requests: {},
})

function firstPageRecord(event: Extract<RunEvent, { type: 'first-page' }>): FirstPageRecord {
  const { rows, matched, rowsAt, listsAt, hasNext, isAll, paginator } = event
  const type = paginator === undefined ? {} : { paginator: String(paginator.type) }
  return { rows, matched, rowsAt, listsAt, hasNext, isAll, ...type }
}

/** Status codes are digits, and no names. */
function addRequest({ requests }: ResourceRecord, event: Extract<RunEvent, { type: 'request' }>): void {
  const known = (requests[event.status] ??= { count: 0, ms: 0, slowest: { ms: -1, url: '' } })
  known.count += 1
  known.ms += Math.round(event.ms)
  if (event.ms > known.slowest.ms) known.slowest = { ms: Math.round(event.ms), url: event.url }
}

function errorRecord(error: unknown): ErrorRecord {
  const known = error instanceof PipelineError
  const { cause } = error as { cause?: unknown }
  const told = cause instanceof Error ? redact(cause.message.split('\n')[0]!) : undefined
  return {
    code: known ? error.code : 'UNEXPECTED',
    message: known ? error.summary : redact(String((error as Error).message ?? error)),
    fix: known ? error.fix : 'this is a defect of Sluice: please report it',
    ...(known && error.resource !== undefined ? { resource: error.resource } : {}),
    ...(told === undefined ? {} : { cause: told }),
  }
}
