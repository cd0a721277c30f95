import { PipelineError, redact } from '../errors/index.ts'
import type { CheckResult, SchemaChange } from '../load/index.ts'
import type { RunEvent } from './events.ts'

/** What a run did, as it is kept. Times in ms are counted from its start. */
export interface RunRecord {
  id: string
  pipeline: string
  startedAt: string
  /** `died`: its process ended without a word. */
  status: 'running' | 'done' | 'failed' | 'died'
  durationMs: number
  destination?: string
  dataset?: string
  location?: string
  resources: Record<string, ResourceRecord>
  packages: PackageRecord[]
  /** Rows loaded, by table. */
  tables: Record<string, number>
  changes: SchemaChange[]
  failedChecks: CheckResult[]
  /** What was replaced or left out of the data, and how often. */
  notices: Record<string, number>
  error?: ErrorRecord
  /** Who runs it. */
  pid: number
}

export interface ResourceRecord {
  rows: number
  pages: number
  startedMs: number
  finishedMs?: number
  retries: number
  /** Waited for limits, retries and reports. */
  waitedMs: number
  skipped: number
  requests: Record<string, RequestRecord>
  error?: ErrorRecord
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
  /** It was left by an earlier run. */
  recovered: boolean
}

export interface ErrorRecord {
  code: string
  message: string
  fix: string
  cause?: string
}

export function newRecord(pipeline: string, now = new Date()): RunRecord {
  const id = `${now.toISOString().replaceAll(/[-:.Z]/g, '')}-${Math.random().toString(36).slice(2, 6).padEnd(4, '0')}`
  return {
    id,
    pipeline,
    startedAt: now.toISOString(),
    status: 'running',
    durationMs: 0,
    resources: {},
    packages: [],
    tables: {},
    changes: [],
    failedChecks: [],
    notices: {},
    pid: process.pid,
  }
}

/** Adds an event to a record; `ms` since the run began. */
export function record(run: RunRecord, event: RunEvent, ms: number): void {
  run.durationMs = Math.round(ms)
  const at = (name: string): ResourceRecord => {
    const known = Object.hasOwn(run.resources, name) ? run.resources[name] : undefined
    const resource = known ?? newResource(ms)
    if (known === undefined) Object.defineProperty(run.resources, name, { value: resource, ...visible })
    return resource
  }
  switch (event.type) {
    case 'run-started':
      run.destination = event.destination
      run.dataset = event.dataset
      run.location = event.location
      break
    case 'resource-started':
      at(event.resource)
      break
    case 'page':
      at(event.resource).rows += event.rows
      at(event.resource).pages += 1
      break
    case 'resource-finished':
      at(event.resource).finishedMs = Math.round(ms)
      break
    case 'request':
      addRequest(at(event.resource), event)
      break
    case 'wait':
      at(event.resource).waitedMs += Math.round(event.ms)
      if (event.reason === 'retry') at(event.resource).retries += 1
      break
    case 'skipped':
      at(event.resource).skipped += 1
      break
    case 'resource-failed':
      at(event.resource).error = errorRecord(event.error)
      break
    case 'notice': {
      const { kind, table, column } = event.notice as { kind: string; table?: string; column?: string }
      const key = [kind, table, column].filter((part) => part !== undefined).join(' ')
      run.notices[key] = (run.notices[key] ?? 0) + 1
      break
    }
    case 'package-sealed':
      run.packages.push({
        loadId: event.loadId,
        rows: event.rows,
        bytes: event.bytes,
        sealedMs: Math.round(ms),
        recovered: false,
      })
      break
    case 'package-loaded':
      addLoaded(run, event, ms)
      break
    case 'run-finished':
      run.status = 'done'
      break
    case 'run-failed':
      run.status = 'failed'
      run.error = errorRecord(event.error)
      break
    default:
      break
  }
}

/** Names come from data; none of them may be `__proto__` by assignment. */
const visible = { enumerable: true, configurable: true, writable: true }

const newResource = (ms: number): ResourceRecord => ({
  rows: 0,
  pages: 0,
  startedMs: Math.round(ms),
  retries: 0,
  waitedMs: 0,
  skipped: 0,
  requests: {},
})

function addRequest({ requests }: ResourceRecord, event: Extract<RunEvent, { type: 'request' }>): void {
  const known = (requests[String(event.status)] ??= { count: 0, ms: 0, slowest: { ms: -1, url: '' } })
  known.count += 1
  known.ms += Math.round(event.ms)
  if (event.ms > known.slowest.ms) known.slowest = { ms: Math.round(event.ms), url: event.url }
}

function addLoaded(run: RunRecord, event: Extract<RunEvent, { type: 'package-loaded' }>, ms: number): void {
  const times = { loadedMs: Math.round(ms), loadMs: Math.round(event.ms), recovered: event.recovered }
  const sealed = run.packages.find(({ loadId }) => loadId === event.loadId)
  const rows = Object.values(event.rows).reduce((sum, one) => sum + one, 0)
  if (sealed === undefined) run.packages.push({ loadId: event.loadId, rows, bytes: 0, sealedMs: 0, ...times })
  else Object.assign(sealed, times)
  for (const [table, count] of Object.entries(event.rows)) {
    const before = Object.hasOwn(run.tables, table) ? run.tables[table]! : 0
    Object.defineProperty(run.tables, table, { value: before + count, ...visible })
  }
  run.changes.push(...event.changes)
  run.failedChecks.push(...event.failedChecks)
}

function errorRecord(error: unknown): ErrorRecord {
  const known = error instanceof PipelineError
  const { cause } = error as { cause?: unknown }
  const told = cause instanceof Error ? redact(cause.message.split('\n')[0]!) : undefined
  return {
    code: known ? error.code : 'UNEXPECTED',
    message: known ? error.summary : redact(String((error as Error).message ?? error)),
    fix: known ? error.fix : 'this is a defect of Sluice: please report it',
    ...(told === undefined ? {} : { cause: told }),
  }
}
