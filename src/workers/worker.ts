import { setTimeout as sleep } from 'node:timers/promises'
import { redact } from '../index.ts'
import type { Job } from '../jobs/job.ts'
import { timerMs } from '../timers/index.ts'
import { Executor, type ItemResult } from './executor.ts'
import { itemOptions, JobClock, type ClockEvent } from './job-clock.ts'
import type { WorkItem } from './work-item.ts'
import type { Claim, WorkQueue } from './work-queue.ts'

/** What a worker does, as it happens. */
export type WorkerEvent =
  | ClockEvent
  | { type: 'item-begun'; item: WorkItem }
  | { type: 'item-done'; item: WorkItem; ms: number }
  | { type: 'item-failed'; item: WorkItem; ms: number; error: string; said: string }
  /** Not a failure: it is there for the next worker. */
  | { type: 'item-given-back'; item: WorkItem; reason: string }
  /** This worker was silent for too long, and another one has it. */
  | { type: 'item-lost'; item: WorkItem }
  | { type: 'trouble'; message: string }

export interface WorkerOptions {
  /** Items at the same time. @default 2 */
  parallel?: number
  /** What does items: see `Executor`. */
  command: readonly [string, ...string[]]
  /** Of that process, beside this one's. */
  environment?: Record<string, string>
  /** Whether this worker also begins jobs that are due. @default true */
  keepsClock?: boolean
  /** Now and then, and after a job is over: to tell those who want to know. */
  look?(): Promise<void>
  /** Ends when nothing is left to do. */
  untilDone?: boolean
  emit(event: WorkerEvent): void
}

const clockMs = 1000
/** What becomes late does so without an event. */
const lookEveryMs = 60_000
const idleMs = 500
/** Between asking an item to end and ending it. */
const graceMs = 30_000
const longestTroubleMs = 5000
/** After which another one will have finished. */
const meanwhileSeconds = 2
/** Its rows are where they should be, or another one is at it: no failure of the job. */
const meanwhile: ReadonlySet<string | undefined> = new Set(['PIPELINE_OVERTAKEN', 'PIPELINE_BUSY'])

/** Takes items from the queue and has them done, until it is asked to end. */
export class Worker {
  private readonly jobs: readonly Job[]
  private readonly queue: WorkQueue
  private readonly options: WorkerOptions
  private readonly clock: JobClock
  private news = true
  private looked = 0

