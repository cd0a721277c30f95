import type { ClientConfig } from 'pg'
import type { Db, FetchOptions, Job as QueuedJob, JobAttempt, PgBoss as Engine } from 'pg-boss'
import { failpoint } from '../failpoints/index.ts'
import { PipelineError } from '../index.ts'
import type { Told } from '../jobs/alerts/alerts.ts'
import type { LoadedRun } from '../jobs/alerts/conditions.ts'
import type { JobState } from '../jobs/decide.ts'
import type { Job } from '../jobs/job.ts'
import { postgresPoolConfig } from '../destinations/postgres/postgres.ts'
import { loadedOf, loadedQuery, noteLoaded, type ItemRun } from './loaded-runs.ts'
import { jsonOf, ownSchema, ownTables } from './own-tables.ts'
import type { WorkItem } from './work-item.ts'

/** Statements of one transaction. */
export type Transaction = Db

/** A work item that this worker holds; nobody else does while it sends heartbeats. */
export interface Claim {
  item: WorkItem
  /** Which item, and which attempt at it: what a later attempt holds, an earlier one can no longer settle. */
  token: JobAttempt
  /** Silent for so long, its worker has lost it. */
  heartbeatMs: number
}

/** How an item is to be treated. */
export interface ItemOptions {
  priority: number
  retries: number
  retryWaitMs: number
  timeoutMs: number
  /** Items of the job at the same time. */
  concurrency: number | undefined
}

/** An item whose tries are used up. */
export interface DeadItem {
  id: string
  item: WorkItem
  error: string
  at: Date
}

export interface ItemCounts {
  waiting: number
  active: number
  dead: number
}

export interface RunProgress {
  run: string
  job: string
  items: number
  done: number
  endedAt?: string
}

export interface QueueOptions {
  /** Of items that are added: a worker that is silent for so long has lost them. @default 30 */
  heartbeatSeconds?: number
  /** What the engine says between calls, such as a lost connection. */
  onError?(error: Error): void
}

const items = 'items'
export const dead = 'dead_items'
export const schema = 'sluice_queue'
/** How often the workers together look for items whose worker is silent. */
const monitorSeconds = 5
/** Its worker ends an item that takes too long; the engine does when the worker has not. */
const afterTimeoutMs = 60_000
/** pg-boss takes no longer one. */
const longestTimeoutMs = 24 * 3_600_000

/** A role may use a schema that exists without the right to create one. */
async function hasSchema(config: ClientConfig): Promise<boolean> {
  const { default: pg } = await import('pg')
  const client = new pg.Client(config)
  await client.connect()
  try {
    return (await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).rows.length > 0
  } finally {
    await client.end()
  }
}

/**
 * Work items in PostgreSQL, by pg-boss. An item is given to one worker at a time, and to the next one when that one is silent;
 * so it may be done twice, and what makes its rows come once is the destination's own ledger.
 */
export class WorkQueue {
  private readonly heartbeatSeconds: number
  private readonly boss: Engine

  private constructor(boss: Engine, heartbeatSeconds: number) {
    this.boss = boss
    this.heartbeatSeconds = heartbeatSeconds
  }

  static async open(url: string, { heartbeatSeconds = 30, onError }: QueueOptions = {}): Promise<WorkQueue> {
    if (!(heartbeatSeconds >= 10)) {
      throw new PipelineError(`a heartbeat of ${heartbeatSeconds} seconds`, {
        code: 'WRONG_USE',
        fix: 'give 10 or more',
      })
    }
    const { PgBoss } = await import('pg-boss').catch((cause: unknown) => {
      throw new PipelineError('the queue of workers needs the package pg-boss', {
        code: 'DRIVER_MISSING',
        fix: 'npm install pg-boss pg',
        cause,
      })
    })
    const config = await postgresPoolConfig({ url })
    const boss = new PgBoss({
      ...(config as object),
      schema,
      createSchema: !(await hasSchema(config as ClientConfig)),
      application_name: 'sluice worker',
      max: 4,
      schedule: false,
      superviseIntervalSeconds: monitorSeconds,
      monitorIntervalSeconds: monitorSeconds,
    })
    boss.on('error', (error: Error) => onError?.(error))
    await boss.start()
    const queue = new WorkQueue(boss, heartbeatSeconds)
    await queue.install()
    return queue
  }

