import { describe, expect, it, onTestFinished } from 'vitest'
import { job, every, timeWindows, valueRanges } from '../../src/jobs/index.ts'
import { currentAlerts } from '../../src/jobs/alerts/send-alerts.ts'
import { itemOptions, JobClock } from '../../src/workers/job-clock.ts'
import { parseWorkItem } from '../../src/workers/work-item.ts'
import { WorkQueue } from '../../src/workers/work-queue.ts'
import { api, json } from '../support/api.ts'
import { freePort } from '../support/bucket-servers.ts'
import { signal } from '../support/processes.ts'
import { freshDatabase, WorkerProject } from './worker-processes.ts'
import { running } from '../support/running.ts'

async function project(jobs: string): Promise<WorkerProject> {
  const made = new WorkerProject(await freshDatabase(await running('postgres')), jobs)
  onTestFinished(() => made.end())
  return made
}

async function queueOf(): Promise<WorkQueue> {
  const queue = await WorkQueue.open(await freshDatabase(await running('postgres')))
  onTestFinished(() => queue.close())
  return queue
}

describe('sluice worker', () => {
  it('does the items of a job with the higher priority first', async () => {
    const here = await project(`
const run = ({ job, partition }) => note(job + ' ' + partition.name)
const partitions = [{ name: 'p0' }, { name: 'p1' }, { name: 'p2' }]
export const later = job({ run, partitions })
export const first = job({ run, partitions, priority: 5 })`)
    expect((await here.command('worker', 'add', 'later')).code).toBe(0)
    await here.command('worker', 'add', 'first')
    // One at a time: of two that begin together, the machine decides which one says so first.
    expect(await here.run('worker', '--until-done', '--parallel', '1')).toMatchObject({ code: 0 })
    expect(here.notes().map((line) => line.split(' ')[0])).toEqual([
      'first',
      'first',
      'first',
      'later',
      'later',
      'later',
    ])
  })

  it(
    'does as many items of a job at the same time as it allows, on all workers together',
    { tags: ['slow'] },
    async () => {
      const here = await project(`
export const limited = job({
  concurrency: 2,
  partitions: Array.from({ length: 8 }, (_, at) => ({ name: 'p' + at })),
  run: async ({ partition }) => {
    note('+ ' + partition.name)
    await sleep(500)
    note('- ' + partition.name)
  },
})`)
      await here.run('worker', 'add', 'limited')
      const ended = await Promise.all([1, 2].map(() => here.run('worker', '--until-done', '--parallel', '3')))
      expect(ended.map(({ code }) => code)).toEqual([0, 0])
      const notes = here.notes()
      let [now, most] = [0, 0]
      for (const line of notes) {
        now += line.startsWith('+') ? 1 : -1
        most = Math.max(most, now)
      }
      expect(most).toBe(2)
      expect(notes.filter((line) => line.startsWith('+'))).toHaveLength(8)
      expect(new Set(notes).size).toBe(16)
    },
  )

  it(
    'killed where it adds items, takes one or ends one, loses none and does none for nothing',
    { tags: ['slow'] },
    async () => {
      const here = await project(`
export const counted = job({
  retries: 5,
  retryWait: '1s',
  partitions: Array.from({ length: 6 }, (_, at) => ({ name: 'p' + at })),
  run: async ({ partition }) => {
    const rows = resource('rows', [[{ part: partition.name }]])
    await pipeline({ name: 'counted', dataset: 'counted', destination }).run(source('s', [rows]), { partition: partition.name })
  },
})`)
      const killedAt = async (step: string, ...args: string[]): Promise<void> => {
        here.failing = { SLUICE_FAILPOINT: step }
        const child = here.start(...args)
        await child.ended
        expect(child.signalCode, step).toBe('SIGKILL')
        here.failing = {}
      }
      await killedAt('item-enqueued:1', 'worker', 'add', 'counted')
      await here.run('worker', 'add', 'counted')
      for (const step of ['item-claimed:1', 'item-completed:1', 'item-claimed:2', 'item-completed:2']) {
        await killedAt(step, 'worker', '--heartbeat', '10')
      }
      expect(await here.run('worker', '--until-done', '--heartbeat', '10')).toMatchObject({ code: 0 })
      const parts = await here.rows('SELECT part, count(*)::int AS n FROM counted.rows GROUP BY part ORDER BY part')
      expect(parts).toEqual(Array.from({ length: 6 }, (_, at) => ({ part: `p${at}`, n: 1 })))
    },
  )

  it(
    'tries a failed item again, keeps it when its tries are used up, and has it tried again when asked',
    { tags: ['slow'] },
    async () => {
      const here = await project(`
export const fragile = job({
  retries: 1,
  retryWait: '1s',
  partitions: [{ name: 'good' }, { name: 'bad' }],
  run: ({ partition, attempt }) => {
    note(partition.name + ' ' + attempt)
    if (partition.name === 'bad' && process.env.CURED === undefined) throw new Error('the API says 500')
  },
})
export const afterwards = job({ trigger: after(fragile, 'failure'), run: () => note('afterwards') })`)
      await here.command('worker', 'add', 'fragile')
      const { code, said } = await here.run('worker', '--until-done')
      expect(code).toBe(1)
      expect(said).toContain('the API says 500')
      expect(here.notes().toSorted()).toEqual(['afterwards', 'bad 1', 'bad 2', 'good 1'])
      expect((await here.command('worker', 'dead')).said).toMatch(/✗ fragile bad[^]*the API says 500/)
      const listed = JSON.parse((await here.command('worker', 'list', '--json')).said) as { job: string }[]
      expect(listed.find((one) => one.job === 'fragile')).toMatchObject({
        status: 'failure',
        waiting: 0,
        active: 0,
        dead: 1,
      })
      process.env.CURED = 'yes'
      onTestFinished(() => void delete process.env.CURED)
      expect((await here.command('worker', 'retry')).said).toContain('1 item wait')
      expect((await here.run('worker', '--until-done')).code).toBe(0)
      expect((await here.command('worker', 'dead')).said).toContain('none')
      expect(here.notes().filter((line) => line.startsWith('good'))).toHaveLength(1)
    },
  )

  it('keeps an item while its process is busy for longer than a heartbeat', { tags: ['slow'] }, async () => {
    const here = await project(`
export const busy = job({
  run: ({ attempt }) => {
    note('begun ' + attempt)
    const end = Date.now() + 17_000
    while (Date.now() < end);
    note('ended')
  },
})`)
    await here.run('worker', 'add', 'busy', '--heartbeat', '10')
    const ended = await Promise.all([1, 2].map(() => here.run('worker', '--until-done')))
    expect(ended.map(({ code }) => code)).toEqual([0, 0])
    expect(here.notes()).toEqual(['begun 1', 'ended'])
  })

  it('gives back what it does when it is asked to end, and that is no failed try', { tags: ['slow'] }, async () => {
    const here = await project(`
export const long = job({
  retries: 0,
  run: async ({ attempt, signal }) => {
    note('begun ' + attempt)
    if (process.env.PATIENT === undefined) await sleep(60_000, undefined, { signal })
    note('ended')
  },
})`)
    await here.run('worker', 'add', 'long')
    const worker = here.start('worker')
    await expect.poll(() => here.notes()).toEqual(['begun 1'])
    signal(worker.pid!, 'SIGTERM')
    expect(await worker.ended).toBe(0)
    expect(worker.said()).toContain('is given back')
    process.env.PATIENT = 'no'
    onTestFinished(() => void delete process.env.PATIENT)
    expect((await here.run('worker', '--until-done')).code).toBe(0)
    expect(here.notes()).toEqual(['begun 1', 'begun 1', 'ended'])
  })

  it('ends an item whose time is over', { tags: ['slow'] }, async () => {
    const here = await project(`
export const endless = job({ retries: 0, timeout: '2s', run: ({ signal }) => sleep(60_000, undefined, { signal }) })`)
    await here.run('worker', 'add', 'endless')
    const { said } = await here.run('worker', '--until-done')
    expect(said).toContain('it was ended after 2s')
  })

  it('begins what is due, each tick once, however many workers there are', { tags: ['slow'] }, async () => {
    const here = await project(`
export const ticking = job({
  trigger: every('2s'),
  interval: { start: new Date(Math.floor(Date.now() / 2000) * 2000 - 6000).toISOString() },
  run: ({ interval, partition }) => note('tick ' + interval.start.toISOString() + ' ' + partition.name),
})
export const then = job({ trigger: after(ticking), run: () => note('then') })`)
    const workers = [1, 2, 3].map(() => here.start('worker', '--json'))
    await expect.poll(() => here.notes().filter((line) => line.startsWith('tick')).length).toBeGreaterThanOrEqual(6)
    await expect.poll(() => here.notes()).toContain('then')
    for (const { pid } of workers) signal(pid!, 'SIGTERM')
    for (const worker of workers) expect(await worker.ended, worker.said()).toBe(0)
    const ticks = here.notes().filter((line) => line.startsWith('tick'))
    const starts = ticks.map((line) => Date.parse(line.split(' ')[1]!))
    for (const [at, start] of starts.entries()) if (at > 0) expect(start - starts[at - 1]!).toBe(2000)
  })

  it('sends each alert once, whichever worker does, and answers Prometheus', { tags: ['slow'] }, async () => {
    const texts: string[] = []
    const channel = await api((_request, response, _url, body) => {
      texts.push((JSON.parse(body) as { text: string }).text)
      json(response, {})
    })
    const here = await project(`
import { alerts, webhook } from ${JSON.stringify(new URL('../../src/jobs/index.ts', import.meta.url).pathname)}
export const fragile = job({
  retries: 0,
  run: () => { if (process.env.CURED === undefined) throw new Error('no luck') },
})
export const team = alerts({ to: webhook({ url: ${JSON.stringify(channel.baseUrl)} }) })`)
    await here.run('worker', 'add', 'fragile')
    const port = await freePort()
    const workers = [here.start('worker', '--metrics', String(port)), here.start('worker'), here.start('worker')]
    await expect.poll(() => texts.length).toBe(1)
    expect(texts[0]).toContain('fragile failed')
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('sluice_job_runs_failed_total{job="fragile"} 1')
    for (const { pid } of workers) signal(pid!, 'SIGTERM')
    for (const worker of workers) expect(await worker.ended, worker.said()).toBe(0)
    process.env.CURED = 'yes'
    onTestFinished(() => void delete process.env.CURED)
    await here.run('worker', 'add', 'fragile')
    await here.run('worker', '--until-done')
    expect(texts).toHaveLength(2)
    expect(texts[1]).toContain('fragile')
  })

  it(
    'tells what all parts of a run have brought: new tables, and what the contract refuses',
    { tags: ['slow'] },
    async () => {
      const told: string[][] = []
      const channel = await api((_request, response, _url, body) => {
        told.push((JSON.parse(body) as { opened: { kind: string; text: string }[] }).opened.map(({ text }) => text))
        json(response, {})
      })
      const here = await project(`
import { alerts, webhook } from ${JSON.stringify(new URL('../../src/jobs/index.ts', import.meta.url).pathname)}
const brought = process.env.BROUGHT === undefined ? {} : { unasked: 'here' }
export const shop = job({
  retries: 0,
  partitions: [{ name: 'p0' }, { name: 'p1' }],
  run: ({ partition, signal }) => {
    const more = partition.name === 'p1' ? brought : {}
    const rows = resource(partition.name, [{ id: 1, name: 'x', ...more }], { schemaContract: { columns: process.env.BROUGHT === undefined ? 'evolve' : 'freeze' } })
    return pipeline({ name: 'shop', dataset: 'shop', destination }).run(source('s', [rows]), { partition, signal })
  },
})
export const team = alerts({ to: webhook({ url: ${JSON.stringify(channel.baseUrl)} }) })`)
      await here.run('worker', 'add', 'shop')
      expect((await here.run('worker', '--until-done')).code).toBe(0)
      expect(told).toHaveLength(1)
      expect(told[0]!.join()).toMatch(/^shop has new columns: (table p0, table p1|table p1, table p0)$/)
      process.env.BROUGHT = 'yes'
      onTestFinished(() => void delete process.env.BROUGHT)
      await here.run('worker', 'add', 'shop', '--again')
      expect((await here.run('worker', '--until-done')).code).toBe(1)
      expect(told[1]!.join()).toMatch(/^shop failed: .*unasked/)
      const { said } = await here.run('worker', 'alerts')
      expect(said).toMatch(/^✗ contract +shop failed: [^✗]*unasked/)
      expect(JSON.parse((await here.run('worker', 'alerts', '--json')).said)).toMatchObject([
        { kind: 'contract' },
        { kind: 'schema change' },
      ])
    },
  )

  it('fails an item whose error is no text that a database takes', { tags: ['slow'] }, async () => {
    const here = await project(`
export const odd = job({ retries: 0, run: () => { throw new Error('a\\0b \\ud800') } })`)
    await here.command('worker', 'add', 'odd')
    expect((await here.run('worker', '--until-done')).code).toBe(1)
    expect((await here.command('worker', 'dead')).said).toMatch(/odd[^]*a.b/)
  })

  it('makes an item of each resource, and loads each once for each time', { tags: ['slow'] }, async () => {
    const here = await project(`
const shop = source('shop', [
  resource('orders', [{ id: 1 }, { id: 2 }]),
  resource('people', [{ id: 3 }]),
])
export default shop
export const load = job({
  run: import.meta.filename,
  args: ['--destination', 'postgres', '--dataset', 'parts'],
  partitions: eachResource('orders', 'people'),
})`)
    for (const again of [[], [], ['--again']]) {
      await here.run('worker', 'add', 'load', ...again)
      const { code, said } = await here.run('worker', '--until-done')
      expect(code, said).toBe(0)
    }
    // The second time everything was there; the third was asked for.
    expect(await here.rows('SELECT count(*)::int AS n FROM parts.orders')).toEqual([{ n: 4 }])
    expect(await here.rows('SELECT count(*)::int AS n FROM parts.people')).toEqual([{ n: 2 }])
  })

  it('lets another engine do an item', { tags: ['slow'] }, async () => {
    const here = await project(`
export const days = job({
  partitions: timeWindows({ start: '2025-01-30', end: '2025-02-02', every: '1d' }),
  run: ({ partition, signal }) =>
    pipeline({ name: 'days', dataset: 'days', destination }).run(
      source('s', [resource('days', [{ day: partition.start.slice(0, 10) }])]),
      { partition, signal },
    ),
})`)
    const { said } = await here.run('worker', 'items', 'days')
    const items = said.trim().split('\n')
    expect(items.map((item) => (JSON.parse(item) as { partition: { name: string } }).partition.name)).toEqual([
      '2025-01-30',
      '2025-01-31',
      '2025-02-01',
    ])
    expect((await here.run('worker', 'items', 'days', '--index', '1')).said.trim()).toBe(items[1])
    for (const item of [...items, items[0]!]) expect((await here.run('run', '--work-item', item)).code).toBe(0)
    expect(await here.rows('SELECT day::text FROM days.days ORDER BY day')).toEqual(
      ['2025-01-30', '2025-01-31', '2025-02-01'].map((day) => ({ day })),
    )
    for (const wrong of ['{', '{"job":5}', '{"job":"days","partition":{}}', '{"job":"unknown"}'])
      expect((await here.run('run', '--work-item', wrong)).code, wrong).not.toBe(0)
  })
})

