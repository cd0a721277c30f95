/** @module-tag slow */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { startPostgres } from '../support/postgres-server.ts'
import { childrenOf, signal } from '../support/processes.ts'
import { WorkerProject, type WorkerProcess } from './worker-processes.ts'
import { randomFrom } from '../support/seed.ts'

const parts = 500
const rowsPerPart = 12
/** What happens to workers that are chosen at random, in this order. */
const actions = [
  ...(['pause', 'kill', 'kill executor', 'kill', 'restart', 'pause', 'kill executor', 'kill'] as const),
  ...(['pause', 'kill', 'pause', 'kill executor', 'pause', 'kill', 'kill executor', 'pause'] as const),
]

/** Each part appends to one table, with a child, and merges into another; columns come and types change on the way. */
const jobs = `
const rows = (at: number) => Array.from({ length: ${rowsPerPart} }, (_, row) => ({
  part: at,
  id: at * 1000 + row,
  tags: [row, row + 1],
  amount: at % 50 === 7 ? 0.5 : at % 97 === 3 ? 'many' : row,
  ['found_' + (at % 5)]: true,
}))
export const backfill = job({
  partitions: Array.from({ length: ${parts} }, (_, at) => ({ name: 'p' + at, values: [at] })),
  retries: 30,
  retryWait: '1s',
  run: async ({ partition, signal }) => {
    const all = rows(Number(partition!.values![0]))
    const pages = async function* () {
      for (let at = 0; at < all.length; at += 4) {
        yield all.slice(at, at + 4)
        await sleep(15)
      }
    }
    await pipeline({ name: 'backfill', dataset: 'killed', destination }).run(
      source('s', [
        resource('events', pages),
        resource('people', all.slice(0, 2).map(({ id }) => ({ id, seen: 1 })), { writeDisposition: 'merge', primaryKey: 'id' }),
      ]),
      { partition: partition!, signal },
    )
  },
})`

/** The parts that a worker has begun and not ended. */
function heldBy({ events }: WorkerProcess): string[] {
  const names = (isBegun: boolean): string[] =>
    events.flatMap(({ type, item }) =>
      item !== undefined && (type === 'item-begun') === isBegun ? [item.partition!.name] : [],
    )
  const ended = names(false)
  return names(true).filter((name) => !ended.includes(name))
}

/** Until one of the parts was given to another worker. */
async function taken(project: WorkerProject, parts: readonly string[]): Promise<void> {
  const list = parts.map((name) => `'${name}'`).join(', ')
  const query = `SELECT 1 FROM sluice_queue.job
    WHERE name = 'items' AND retry_count > 0 AND data->'partition'->>'name' IN (${list})`
  // The database may be gone for a while.
  while ((await project.rows(query).catch(() => [])).length === 0) await sleep(200)
}

