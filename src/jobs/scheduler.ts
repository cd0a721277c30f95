import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inboxMark } from '../inbox/index.ts'
import { identityOf, isRunning } from '../locks/index.ts'
import { afterRun, dueRun, newState, nextMoment, type Due, type JobState } from './decide.ts'
import type { Job } from './job.ts'
import type { ScheduleStore } from './schedule-store.ts'

/** What a scheduler does, as it happens. */
export type ScheduleEvent =
  | { type: 'started'; job: string; run: string; due: Due }
  | {
      type: 'ended'
      job: string
      run: string
      outcome: 'success' | 'failure' | 'interrupted'
      ms: number
      error?: string
      retryAt?: string
    }
  | { type: 'found'; job: string; run: string; pid: number }
  | { type: 'late'; job: string; run: string }

export interface SchedulerOptions {
  /** Runs at the same time. @default 2 */
  parallel?: number
  /** The program and arguments that run a job: `… <job> <run> <due as JSON>` is added. */
  command: readonly string[]
  emit(event: ScheduleEvent): void
  /** After something has ended, and now and then. */
  look?(): Promise<void>
}

/** Clocks may be set, so no wait is longer than this. */
const longestWaitMs = 15_000
const pollMs = 500
/** Between asking a run to end and ending it. */
const graceMs = 30_000

/** Runs jobs when they are due, each in a process of its own. What it knows is on disk before it acts. */
export class Scheduler {
  private readonly jobs: readonly Job[]
  private readonly store: ScheduleStore
  private readonly options: SchedulerOptions
  private readonly states: Map<string, JobState>
  /** Of runs that this scheduler began; those of an earlier one are known by their ids only. */
  private readonly children = new Map<string, ChildProcess>()
  /** When a run was asked to end. */
  private readonly asked = new Map<string, number>()
  /** Runs that were asked because their time was over. */
  private readonly late = new Set<string>()
  private wake: () => void = () => undefined

  constructor(jobs: readonly Job[], store: ScheduleStore, options: SchedulerOptions) {
    this.jobs = jobs
    this.store = store
    this.options = options
    this.states = store.read()
    const now = new Date()
    for (const { name } of jobs) if (!this.states.has(name)) this.states.set(name, newState(now))
    for (const job of jobs) this.find(job)
    store.write(this.states)
  }

  /** A run that a scheduler before this one began, and that may still go on. */
  private find(job: Job): void {
    const state = this.states.get(job.name)!
    if (state.running === undefined) return
    // That one may have ended right after it began the run.
    const running =
      state.running.pid === 0 ? { ...state.running, ...this.store.identity(state.running.run) } : state.running
    this.states.set(job.name, { ...state, running })
    if (isRunning(running)) this.options.emit({ type: 'found', job: job.name, run: running.run, pid: running.pid })
  }