describe('the queue', () => {
  const named = (name: string, options: Parameters<typeof job>[0]) => Object.assign(job(options), { name })
  const work = named('work', { run: () => undefined, partitions: [{ name: 'a' }, { name: 'b' }] })

  it('adds items with the state that they follow, or neither', async () => {
    const queue = await queueOf()
    const clock = new JobClock([work], queue, () => undefined)
    const added = queue.add.bind(queue)
    queue.add = async (...given) => {
      await added(...given)
      throw new Error('the connection breaks')
    }
    await expect(clock.beginNow(work)).rejects.toThrow('the connection breaks')
    expect(await queue.isIdle()).toBe(true)
    expect((await queue.jobStates()).get('work')).toBeUndefined()
    queue.add = added
    const run = await clock.beginNow(work)
    expect(await queue.run(run!)).toMatchObject({ job: 'work', items: 2, done: 0 })
    expect((await queue.jobStates()).get('work')!.running!.run).toBe(run)
    // It runs already.
    expect(await clock.beginNow(work)).toBeUndefined()
  })

  it('takes nothing from a worker that has lost its item', async () => {
    const queue = await queueOf()
    await new JobClock([work], queue, () => undefined).beginNow(work)
    const first = (await queue.claim([]))!
    const other = (await queue.claim([]))!
    expect(await queue.claim([])).toBeUndefined()
    expect(await queue.fail(first, 'slow')).toBe(true)
    // Its next attempt, as another worker has it.
    await queue.rows("UPDATE sluice_queue.job SET start_after = now() WHERE name = 'items'")
    const second = (await queue.claim([]))!
    expect(second.token).toEqual({ id: first.token.id, retryCount: 1 })
    expect(second.item.attempt).toBe(2)
    for (const settle of [
      () => queue.beat(first),
      () => queue.complete(first),
      () => queue.fail(first, 'late'),
      () => queue.giveBack(first, itemOptions(work)),
    ])
      expect(await settle()).toBe(false)
    expect(await queue.beat(second)).toBe(true)
    expect(await queue.complete(second)).toBe(true)
    expect(await queue.giveBack(other, itemOptions(work))).toBe(true)
    const again = (await queue.claim([]))!
    expect(again.item).toEqual(other.item)
    expect(await queue.complete(again)).toBe(true)
    expect(await queue.isIdle()).toBe(true)
  })

  it('adds up what the parts of a run have loaded, and tells when it is not what it was', async () => {
    const queue = await queueOf()
    const clock = new JobClock([work], queue, () => undefined)
    const loaded = (rows: number) => [{ pipeline: 'shop', tables: { items: rows }, changes: [] }]
    /** A run of parts that load so many rows. */
    const run = async (rows: readonly number[], attempt = 1): Promise<string[]> => {
      await clock.beginNow(work, { again: true })
      for (const count of rows) {
        const claim = (await queue.claim([]))!
        await queue.complete({ ...claim, item: { ...claim.item, attempt } }, loaded(count))
      }
      await clock.tick()
      return open()
    }
    const open = async (): Promise<string[]> => {
      const runs = (await queue.loadedRuns([work])).get('work') ?? []
      const facts = { jobs: [work], states: await queue.jobStates(), runsOf: () => runs, shownBy: () => '' }
      return currentAlerts(facts, new Date()).map(({ text }) => text)
    }
    for (let times = 0; times < 6; times++) expect(await run([400, 600])).toEqual([])
    expect(await run([0, 0])).toEqual(['work loaded no row; it used to load 1,000'])
    expect(await run([100, 50])).toEqual(['work loaded 150 rows; it used to load 1,000'])
    // Loaded by a try that was killed before it could say so: nothing is known of it.
    expect(await run([0, 0], 2)).toEqual(['work loaded 150 rows; it used to load 1,000'])
    expect(await run([500, 500])).toEqual([])
    // Not while it goes on: the other part has not said yet.
    await clock.beginNow(work, { again: true })
    await queue.complete((await queue.claim([]))!, loaded(1))
    await clock.tick()
    expect(await open()).toEqual([])
  })

  it('has a run fail whose parts cannot be found', async () => {
    const queue = await queueOf()
    const lost = named('lost', {
      run: () => undefined,
      trigger: every('1h'),
      partitions: () => Promise.reject(new Error('404 \0')),
    })
    const events: unknown[] = []
    const clock = new JobClock([lost], queue, (event) => events.push(event))
    await clock.tick(new Date('2026-01-01T00:30:00Z'))
    await clock.tick(new Date('2026-01-01T01:00:01Z'))
    expect(events).toMatchObject([
      { type: 'over', job: 'lost', outcome: 'failure', error: expect.stringContaining('404') },
    ])
    expect((await queue.jobStates()).get('lost')!.last).toMatchObject({ outcome: 'failure' })
    const odd = named('odd', { run: () => undefined, partitions: [{ name: 'a', values: ['a\0b'] }] })
    await new JobClock([odd], queue, (event) => events.push(event)).beginNow(odd)
    expect(events.at(-1)).toMatchObject({ type: 'over', error: expect.stringContaining('a NUL') })
  })
})

