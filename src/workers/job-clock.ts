import { redact } from '../index.ts'
import { afterRun, dueRun, newState, type Due, type JobState } from '../jobs/decide.ts'
import type { Job } from '../jobs/job.ts'
import { partitionsOf, type Partition } from '../jobs/partition.ts'
import { jsonOf, ownSchema } from './own-tables.ts'
import { dead, schema, type ItemOptions, type Transaction, type WorkQueue } from './work-queue.ts'
import type { WorkItem } from './work-item.ts'

/** What the clock does, as it happens. */
export type ClockEvent =
  | { type: 'begun'; job: string; run: string; items: number; due: Due }
  | { type: 'over'; job: string; run: string; outcome: 'success' | 'failure'; ms: number; error?: string }

/** How items of a job are to be treated. */
export const itemOptions = (job: Job): ItemOptions => ({
  priority: job.options.priority ?? 0,
  retries: job.retries,
  retryWaitMs: job.retryWaitMs,
  timeoutMs: job.timeoutMs,
  concurrency: job.options.concurrency,
})

/**
 * Begins jobs that are due, by the same rules as `sluice schedule`: every worker has one, and one at a time acts. Where jobs
 * stand is in the queue's database, and changes in the transaction that adds the items.
 */
export class JobClock {
  private readonly jobs: readonly Job[]
  private readonly queue: WorkQueue
  private readonly emit: (event: ClockEvent) => void

  constructor(jobs: readonly Job[], queue: WorkQueue, emit: (event: ClockEvent) => void) {
    this.jobs = jobs
    this.queue = queue
    this.emit = emit
  }

  /** Settles runs whose items are all through, and begins what is due. */
  async tick(now = new Date()): Promise<void> {
    await this.settle(now)
    const states = await this.states(now)
    for (const job of this.jobs) {
      const due = dueRun(job, states, now)
      if (due !== undefined) await this.begin(job, due, now, { states })
    }
  }

  /** Begins a job that a person asks for; `again`: also its parts that were loaded already. False when it runs already. */
  async beginNow(job: Job, { again = false, now = new Date() } = {}): Promise<string | undefined> {
    return this.begin(job, { attempt: 1 }, now, { everyTime: again || job.triggers.length > 0 })
  }