  private async install(): Promise<void> {
    await this.boss.createQueue(dead, { retentionSeconds: 365 * 86_400 })
    await this.boss.createQueue(items, { deadLetter: dead, retentionSeconds: 365 * 86_400 })
    await this.transaction(async (db) => {
      // Several workers may begin at once, and IF NOT EXISTS does not keep the second one from failing.
      await db.executeSql(`SELECT pg_advisory_xact_lock(hashtext('${schema} install'))`)
      await db.executeSql(ownTables)
    })
  }

  /** All statements of `work`, or none of them. */
  async transaction<T>(work: (db: Transaction) => Promise<T>): Promise<T> {
    const { db, commit, rollback } = await this.boss.getDb().beginTransaction!()
    try {
      const result = await work(db)
      await commit()
      return result
    } catch (error) {
      await rollback()
      throw error
    }
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.boss.getDb().executeSql(sql, [...values])).rows as Record<string, unknown>[]
  }

  /** Adds items in a transaction of the caller's, to be begun after so many seconds. */
  async add(db: Transaction, added: readonly WorkItem[], options: ItemOptions, afterSeconds = 0): Promise<void> {
    const jobs = added.map((item) => ({
      data: item,
      startAfter: afterSeconds,
      priority: options.priority,
      retryLimit: options.retries,
      retryDelay: Math.max(1, Math.round(options.retryWaitMs / 1000)),
      retryBackoff: true,
      retryDelayMax: 3600,
      expireInSeconds: Math.ceil(Math.min(options.timeoutMs + afterTimeoutMs, longestTimeoutMs) / 1000),
      heartbeatSeconds: this.heartbeatSeconds,
      group: { id: item.job, ...(options.concurrency === undefined ? {} : { tier: String(options.concurrency) }) },
    }))
    for (let at = 0; at < jobs.length; at += addedAtOnce)
      await this.boss.insert(items, jobs.slice(at, at + addedAtOnce), { db })
    failpoint('item-enqueued')
  }

  /** The item whose turn it is; `undefined` when there is none. `tiers`: the concurrencies that jobs ask for. */
  async claim(tiers: readonly number[]): Promise<Claim | undefined> {
    const limits = Object.fromEntries(tiers.map((count) => [String(count), count]))
    const groupConcurrency = { default: noLimit, tiers: limits }
    const fetch = async (options: FetchOptions): Promise<QueuedJob<WorkItem> | undefined> =>
      (await this.boss.fetch<WorkItem>(items, options))[0]
    const job =
      tiers.length === 0
        ? await fetch({})
        : await this.transaction(async (db) => {
            // The engine counts what is active and then takes one more: two that do so at once would both.
            await db.executeSql(`SELECT pg_advisory_xact_lock(hashtext('${schema} claim'))`)
            return fetch({ db, groupConcurrency })
          })
    if (job === undefined) return undefined
    failpoint('item-claimed')
    const { id, retryCount, heartbeatSeconds, data } = job
    return {
      item: { ...data, attempt: (data.attempt ?? 1) + retryCount },
      token: { id, retryCount },
      heartbeatMs: (heartbeatSeconds ?? this.heartbeatSeconds) * 1000,
    }
  }

  /** Says that the worker is there; false when the item is no longer its own. */
  async beat({ token }: Claim): Promise<boolean> {
    return wasOurs(await this.boss.touch(items, token))
  }

  /** The item is done, and its runs have loaded this; false when it was no longer this worker's to settle. */
  complete({ token, item }: Claim, runs: readonly ItemRun[] = []): Promise<boolean> {
    return this.transaction(async (db) => {
      if (!wasOurs(await this.boss.complete(items, token, null, { db }))) return false
      failpoint('item-completed')
      await db.executeSql(`UPDATE ${ownSchema}.run SET done = done + 1 WHERE run = $1`, [item.run])
      await noteLoaded(db, item, runs)
      return true
    })
  }

  /** It failed: it is tried again after a while, or is dead when its tries are used up. */
  fail({ token, item }: Claim, error: string, runs: readonly ItemRun[] = []): Promise<boolean> {
    return this.transaction(async (db) => {
      const told = JSON.parse(jsonOf({ message: error })) as object
      if (!wasOurs(await this.boss.fail(items, token, told, { db }))) return false
      await noteLoaded(db, item, runs)
      return true
    })
  }

  /** Gives an item back that has not failed: a new one takes its place in the same transaction. */
  giveBack({ token, item }: Claim, options: ItemOptions, afterSeconds = 0): Promise<boolean> {
    return this.transaction(async (db) => {
      if (!wasOurs(await this.boss.complete(items, token, { givenBack: true }, { db }))) return false
      await this.add(db, [item], options, afterSeconds)
      return true
    })
  }

  /** How far a run is. */
  async run(run: string): Promise<RunProgress | undefined> {
    const [row] = await this.rows(`SELECT job, items, done, ended_at FROM ${ownSchema}.run WHERE run = $1`, [run])
    if (row === undefined) return undefined
    const endedAt = row.ended_at as Date | null
    return {
      run,
      job: String(row.job),
      items: Number(row.items),
      done: Number(row.done),
      ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
    }
  }

  /** By their jobs. */
  async runsUnderWay(): Promise<Map<string, { done: number; items: number }>> {
    const rows = await this.rows(`SELECT job, items, done FROM ${ownSchema}.run WHERE ended_at IS NULL`)
    return new Map(rows.map(({ job, items, done }) => [String(job), { items: Number(items), done: Number(done) }]))
  }

  async jobStates(): Promise<Map<string, JobState>> {
    const rows = await this.rows(`SELECT job, state FROM ${ownSchema}.job_state`)
    return new Map(rows.map(({ job, state }) => [String(job), state as JobState]))
  }

  /** What the last runs of jobs have loaded, by their jobs; the newest first. */
  async loadedRuns(jobs: readonly Job[]): Promise<Map<string, LoadedRun[]>> {
    return loadedOf(await this.rows(loadedQuery, [jobs.map(({ name }) => name)]))
  }

  /** Items of each job. */
  async counts(): Promise<Map<string, ItemCounts>> {
    const rows = await this.rows(
      `SELECT data->>'job' AS job,
         count(*) FILTER (WHERE name = '${items}' AND state IN ('created', 'retry')) AS waiting,
         count(*) FILTER (WHERE name = '${items}' AND state = 'active') AS active,
         count(*) FILTER (WHERE name = '${dead}' AND state = 'created') AS dead
       FROM ${schema}.job GROUP BY 1`,
    )
    return new Map(
      rows.map(({ job, waiting, active, dead }) => [
        String(job),
        { waiting: Number(waiting), active: Number(active), dead: Number(dead) },
      ]),
    )
  }

  /**
   * Has one worker at a time tell channels of alerts what is new: `tell` gets what each was told, and what it changes there is
   * kept. Nothing when another worker is at it.
   */
  async telling(tell: (told: Map<string, Told>) => Promise<void>): Promise<void> {
    await this.transaction(async (db) => {
      const { rows } = await db.executeSql(`SELECT pg_try_advisory_xact_lock(hashtext('${schema} alerts')) AS mine`)
      if (rows[0].mine !== true) return
      const known = await db.executeSql(`SELECT channel, told FROM ${ownSchema}.alert_told`)
      const told = new Map(known.rows.map((row: { channel: string; told: Told }) => [row.channel, row.told]))
      await tell(told)
      for (const [channel, what] of told) {
        await db.executeSql(
          `INSERT INTO ${ownSchema}.alert_told VALUES ($1, $2) ON CONFLICT (channel) DO UPDATE SET told = excluded.told`,
          [channel, jsonOf(what)],
        )
      }
    })
  }

  /** Nothing waits, and nothing goes on. */
  async isIdle(): Promise<boolean> {
    const [row] = await this.rows(
      `SELECT count(*) AS left FROM ${schema}.job WHERE name = '${items}' AND state IN ('created', 'retry', 'active')`,
    )
    return Number(row!.left) === 0
  }

  async deadItems(): Promise<DeadItem[]> {
    const found = await this.boss.findJobs<WorkItem>(dead, { queued: true, limit: 1000 })
    return found.map(({ id, data, sourceOutput, createdOn }) => ({
      id,
      item: data,
      error: String(
        (sourceOutput as { message?: unknown; value?: { message?: unknown } } | null)?.message ?? 'its worker was gone',
      ),
      at: createdOn,
    }))
  }

  /** Dead items are tried again, those with one of the ids; `options` are those of each one's job. How many there were. */
  async revive(ids: ReadonlySet<string> | undefined, options: (item: WorkItem) => ItemOptions): Promise<number> {
    const chosen = (await this.deadItems()).filter(({ id }) => ids === undefined || ids.has(id))
    for (const { id, item } of chosen) {
      await this.transaction(async (db) => {
        if (wasOurs(await this.boss.deleteJob(dead, id, { db }))) await this.add(db, [item], options(item))
      })
    }
    return chosen.length
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false })
  }
}

const addedAtOnce = 1000
/** Of jobs that name no concurrency; pg-boss wants a number. */
const noLimit = 1_000_000

const wasOurs = (response: unknown): boolean => (response as { affected: number }).affected > 0
