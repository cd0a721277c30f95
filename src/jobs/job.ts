import { PipelineError } from '../index.ts'
import { durationMs, type Duration } from './duration.ts'
import type { Partition, Partitions } from './partition.ts'
import type { Trigger } from './trigger.ts'

/** A stretch of time, its end not included. */
export interface Interval {
  start: Date
  end: Date
}

/** What a run of a job is told. */
export interface JobContext {
  job: string
  /** The id of this run. */
  run: string
  /** Of a job with intervals: the one that this run is about. */
  interval: Interval | undefined
  /** The part that this run is about; of a job with intervals, its interval. `run(…, { partition })` loads it exactly once. */
  partition: Partition | undefined
  /** 1 for the first try. */
  attempt: number
  /** The scheduler ends, or the time is over. */
  signal: AbortSignal
}

export type JobFunction = (context: JobContext) => unknown

export interface JobOptions {
  /** What `sluice run` takes (a source file, a pipeline file, a platform), or a function. */
  run: string | JobFunction
  /** Options of `sluice run`: `['--destination', 'postgres']`. */
  args?: readonly string[]
  /** None: only when it is asked for. */
  trigger?: Trigger | readonly Trigger[]
  /**
   * Each tick has an interval of its own, from the tick before it; they come one after the other, and none is left out, however
   * long the scheduler was down.
   */
  interval?: { start: string }
  /** Without intervals: run once for all ticks that were missed. @default true */
  catchUp?: boolean
  /**
   * Parts that workers do at the same time, each a work item: `timeWindows({ … })`, `valueRanges(ids, 100)`, a list, or a function
   * that finds them. Only for `sluice worker`.
   */
  partitions?: Partitions
  /** Parts at the same time, on all workers together. @default no limit */
  concurrency?: number
  /** Work items with a higher one are begun first. @default 0 */
  priority?: number
  /** Its data is late when the last success is longer ago than this. */
  freshness?: Duration
  /** A run that takes longer is ended. @default '2h' */
  timeout?: Duration
  /** Tries after a failure. With intervals they do not end: the next one waits until this one is done. @default 3 */
  retries?: number
  /** Before the first retry; it doubles from one to the next, up to an hour. @default '1m' */
  retryWait?: Duration
  /** Settings of `.sluice/<profile>.config.toml` and `<profile>.secrets.toml` come first. */
  profile?: string
}

/** A job as the scheduler has it. */
export class Job {
  /** Given when the file is read: the name of its export. */
  name = ''
  readonly options: JobOptions
  readonly triggers: readonly Trigger[]
  readonly timeoutMs: number
  readonly retries: number
  readonly retryWaitMs: number
  readonly freshnessMs: number | undefined
  readonly start: Date | undefined

  constructor(options: JobOptions) {
    this.options = options
    this.triggers = options.trigger === undefined ? [] : [options.trigger].flat()
    this.timeoutMs = durationMs(options.timeout ?? '2h', 'timeout')
    this.retries = options.retries ?? 3
    this.retryWaitMs = durationMs(options.retryWait ?? '1m', 'retryWait')
    this.freshnessMs = options.freshness === undefined ? undefined : durationMs(options.freshness, 'freshness')
    this.start = options.interval === undefined ? undefined : new Date(options.interval.start)
    this.check()
  }

  private check(): void {
    const wrong = (message: string, fix: string): PipelineError =>
      new PipelineError(`job: ${message}`, { code: 'WRONG_USE', fix })
    if (!Number.isInteger(this.retries) || this.retries < 0)
      throw wrong(`retries: ${this.retries}`, 'give a whole number')
    const { concurrency, priority = 0, partitions, interval } = this.options
    if (concurrency !== undefined && (!Number.isInteger(concurrency) || concurrency < 1))
      throw wrong(`concurrency: ${concurrency}`, 'give a whole number')
    if (!Number.isInteger(priority)) throw wrong(`priority: ${priority}`, 'give a whole number')
    if (partitions !== undefined && interval !== undefined)
      throw wrong('intervals are its parts already', 'leave partitions out, or interval')
    const times = this.triggers.filter(({ kind }) => kind === 'time')
    if (this.start !== undefined && Number.isNaN(this.start.getTime()))
      throw wrong(`interval.start "${this.options.interval!.start}" is no moment`, 'write it as 2025-01-31T00:00:00Z')
    if (this.start !== undefined && times.length !== 1)
      throw wrong('intervals need one trigger of time', "give trigger: cron('0 * * * *') or every('1h')")
    if (times.length > 1)
      throw wrong('several triggers of time', 'write them as one cron expression, or as several jobs')
  }
}

/** Declares a job; exported from `sluice.jobs.ts`, it is called by the name of its export. */
export const job = (options: JobOptions): Job => new Job(options)