  private async states(now: Date): Promise<Map<string, JobState>> {
    const states = await this.queue.jobStates()
    for (const job of this.jobs) {
      if (states.has(job.name)) continue
      // A schedule that is new counts from now on.
      const state = newState(now)
      await this.queue.rows(`INSERT INTO ${ownSchema}.job_state VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
        job.name,
        state,
      ])
      states.set(job.name, state)
    }
    return states
  }

  /** Adds the items of a run; nothing when another worker was first. */
  private async begin(
    job: Job,
    due: Due,
    now: Date,
    { everyTime = true, states }: { everyTime?: boolean; states?: ReadonlyMap<string, JobState> },
  ): Promise<string | undefined> {
    const run = `${now.toISOString().replaceAll(/[-:.Z]/g, '')}-${job.name}`
    // It may ask an API, which is nothing to do inside a transaction.
    const parts = await this.partsOf(job)
    const begun = await this.queue.transaction(async (db) => {
      const state = await lockedState(db, job, now)
      if (state.running !== undefined) return false
      // Meanwhile another worker may have begun, and ended, the same.
      const isStillDue = states === undefined || isSame(dueRun(job, new Map(states).set(job.name, state), now), due)
      if (!isStillDue) return false
      const running = { run, startedAt: now.toISOString(), due, pid: 0, started: '' }
      const isPlanned = Array.isArray(parts)
      const work: WorkItem[] = isPlanned ? itemsOf(job, run, due, everyTime ? (due.tick ?? run) : undefined, parts) : []
      await db.executeSql(`INSERT INTO ${ownSchema}.run (run, job, items) VALUES ($1, $2, $3)`, [
        run,
        job.name,
        work.length,
      ])
      await this.queue.add(db, work, itemOptions(job))
      if (isPlanned) await writeState(db, job, { ...state, running })
      else await this.over(db, job, { ...state, running }, now, parts.error)
      return true
    })
    if (!begun) return undefined
    if (Array.isArray(parts)) this.emit({ type: 'begun', job: job.name, run, items: parts.length, due })
    else this.emit({ type: 'over', job: job.name, run, outcome: 'failure', ms: 0, error: parts.error })
    return run
  }

  private async partsOf(job: Job): Promise<(Partition | undefined)[] | { error: string }> {
    const { partitions } = job.options
    if (partitions === undefined) return [undefined]
    try {
      const parts = [...(await partitionsOf(partitions))]
      if (JSON.stringify(parts) === jsonOf(parts)) return parts
      return {
        error:
          'a NUL, or half a character, stands in one of its parts, which the queue cannot keep: make parts without it',
      }
    } catch (error) {
      return { error: redact(`its parts could not be found: ${(error as Error).message}`) }
    }
  }

  /** Runs of which nothing waits or goes on any more. */
  private async settle(now: Date): Promise<void> {
    const through = await this.queue.rows(
      `SELECT r.run, job, items, done, dead FROM ${ownSchema}.run AS r, LATERAL (${deadOfRun}) AS d
       WHERE ended_at IS NULL AND done + dead >= items`,
    )
    for (const { run, job: name } of through) {
      const job = this.jobs.find((one) => one.name === name)
      if (job === undefined) continue
      const ended = await this.queue.transaction(async (db) => {
        const state = await lockedState(db, job, now)
        const { rows } = await db.executeSql(
          `SELECT items, done, dead, started_at FROM ${ownSchema}.run AS r, LATERAL (${deadOfRun}) AS d WHERE r.run = $1 AND ended_at IS NULL`,
          [run],
        )
        const [counts] = rows as { dead: string; items: string; started_at: Date }[]
        if (counts === undefined) return undefined
        const failures = Number(counts.dead)
        const error =
          failures === 0 ? undefined : `${failures} of ${Number(counts.items)} items failed: sluice worker dead`
        await db.executeSql(`UPDATE ${ownSchema}.run SET ended_at = now() WHERE run = $1`, [run])
        // Brought back from the dead after its run was over: the job has gone on.
        if (state.running?.run === run) await this.over(db, job, state, now, error)
        return { error, ms: now.getTime() - counts.started_at.getTime() }
      })
      if (ended === undefined) continue
      const { error, ms } = ended
      const told = error === undefined ? {} : { error }
      this.emit({
        type: 'over',
        job: job.name,
        run: String(run),
        outcome: error === undefined ? 'success' : 'failure',
        ms,
        ...told,
      })
    }
  }

  private async over(db: Transaction, job: Job, state: JobState, now: Date, error: string | undefined): Promise<void> {
    const startedAt = Date.parse(state.running!.startedAt)
    const ended = { endedAt: now, ms: Math.max(0, now.getTime() - startedAt) }
    // Items have had their tries.
    const spent = { ...state, failures: job.retries }
    const next =
      error === undefined
        ? afterRun(job, state, { outcome: 'success', ...ended })
        : afterRun(job, spent, { outcome: 'failure', error, ...ended })
    await writeState(db, job, next)
  }
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Items of a run whose tries are used up. */
const deadOfRun = `SELECT count(*) AS dead FROM ${schema}.job AS j
  WHERE j.name = '${dead}' AND j.state = 'created' AND j.data->>'run' = r.run`

/** `time`: which time it is, for parts that are loaded again and again. */
export function itemsOf(
  job: Job,
  run: string,
  due: Due,
  time: string | undefined,
  parts: readonly (Partition | undefined)[],
): WorkItem[] {
  return parts.map((part) => ({
    job: job.name,
    run,
    ...(part === undefined ? {} : { partition: time === undefined ? part : { run: time, ...part } }),
    ...(due.interval === undefined ? {} : { interval: due.interval }),
  }))
}

/** Whoever else wants to change it waits for the end of the transaction. */
async function lockedState(db: Transaction, job: Job, now: Date): Promise<JobState> {
  await db.executeSql(`INSERT INTO ${ownSchema}.job_state VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
    job.name,
    newState(now),
  ])
  const { rows } = await db.executeSql(`SELECT state FROM ${ownSchema}.job_state WHERE job = $1 FOR UPDATE`, [job.name])
  return rows[0].state as JobState
}

async function writeState(db: Transaction, job: Job, state: JobState): Promise<void> {
  await db.executeSql(`UPDATE ${ownSchema}.job_state SET state = $2 WHERE job = $1`, [job.name, jsonOf(state)])
}