  constructor(jobs: readonly Job[], queue: WorkQueue, options: WorkerOptions) {
    this.jobs = jobs
    this.queue = queue
    this.options = options
    this.clock = new JobClock(jobs, queue, (event) => {
      if (event.type === 'over') this.news = true
      options.emit(event)
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const end = AbortSignal.any([signal, over.signal])
    const { parallel = 2, keepsClock = true } = this.options
    const lines = Promise.all(Array.from({ length: parallel }, () => this.line(end)))
    const clock = keepsClock || this.options.untilDone === true ? this.keepClock(end, over) : undefined
    await Promise.all([lines, clock])
    // What the last items have brought about.
    if (!keepsClock) return
    await this.clock.tick().catch(() => undefined)
    this.news = true
    await this.lookAround()
  }

  /** One executor, and the items that it does. */
  private async line(signal: AbortSignal): Promise<void> {
    const executor = new Executor(this.options.command, this.options.environment ?? {})
    const tiers = [...new Set(this.jobs.flatMap(({ options }) => options.concurrency ?? []))]
    try {
      while (!signal.aborted) {
        const claim = await this.steadily(signal, () => this.queue.claim(tiers))
        if (claim === undefined) await pause(idleMs, signal)
        else await this.work(claim, executor, signal)
      }
    } finally {
      executor.kill()
    }
  }

  private async work(claim: Claim, executor: Executor, signal: AbortSignal): Promise<void> {
    const { item } = claim
    const job = this.jobs.find(({ name }) => name === item.job)
    if (job === undefined) {
      // Its file may be older than that of the worker that began the job.
      const error = `this worker knows no job "${item.job}"`
      if (await this.settle(() => this.queue.fail(claim, error)))
        this.options.emit({ type: 'item-failed', item, ms: 0, error, said: '' })
      return
    }
    this.options.emit({ type: 'item-begun', item })
    const held = this.hold(claim, job, executor, signal)
    const result = await executor.run(item, environmentOf(job, item))
    const isLost = held.end()
    if (isLost) this.options.emit({ type: 'item-lost', item })
    else await this.ended(claim, job, result, held.isLate)
  }

  /** Heartbeats, the time limit and the wish to end, while an item is done. */
  private hold(claim: Claim, job: Job, executor: Executor, signal: AbortSignal) {
    const held = { isLate: false, isLost: false, isOver: false }
    const beat = setInterval(
      async () => {
        // A queue that does not answer has not given it to anybody else either.
        if (await this.queue.beat(claim).catch(() => true)) return
        // Its process does the next one already.
        if (held.isOver) return
        held.isLost = true
        executor.kill()
      },
      timerMs(claim.heartbeatMs / 3),
    )
    const timers: NodeJS.Timeout[] = []
    const ask = (): void => {
      executor.stop()
      timers.push(setTimeout(() => executor.kill(), graceMs))
    }
    const late = (): void => {
      held.isLate = true
      ask()
    }
    timers.push(setTimeout(late, timerMs(job.timeoutMs)))
    signal.addEventListener('abort', ask, { once: true })
    if (signal.aborted) ask()
    return {
      get isLate() {
        return held.isLate
      },
      /** True when the item was lost meanwhile. */
      end: (): boolean => {
        held.isOver = true
        clearInterval(beat)
        timers.forEach(clearTimeout)
        signal.removeEventListener('abort', ask)
        return held.isLost
      },
    }
  }

  private async ended(claim: Claim, job: Job, result: ItemResult, isLate: boolean): Promise<void> {
    const { item } = claim
    const { outcome, ms, said, code } = result
    const { emit } = this.options
    const lost = (wasOurs: boolean): boolean => {
      if (!wasOurs) emit({ type: 'item-lost', item })
      return !wasOurs
    }
    if (outcome === 'success') {
      if (!lost(await this.settle(() => this.queue.complete(claim, result.runs)))) emit({ type: 'item-done', item, ms })
      return
    }
    const isMeanwhile = outcome === 'failure' && meanwhile.has(code)
    if (!isLate && (isMeanwhile || outcome === 'interrupted')) {
      const reason = isMeanwhile ? result.error! : 'this worker ends'
      const wait = isMeanwhile ? meanwhileSeconds : 0
      if (!lost(await this.settle(() => this.queue.giveBack(claim, itemOptions(job), wait)))) {
        emit({ type: 'item-given-back', item, reason })
      }
      return
    }
    const error = isLate ? `it was ended after ${job.options.timeout ?? '2h'}` : (result.error ?? 'it failed')
    if (!lost(await this.settle(() => this.queue.fail(claim, error, result.runs))))
      emit({ type: 'item-failed', item, ms, error, said })
  }

  /** What an item has come to is told to the queue, however long that takes to answer. */
  private settle(tell: () => Promise<boolean>): Promise<boolean> {
    return this.steadily(undefined, tell).then((wasOurs) => wasOurs === true)
  }

  private async keepClock(signal: AbortSignal, over: AbortController): Promise<void> {
    const { keepsClock = true } = this.options
    while (!signal.aborted) {
      if (keepsClock) {
        await this.steadily(signal, () => this.clock.tick())
        await this.lookAround()
      }
      if (this.options.untilDone === true && (await this.steadily(signal, () => this.queue.isIdle())) === true)
        over.abort()
      await pause(clockMs, signal)
    }
  }

  private async lookAround(): Promise<void> {
    if (this.options.look === undefined || (!this.news && Date.now() - this.looked < lookEveryMs)) return
    this.news = false
    this.looked = Date.now()
    try {
      await this.options.look()
    } catch (error) {
      this.options.emit({ type: 'trouble', message: redact(`alerts are not sent: ${(error as Error).message}`) })
    }
  }

  /** Again and again while the database does not answer. */
  private async steadily<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T | undefined> {
    let waitMs = 250
    while (!isOver(signal)) {
      try {
        return await ask()
      } catch (error) {
        this.options.emit({
          type: 'trouble',
          message: redact(`the queue does not answer: ${(error as Error).message}`),
        })
        await pause(waitMs, signal)
        waitMs = Math.min(waitMs * 2, longestTroubleMs)
      }
    }
    return undefined
  }
}

const isOver = (signal: AbortSignal | undefined): boolean => signal?.aborted === true

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  sleep(ms, undefined, signal === undefined ? {} : { signal }).then(
    () => undefined,
    () => undefined,
  )

/** What an item is told besides its arguments; what is not there is empty, because its process did others before. */
const environmentOf = (
  { options }: Job,
  { job, run, interval, partition, attempt = 1 }: WorkItem,
): Record<string, string> => ({
  SLUICE_JOB: job,
  SLUICE_JOB_RUN: run,
  SLUICE_JOB_ATTEMPT: String(attempt),
  SLUICE_PROFILE: options.profile ?? process.env.SLUICE_PROFILE ?? '',
  SLUICE_INTERVAL_START: interval?.start ?? partition?.start ?? '',
  SLUICE_INTERVAL_END: interval?.end ?? partition?.end ?? '',
  SLUICE_PARTITION: partition?.name ?? '',
})