  /** Until the signal comes: then running jobs are asked to end, and waited for. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true })
    while (!signal.aborted) {
      this.settle()
      this.startDue(new Date())
      await this.options.look?.()
      await this.pause(signal)
    }
    await this.end()
    await this.options.look?.()
  }

  /** Everything that is due now, and the jobs that come after it; retries are left to the next time. */
  async runDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.settle()
      this.startDue(new Date())
      if (this.running().length === 0) break
      await this.pause(signal)
    }
    if (signal.aborted) await this.end()
    await this.options.look?.()
  }

  private running(): [Job, NonNullable<JobState['running']>][] {
    return this.jobs.flatMap((job) => {
      const running = this.states.get(job.name)?.running
      return running === undefined ? [] : [[job, running] as [Job, typeof running]]
    })
  }

  private startDue(now: Date): void {
    const marks = new Map(inboxesOf(this.jobs).map((name) => [name, inboxMark(name)]))
    for (const job of this.jobs) {
      if (this.running().length >= (this.options.parallel ?? 2)) return
      const due = dueRun(job, this.states, now, marks)
      if (due !== undefined) this.start(job, due, now)
    }
  }

  private start(job: Job, due: Due, now: Date): void {
    const run = `${now.toISOString().replaceAll(/[-:.Z]/g, '')}-${job.name}`
    const [program, ...args] = this.options.command as [string, ...string[]]
    const running = { run, startedAt: now.toISOString(), due, pid: 0, started: '' }
    this.change(job, { ...this.states.get(job.name)!, running })
    const log = openSync(this.store.logPath(run), 'a', 0o600)
    // Not in the group of this process: the Ctrl-C of a terminal is passed on by hand.
    const child = spawn(program, [...args, job.name, run, JSON.stringify(due)], {
      detached: true,
      stdio: ['ignore', log, log],
      env: environment(job, due, run),
    })
    closeSync(log)
    child.once('exit', () => this.wake())
    child.on('error', () => this.wake())
    this.children.set(run, child)
    if (child.pid !== undefined)
      this.change(job, { ...this.states.get(job.name)!, running: { ...running, ...identityOf(child.pid) } })
    this.options.emit({ type: 'started', job: job.name, run, due })
  }

  /** Takes over what runs have come to. */
  private settle(): void {
    for (const [job, running] of this.running()) {
      const child = this.children.get(running.run)
      const isAlive =
        child === undefined
          ? isRunning(running)
          : child.exitCode === null && child.signalCode === null && child.pid !== undefined
      if (isAlive) {
        this.endLate(job, running)
        continue
      }
      this.ended(job, running)
      this.children.delete(running.run)
      this.asked.delete(running.run)
      this.late.delete(running.run)
    }
  }

  private ended(job: Job, { run, startedAt }: NonNullable<JobState['running']>): void {
    const state = this.states.get(job.name)!
    const written = this.store.outcome(run)
    const endedAt = new Date()
    const ms = written?.ms ?? Math.max(0, endedAt.getTime() - Date.parse(startedAt))
    const isLate = this.late.has(run)
    if (written?.outcome === 'interrupted' && !isLate) {
      const { running: _, ...rest } = state
      this.change(job, rest)
      this.options.emit({ type: 'ended', job: job.name, run, outcome: 'interrupted', ms })
      return
    }
    const outcome = written?.outcome === 'success' ? 'success' : 'failure'
    const said = isLate ? `it was ended after ${job.options.timeout ?? '2h'}` : written?.error
    const error = outcome === 'success' ? undefined : (said ?? 'its process ended without a word')
    const next = afterRun(job, state, { outcome, endedAt, ms, ...(error === undefined ? {} : { error }) })
    this.change(job, next)
    this.store.prune(job.name)
    this.options.emit({
      type: 'ended',
      job: job.name,
      run,
      outcome,
      ms,
      ...(error === undefined ? {} : { error }),
      ...(next.retryAt === undefined ? {} : { retryAt: next.retryAt }),
    })
  }

  private change(job: Job, state: JobState): void {
    this.states.set(job.name, state)
    this.store.write(this.states)
  }

  /** A run beyond its time is asked to end, then ended. */
  private endLate(job: Job, running: NonNullable<JobState['running']>): void {
    if (Date.now() - Date.parse(running.startedAt) < job.timeoutMs) return
    if (!this.late.has(running.run)) this.options.emit({ type: 'late', job: job.name, run: running.run })
    this.late.add(running.run)
    this.ask(running)
  }

  private ask({ run, pid }: NonNullable<JobState['running']>): void {
    const since = this.asked.get(run)
    if (since === undefined) {
      this.asked.set(run, Date.now())
      signalGroup(pid, 'SIGINT')
    } else if (Date.now() - since > graceMs) signalGroup(pid, 'SIGKILL')
  }

  private async end(): Promise<void> {
    while (this.running().length > 0) {
      for (const [, running] of this.running()) this.ask(running)
      await this.pause(undefined)
      this.settle()
    }
  }

  /** Until something may have to be done. */
  private async pause(signal: AbortSignal | undefined): Promise<void> {
    const isWatching = this.running().some(([, { run }]) => !this.children.has(run)) || this.asked.size > 0
    const moments = this.jobs.flatMap((job) => nextMoment(job, this.states.get(job.name)!) ?? [])
    const untilNext = Math.min(...moments.map((one) => one.getTime() - Date.now()))
    const longest = inboxesOf(this.jobs).length === 0 ? longestWaitMs : pollMs
    const wait = isWatching || signal === undefined ? pollMs : Math.max(50, Math.min(untilNext, longest))
    const woken = new AbortController()
    this.wake = () => woken.abort()
    if (signal?.aborted === true) return
    await sleep(wait, undefined, { signal: woken.signal }).catch(() => undefined)
  }
}

/** Names of the inboxes whose webhooks begin a job. */
const inboxesOf = (jobs: readonly Job[]): string[] =>
  jobs.flatMap(({ triggers }) => triggers.flatMap((one) => (one.kind === 'received' ? [one.inbox] : [])))

/** What a run is told besides its arguments. */
export function environment({ name, options }: Job, { interval, attempt }: Due, run: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    SLUICE_JOB: name,
    SLUICE_JOB_RUN: run,
    SLUICE_JOB_ATTEMPT: String(attempt),
    ...(options.profile === undefined ? {} : { SLUICE_PROFILE: options.profile }),
    ...(interval === undefined ? {} : { SLUICE_INTERVAL_START: interval.start, SLUICE_INTERVAL_END: interval.end }),
  }
}

function signalGroup(pid: number, signal: 'SIGINT' | 'SIGKILL'): void {
  if (pid <= 1) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