describe('parts', () => {
  it('are stretches of time without a gap, the last one cut at the end', () => {
    const windows = timeWindows({ start: '2025-01-30', end: '2025-02-01T12:00:00Z', every: '1d' })
    expect(windows.map(({ name }) => name)).toEqual(['2025-01-30', '2025-01-31', '2025-02-01T00:00/2025-02-01T12:00'])
    for (const [at, { start }] of windows.entries()) if (at > 0) expect(start).toBe(windows[at - 1]!.end)
    // Without an end, only what is over.
    const open = timeWindows({ start: new Date(Date.now() - 5.5 * 3_600_000).toISOString(), every: '1h' })
    expect(open).toHaveLength(5)
    expect(() => timeWindows({ start: 'yesterday', every: '1d' })).toThrow('no moment')
  })

  it('are ranges of values, called after what stands in them', () => {
    const ranges = valueRanges([1, 2, 3, 4, 5], 2)
    expect(ranges.map(({ values }) => values)).toEqual([[1, 2], [3, 4], [5]])
    expect(new Set([...ranges, ...valueRanges([1, 9, 3, 4, 5], 2)].map(({ name }) => name)).size).toBe(4)
    expect(() => valueRanges([1], 0)).toThrow('whole number')
  })

  it('cannot be given together with intervals, and work items are checked', () => {
    expect(() => job({ run: 'x', trigger: every('1h'), interval: { start: '2025-01-01' }, partitions: [] })).toThrow(
      'intervals',
    )
    expect(parseWorkItem('{"job":"a"}')).toEqual({ job: 'a', run: 'by hand', attempt: 1 })
    expect(() => parseWorkItem('{"job":"a","attempt":0}')).toThrow('attempt')
  })
})