it(
  'three workers, killed and paused at random, and a database that is restarted: each part is there once',
  { timeout: 420_000 },
  async () => {
    const server = await startPostgres()
    const project = new WorkerProject(server.url, jobs)
    onTestFinished(async () => {
      await project.end()
      await server.stop()
    })
    const random = randomFrom()
    expect(await project.run('worker', 'add', 'backfill', '--heartbeat', '10')).toMatchObject({ code: 0 })
    const begin = (): WorkerProcess => project.start('worker', '--json', '--heartbeat', '10')
    const workers = [begin(), begin(), begin()]
    const all = [...workers]
    const done = (): number => all.flatMap(({ events }) => events).filter(({ type }) => type === 'item-done').length
    const counted = { kill: 0, 'kill executor': 0, pause: 0, restart: 0 }
    const paused: Promise<void>[] = []
    const asleep = new Set<WorkerProcess>()
    const over = (): boolean => all.some(({ events }) => events.some(({ type }) => type === 'over'))
    while (done() === 0) await sleep(100)
    for (const action of actions) {
      await sleep(400 + random() * 800)
      if (over()) break
      const awake = [...workers.keys()].filter((at) => !asleep.has(workers[at]!))
      const at = awake[Math.floor(random() * awake.length)]!
      const pid = workers[at]!.pid!
      const executors = childrenOf(pid)
      counted[action] += 1
      switch (action) {
        case 'restart':
          await server.stopImmediately()
          await sleep(500 + random() * 1500)
          await server.start()
          break
        case 'kill':
          signal(pid, 'SIGKILL')
          workers[at] = begin()
          all.push(workers[at])
          break
        case 'kill executor':
          signal(executors[Math.floor(random() * executors.length)] ?? 0, 'SIGKILL')
          break
        case 'pause': {
          // As a machine that sleeps: all of it, and the first time until another one has what it held.
          const isFirst = counted.pause === 1
          const sleeper = workers[at]!
          if (isFirst) while (heldBy(sleeper).length === 0) await sleep(20)
          for (const one of [pid, ...executors]) signal(one, 'SIGSTOP')
          asleep.add(sleeper)
          const held = heldBy(sleeper)
          const ms = 500 + random() * 18_000
          const wake = async (): Promise<void> => {
            if (isFirst) await taken(project, held)
            else await sleep(ms)
            for (const one of [...executors, pid]) signal(one, 'SIGCONT')
            asleep.delete(sleeper)
          }
          paused.push(wake())
        }
      }
      while (asleep.size === workers.length) await sleep(100)
    }
    while (!over()) await sleep(200)
    await Promise.all(paused)
    for (const worker of workers) signal(worker.pid!, 'SIGTERM')
    for (const worker of workers) expect(await worker.ended, worker.said().slice(-3000)).toBe(0)
    const lost = all.flatMap(({ events }) => events).filter(({ type }) => type === 'item-lost').length
    console.log(JSON.stringify({ ...counted, lost }))
    expect(counted.kill).toBeGreaterThanOrEqual(3)
    expect(counted['kill executor']).toBeGreaterThanOrEqual(2)
    expect(counted.pause).toBeGreaterThanOrEqual(2)
    expect(counted.restart).toBe(1)
    // The one that slept longest has found its items with another one.
    expect(lost).toBeGreaterThanOrEqual(1)

    const query = (sql: string) => project.rows(sql)
    // Every row of every part, once.
    expect(
      await query(
        'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids, count(DISTINCT part)::int AS parts, sum(id)::bigint::text AS sum FROM killed.events',
      ),
    ).toEqual([
      {
        n: parts * rowsPerPart,
        ids: parts * rowsPerPart,
        parts,
        sum: String(((parts * (parts - 1)) / 2) * 1000 * rowsPerPart + (parts * rowsPerPart * (rowsPerPart - 1)) / 2),
      },
    ])
    expect(await query('SELECT count(*)::int AS n, sum(value)::int AS sum FROM killed.events__tags')).toEqual([
      { n: parts * rowsPerPart * 2, sum: parts * rowsPerPart * rowsPerPart },
    ])
    expect(await query('SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM killed.people')).toEqual([
      { n: parts * 2, ids: parts * 2 },
    ])
    // Columns that parts found while others did not, and values that fit no number.
    const found = Array.from({ length: 5 }, (_, at) => `count(found_${at})::int AS found_${at}`).join(', ')
    const per = (parts / 5) * rowsPerPart
    expect(await query(`SELECT ${found} FROM killed.events`)).toEqual([
      { found_0: per, found_1: per, found_2: per, found_3: per, found_4: per },
    ])
    // The first part to load decides whether `amount` is a number, with a variant for text, or text for all.
    const every = Array.from({ length: parts }, (_, at) => at)
    const halves = every.filter((at) => at % 50 === 7).length
    const texts = every.filter((at) => at % 97 === 3 && at % 50 !== 7).length
    const amounts =
      "SELECT coalesce(to_jsonb(e)->>'amount__v_text', to_jsonb(e)->>'amount') AS amount FROM killed.events AS e"
    expect(
      await query(
        `SELECT count(*) FILTER (WHERE amount = 'many')::int AS texts, count(*) FILTER (WHERE amount <> 'many')::int AS numbers,
          sum(nullif(amount, 'many')::float8) AS sum FROM (${amounts}) AS a`,
      ),
    ).toEqual([
      {
        texts: texts * rowsPerPart,
        numbers: (parts - texts) * rowsPerPart,
        sum: halves * rowsPerPart * 0.5 + (parts - halves - texts) * ((rowsPerPart * (rowsPerPart - 1)) / 2),
      },
    ])
    // A load for each part, and no more.
    expect(await query('SELECT count(*)::int AS n FROM killed._dlt_loads')).toEqual([{ n: parts }])
    expect(
      await query(
        "SELECT count(*)::int AS n, count(DISTINCT pipeline_name)::int AS parts FROM killed._dlt_pipeline_state WHERE pipeline_name LIKE 'backfill/%'",
      ),
    ).toEqual([{ n: parts, parts }])
    // No item is left, or was given up.
    expect(
      await query(
        "SELECT count(*)::int AS n FROM sluice_queue.job WHERE name IN ('items', 'dead_items') AND state NOT IN ('completed')",
      ),
    ).toEqual([{ n: 0 }])
    expect(await query('SELECT items::int, done::int, ended_at IS NOT NULL AS ended FROM sluice_jobs.run')).toEqual([
      { items: parts, done: parts, ended: true },
    ])
  },
)
