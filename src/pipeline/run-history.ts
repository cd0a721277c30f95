import { channel } from 'node:diagnostics_channel'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeDrafts, replaceFile } from '../disk/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { isRunning } from '../locks/index.ts'
import type { RunEvent } from './events.ts'
import { readRequestLog, removeRequestLog, RequestLog, type LoggedRequest } from './request-log.ts'
import { recordFormat, RunRecorder, type RunRecord } from './run-record.ts'

const keptRuns = 1000
/** While a run goes on, its record is written anew at most this often. */
const everyMs = 1000

/**
 * Each run of this process that has ended, as its `RunRecord`. By its name, which docs/production.md tells, so that also a
 * program with another copy of Sluice hears of the runs that the project's own copy makes.
 */
const endedRuns = channel('sluice:run-ended')

/** The runs of a pipeline on this machine: a file each, readable while its run writes it. */
export class RunHistory {
  private readonly folder: string

  constructor(dataDir: string) {
    this.folder = join(dataDir, 'runs')
  }

  /** Follows a run from here on. What cannot be written is told, and does not stop the run. */
  follow(
    pipeline: string,
    { keepsRequests }: { keepsRequests: boolean },
  ): { run: string; take(event: RunEvent): void } {
    this.tidy()
    const recorder = new RunRecorder(pipeline)
    const requests = keepsRequests ? new RequestLog(this.folder, recorder.id) : undefined
    const startedAt = performance.now()
    let written = Number.NEGATIVE_INFINITY
    let told = false
    const take = (event: RunEvent): void => {
      recorder.take(event)
      const now = performance.now()
      const isOver = event.type === 'run-finished' || event.type === 'run-failed'
      const isDue = isOver || now - written >= everyMs
      if (isDue) written = now
      if (isOver && endedRuns.hasSubscribers) endedRuns.publish(recorder.record())
      try {
        if (event.type === 'request') requests?.take(event, now - startedAt)
        if (isDue) this.write(recorder.record())
      } catch (error) {
        // On a full disk the run itself ends with an error that says so.
        if (told || (error as { code?: string }).code === 'ENOSPC') return
        told = true
        process.emitWarning(`the history of this run is not kept: ${(error as Error).message}`)
      }
    }
    return { run: recorder.id, take }
  }

  /** The newest first; at most `limit`. */
  list(limit = keptRuns): RunRecord[] {
    return this.ids()
      .toReversed()
      .slice(0, limit)
      .flatMap((id) => this.read(id) ?? [])
  }

  /** By its id, or the beginning of it. */
  find(id: string): RunRecord | undefined {
    const found = this.ids().filter((one) => one.startsWith(id))
    return found.length === 0 ? undefined : this.read(found.at(-1)!)
  }

  /** Requests of a run with their answers, as far as they were kept. */
  requests(id: string): LoggedRequest[] {
    return readRequestLog(this.folder, id)
  }

  private ids(): string[] {
    if (!existsSync(this.folder)) return []
    return readdirSync(this.folder)
      .filter((name) => /^\d{8}T\d{9}-\w{4}\.json$/.test(name))
      .map((name) => name.slice(0, -'.json'.length))
      .sort()
  }

  private read(id: string): RunRecord | undefined {
    try {
      const written = JSON.parse(readFileSync(this.path(id), 'utf8')) as RunRecord
      if ((written.format ?? 1) > recordFormat) return undefined
      // What records of before did not keep, or kept otherwise.
      const notices = Array.isArray(written.notices) ? written.notices : []
      const run = { ...written, notices, settings: written.settings ?? [], bytes: written.bytes ?? {} }
      for (const resource of Object.values(run.resources)) {
        resource.waits ??= []
        resource.normalizeMs ??= 0
      }
      return run.status === 'running' && !isRunning(run.process ?? { pid: run.pid }) ? { ...run, status: 'died' } : run
    } catch {
      // Removed meanwhile, or damaged, as one of a newer version: the others are still good.
      return undefined
    }
  }

  /** What runs that were killed had half-written. */
  private tidy(): void {
    try {
      removeDrafts(this.folder)
    } catch {
      // No history can be kept, which is told when it is to be written.
    }
  }

  private write(run: RunRecord): void {
    replaceFile(this.path(run.id), JSON.stringify(run))
    failpoint(run.status === 'running' ? 'progress-recorded' : 'run-recorded')
    if (run.status === 'running') return
    for (const id of this.ids().slice(0, -keptRuns)) {
      rmSync(this.path(id), { force: true })
      removeRequestLog(this.folder, id)
    }
  }

  private path(id: string): string {
    return join(this.folder, `${id}.json`)
  }
}
