import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  attach,
  incremental,
  LoadRefused,
  pipeline,
  resource,
  source,
  transformer,
  type Pipeline,
  type PipelineError,
  type RunEvent,
  type Source,
} from '../../src/index.ts'
import { sluice } from '../support/command-line.ts'
import { faultyDuckdb, type Fault, type FaultKind } from '../support/faulty-duckdb.ts'
import { fc } from '../support/seed.ts'
import { effort } from '../support/effort.ts'

const names = ['a', 'b', 'c'] as const

interface Step {
  /** Which of two files, and which of two datasets. */
  file: number
  dataset: number
  /** Rows that come before the run, by resource. */
  come: number[]
  fault: Fault | undefined
}

const step: fc.Arbitrary<Step> = fc.record({
  file: fc.integer({ min: 0, max: 1 }),
  dataset: fc.integer({ min: 0, max: 1 }),
  come: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }),
  fault: fc.option(
    fc.record({
      table: fc.constantFrom(...names),
      kind: fc.constantFrom<FaultKind>('refuses', 'refuses', 'busy', 'odd'),
      from: fc.integer({ min: 1, max: 3 }),
    }),
    { nil: undefined },
  ),
})

describe('histories of runs into several destinations and datasets, some of them refused', () => {
  it('lose no row, double none, mix none, and one resource stops no other', { timeout: 240_000 }, async () => {
    let histories = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), fc.boolean(), async (steps, isCut) => {
        const folder = mkdtempSync(join(tmpdir(), 'sluice-failed-'))
        process.env.SLUICE_DATA_DIR = join(folder, 'data')
        const fault: { now: Fault | undefined } = { now: undefined }
        const destinations = [0, 1].map((at) => faultyDuckdb(join(folder, `${at}.duckdb`), fault))
        const name = `h${histories++}`
        const there = new Map<string, number[]>()
        const targetOf = (place: string) => {
          const [file, dataset] = place.split(' ')
          return pipeline({
            name,
            dataset: `d${dataset}`,
            destination: destinations[Number(file)]!,
            ...(isCut ? { package: { maxBytes: 1 } } : {}),
          })
        }
        const sourceOf = (place: string, counts: readonly number[]) =>
          source(
            'shop',
            names.map((one, at) =>
              resource(
                one,
                ({ cursor }) =>
                  Array.from({ length: counts[at]! }, (_, row) => ({ id: row + 1, owner: place }))
                    .filter(({ id }) => id > Number(cursor!.startValue ?? 0))
                    .map((row) => [row]),
                { incremental: incremental('id', isCut ? { rowOrder: 'asc' } : {}) },
              ),
            ),
          )
        const loaded = (place: string): Promise<Record<string, number>> =>
          targetOf(place).withDataset(async (data) => {
            const tables = await data.tables()
            const found: Record<string, number> = {}
            for (const one of names) {
              if (!tables.has(one)) {
                found[one] = 0
                continue
              }
              const rows = await data.table<{ id: number; owner: string }>(one).orderBy('id').toArray()
              expect(rows, `${one} of ${place}`).toEqual(
                rows.map((row, at) => expect.objectContaining({ id: at + 1, owner: place })),
              )
              found[one] = rows.length
            }
            return found
          })
        const complete = (counts: readonly number[]) => Object.fromEntries(names.map((one, at) => [one, counts[at]]))
        for (const { file, dataset, come, fault: injected } of steps) {
          const place = `${file} ${dataset}`
          const counts = (there.get(place) ?? [0, 0, 0]).map((count, at) => count + come[at]!)
          there.set(place, counts)
          fault.now = injected
          const error = await targetOf(place)
            .run(sourceOf(place, counts))
            .then(
              () => undefined,
              (reason: unknown) => reason as PipelineError,
            )
          fault.now = undefined
          const found = await loaded(place)
          if (error === undefined) expect(found).toEqual(complete(counts))
          else if (error instanceof LoadRefused) {
            const { [injected!.table]: _, ...others } = found
            expect(complete(counts)).toMatchObject(others)
            expect(error).toMatchObject({ resource: injected!.table, recovery: 'skip' })
            expect(error.info.refusedPackages.length).toBeGreaterThan(0)
          } else expect(['busy', 'odd']).toContain(injected!.kind)
        }
        for (const [place, counts] of there) {
          await targetOf(place).run(sourceOf(place, counts))
          expect(await loaded(place)).toEqual(complete(counts))
        }
        expect(targetOf('0 0').pendingPackages()).toEqual([])
      }),
      { numRuns: effort(1, 40) },
    )
  })
})

let used = 0

function faultyTarget(options: { maxBytes?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-failed-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const fault: { now: Fault | undefined } = { now: undefined }
  const path = join(folder, 'shop.duckdb')
  const name = `shop${++used}`
  const target = pipeline({
    name,
    dataset: 'd',
    destination: faultyDuckdb(path, fault),
    ...(options.maxBytes === undefined ? {} : { package: options }),
  })
  return { target, fault, path, name, folder }
}

const log = (name: string, last: number) =>
  resource(
    name,
    ({ cursor }) =>
      Array.from({ length: last }, (_, at) => ({ id: at + 1 })).filter(
        ({ id }) => id > Number(cursor!.startValue ?? 0),
      ),
    { incremental: incremental('id') },
  )
const both = (last: number): Source => source('shop', [log('a', last), log('b', last)])

const refusedRun = (run: Promise<unknown>): Promise<LoadRefused> =>
  run.then(
    () => expect.unreachable('the run was not refused'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(LoadRefused)
      return error as LoadRefused
    },
  )

const ids = async (target: Pipeline, table: string): Promise<number[]> => {
  const data = target.dataset()
  if (!(await data.tables()).has(table)) return []
  return (await data.table<{ id: number }>(table).orderBy('id').toArray()).map(({ id }) => id)
}

describe('a refused package', () => {
  it('is listed with resource, table, line and reason; the others are loaded', async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 'b', kind: 'refuses', from: 1 }
    const error = await refusedRun(target.run(both(3)))
    expect(error).toMatchObject({
      code: 'LOAD_FAILED',
      resource: 'b',
      message: expect.stringContaining('CHECK constraint'),
    })
    expect(error.info.rows).toEqual({ a: 3 })
    expect(String(error.info)).toContain('SET ASIDE for b')
    const [failed, ...others] = target.failedPackages()
    expect(others).toEqual([])
    expect(failed!.refusals).toEqual([
      expect.objectContaining({ resources: ['b'], resource: 'b', table: 'b', line: 1, code: 'LOAD_FAILED' }),
    ])
    expect(target.runs()[0]).toMatchObject({ status: 'failed', refusedPackages: [{ loadId: failed!.manifest.loadId }] })
    fault.now = undefined
    expect((await target.run(both(4))).rows).toEqual({ a: 1, b: 4 })
  })

  it('can be retried, but not over rows that were read again since, unless that is forced', async () => {
    const { target, fault } = faultyTarget()
    const fail = async (): Promise<string> => {
      fault.now = { table: 'b', kind: 'refuses', from: 1 }
      await refusedRun(target.run(both(3)))
      fault.now = undefined
      return target.failedPackages().at(-1)!.manifest.loadId
    }
    const first = await fail()
    const second = await fail()
    expect(await target.retryFailedPackage(second)).toEqual({ b: 3 })
    expect((await target.run(both(3))).rows).toEqual({})
    await expect(target.retryFailedPackage(first)).rejects.toMatchObject({
      code: 'WRONG_USE',
      fix: expect.stringMatching(/discard.*--force/),
    })
    expect(await target.retryFailedPackage(first, { force: true })).toEqual({ b: 3 })
    expect(await ids(target, 'b')).toEqual([1, 1, 2, 2, 3, 3])
    expect(target.failedPackages()).toEqual([])
    expect((await target.run(both(4))).rows).toEqual({ a: 1, b: 1 })
  })

  it('holds what is made of each other together: a parent does not go on without its children', async () => {
    const { target, fault } = faultyTarget()
    const shop = (last: number): Source => {
      const orders = log('orders', last)
      const lines = transformer('lines', (page: readonly { id: number }[]) => page.map(({ id }) => ({ id, of: id })))
      return source('shop', [orders, orders.pipe(lines), log('a', last)])
    }
    fault.now = { table: 'lines', kind: 'refuses', from: 1 }
    const error = await refusedRun(target.run(shop(2)))
    expect(error.info.rows).toEqual({ a: 2 })
    expect(error.resource).toBe('lines')
    fault.now = undefined
    await target.run(shop(3))
    expect([await ids(target, 'orders'), await ids(target, 'lines')]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it(
    'holds the whole source together where its resources share state, and where a refresh was asked for',
    { tags: ['slow'] },
    async () => {
      const { target, fault } = faultyTarget()
      const shared = (last: number): Source =>
        source('shop', [
          resource('a', ({ sourceState }) => {
            const from = Number(sourceState.seen ?? 0)
            sourceState.seen = last
            return Array.from({ length: last - from }, (_, at) => ({ id: from + at + 1 }))
          }),
          resource('b', [{ id: last }]),
        ])
      fault.now = { table: 'b', kind: 'refuses', from: 1 }
      const error = await refusedRun(target.run(shared(2)))
      expect(error.info.rows).toEqual({})
      fault.now = undefined
      await target.run(shared(3))
      expect(await ids(target, 'a')).toEqual([1, 2, 3])
      fault.now = { table: 'b', kind: 'refuses', from: 1 }
      await refusedRun(target.run(shared(3), { refresh: 'drop_data' }))
      fault.now = undefined
      expect(await ids(target, 'a')).toEqual([1, 2, 3])
    },
  )

  it('of an error that nobody knows is one that was tried twice; a busy database is waited for', async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 'b', kind: 'busy', from: 1 }
    for (let run = 0; run < 3; run++) {
      await expect(target.run(both(2))).rejects.toMatchObject({ recovery: 'retry' })
      expect([target.pendingPackages().length, target.failedPackages().length]).toEqual([1, 0])
    }
    fault.now = { table: 'b', kind: 'odd', from: 1 }
    const info = await target.run([{ id: 7 }], { tableName: 'other' })
    expect([info.rows, info.refusedPackages.length]).toEqual([{ a: 2, other: 1 }, 1])
    fault.now = undefined
    expect((await target.run(both(2))).rows).toEqual({ b: 2 })
  })

  it('that is damaged on disk blocks nobody', async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 'b', kind: 'busy', from: 1 }
    await expect(target.run(both(2))).rejects.toThrow('Out of Memory')
    fault.now = undefined
    const sealed = join(target.dataDir, 'packages/sealed', target.pendingPackages()[0]!.loadId)
    truncateSync(
      join(
        sealed,
        readdirSync(sealed).find((name) => name.endsWith('.csv'))!,
      ),
      1,
    )
    expect((await target.run(both(2))).rows).toEqual({ a: 2, b: 2 })
    expect(target.failedPackages()[0]!.refusals[0]).toMatchObject({ code: 'PACKAGE_DAMAGED' })
  })

  it('of a part of the pipeline is kept, and the part is loaded later', { tags: ['slow'] }, async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 'b', kind: 'refuses', from: 1 }
    await refusedRun(target.run(both(2), { partition: 'one' }))
    expect([await ids(target, 'a'), target.failedPackages().length]).toEqual([[], 1])
    expect(target.failedPackages()[0]!.refusals).toMatchObject([{ resources: ['a', 'b'], resource: 'b' }])
    fault.now = undefined
    await target.run(both(2), { partition: 'one' })
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([
      [1, 2],
      [1, 2],
    ])
    target.discardFailedPackage(target.failedPackages()[0]!.manifest.loadId)
    expect(target.failedPackages()).toEqual([])
  })

  it('of a part of the pipeline is retried whole, and the part is loaded with it', async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 'b', kind: 'refuses', from: 1 }
    await refusedRun(target.run(both(2), { partition: 'one' }))
    fault.now = undefined
    const [failed] = target.failedPackages()
    expect(await target.retryFailedPackage(failed!.manifest.loadId)).toEqual({ a: 2, b: 2 })
    expect((await target.run(both(2), { partition: 'one' })).rows).toEqual({})
  })

  it('takes the place of the oldest when there are too many, and the run says so', { tags: ['slow'] }, async () => {
    const { target, fault } = faultyTarget()
    fault.now = { table: 't', kind: 'refuses', from: 1 }
    const displaced: string[] = []
    target.on((event: RunEvent) => event.type === 'package-refused' && displaced.push(...event.displaced))
    for (let run = 0; run < 21; run++) await refusedRun(target.run([{ id: run }], { tableName: 't' }))
    expect([target.failedPackages().length, displaced.length]).toEqual([20, 1])
  })
})

describe('a package that belongs elsewhere', () => {
  it('is left alone, and the run says where it belongs', async () => {
    const { target, fault, name, folder } = faultyTarget()
    fault.now = { table: 't', kind: 'busy', from: 1 }
    await expect(target.run([{ id: 1 }], { tableName: 't' })).rejects.toThrow('Out of Memory')
    fault.now = undefined
    const elsewhere = [
      pipeline({ name, dataset: 'e', destination: faultyDuckdb(join(folder, 'shop.duckdb'), fault) }),
      pipeline({ name, dataset: 'd', destination: faultyDuckdb(join(folder, 'other.duckdb'), fault) }),
    ]
    for (const other of elsewhere) {
      const info = await other.run([{ id: 2 }], { tableName: 't' })
      expect(info.leftPackages).toEqual([
        { loadId: expect.any(String), dataset: 'd', location: expect.stringContaining('shop.duckdb') },
      ])
      expect(String(info)).toContain('WAITS for a run into duckdb:')
      await other.sync()
      expect(other.dropPendingPackages()).toEqual([])
      expect(await ids(other, 't')).toEqual([2])
    }
    await target.run([{ id: 3 }], { tableName: 't' })
    expect(await ids(target, 't')).toEqual([1, 3])
  })

  it('of an earlier version is known by its dataset and the place that the pipeline remembers', async () => {
    const { target, fault, name, folder } = faultyTarget()
    fault.now = { table: 't', kind: 'busy', from: 1 }
    await expect(target.run([{ id: 1 }], { tableName: 't' })).rejects.toThrow('Out of Memory')
    fault.now = undefined
    const path = join(target.dataDir, 'packages/sealed', target.pendingPackages()[0]!.loadId, 'package.json')
    const {
      format: _f,
      destination: _d,
      source: _s,
      series: _r,
      groups: _g,
      ...old
    } = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify(old))
    const other = pipeline({ name, dataset: 'd', destination: faultyDuckdb(join(folder, 'other.duckdb'), fault) })
    expect((await other.run([{ id: 2 }], { tableName: 't' })).leftPackages).toHaveLength(1)
  })
})

/** What a command prints to stdout. */
async function printed(folder: string, exitCode: number, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, out, err } = await sluice(folder, args, env)
  expect(code, err).toBe(exitCode)
  return out.trimEnd()
}

describe('a run with a refused package', () => {
  it('says with --json, in its record and in its trace who was refused, why, and how to go on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-failed-'))
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    const path = join(folder, 'shop.duckdb')
    const env = { DESTINATION__DUCKDB__CREDENTIALS: path }
    const module = join(folder, 'shop.ts')
    const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
    writeFileSync(
      module,
      `import { resource, source } from ${library}
       export const refusing = source('refusing', [
         resource('a', [{ id: 1 }]),
         resource('b', [{ id: 1, items: [{ n: 1 }] }]),
       ])`,
    )
    const args = [module, '--destination', 'duckdb', '--dataset', 'd', '--progress', 'off', '--json']
    expect(JSON.parse(await printed(folder, 0, ['run', ...args], env))).not.toHaveProperty('refusedPackages')
    await inDuckdb(path, 'create unique index own on d.b (id)')
    const told = JSON.parse(await printed(folder, 1, ['run', ...args], env))
    const [failed] = attach('refusing').failedPackages()
    const { loadId } = failed!.manifest
    const refused = {
      loadId,
      refusals: [
        {
          resources: ['b'],
          resource: 'b',
          tables: ['b', 'b__items'],
          table: 'b',
          code: 'LOAD_FAILED',
          message: expect.stringContaining('Duplicate key'),
          fix: expect.any(String),
        },
      ],
      displaced: [],
      commands: {
        show: `sluice pipeline refusing failed-packages show ${loadId}`,
        retry: `sluice pipeline refusing failed-packages retry ${loadId}`,
        discard: `sluice pipeline refusing failed-packages discard ${loadId}`,
      },
    }
    expect(told).toMatchObject({
      error: { code: 'LOAD_FAILED', resource: 'b' },
      pipeline: 'refusing',
      rows: { a: 1 },
      refusedPackages: [refused],
    })
    const [run] = JSON.parse(await printed(folder, 0, ['pipeline', 'refusing', 'runs', '--json']))
    expect(run.refusedPackages).toEqual([refused])
    expect(JSON.parse(await printed(folder, 0, ['pipeline', 'refusing', 'trace', '--json'])).refusedPackages).toEqual([
      refused,
    ])
    const text = await printed(folder, 0, ['pipeline', 'refusing', 'trace'])
    expect(text).toContain(`Load package ${loadId} was SET ASIDE for b`)
    expect(text).toContain(refused.commands.show)
    const shown = await printed(folder, 0, ['pipeline', 'refusing', 'show'])
    expect(shown).toContain(`package ${loadId} of `)
    expect(shown).toContain(`was set aside for b\n  ${refused.commands.show}`)
    const { refusals, commands } = refused
    expect(JSON.parse(await printed(folder, 0, ['pipeline', 'refusing', 'show', '--json']))).toMatchObject({
      failed: [{ loadId, rows: 2, refusals, commands }],
    })
    expect(await printed(folder, 0, ['doctor'])).toMatch(/! failed packages +1 package of refusing set aside/)
    expect(JSON.parse(await printed(folder, 0, ['pipeline', 'refusing', 'explain', '--json']))).toMatchObject({
      findings: [{ classification: 'destination', nextCommand: commands.show }],
    })
    const [, ...use] = refused.commands.discard.split(' ')
    await printed(folder, 0, use)
    expect(attach('refusing').failedPackages()).toEqual([])

    // As an item of a job.
    const jobs = join(folder, 'sluice.jobs.ts')
    const jobLibrary = JSON.stringify(new URL('../../src/jobs/index.ts', import.meta.url).href)
    const job = { run: module, args: ['--destination', 'duckdb', '--dataset', 'd'] }
    writeFileSync(jobs, `import { job } from ${jobLibrary}\nexport const load = job(${JSON.stringify(job)})`)
    const item = JSON.parse(
      await printed(folder, 1, ['run', '--work-item', '{"job":"load"}', '--file', jobs, '--json'], env),
    )
    const { loadId: next } = attach('refusing').failedPackages()[0]!.manifest
    expect(item).toMatchObject({ outcome: 'failure', refusedPackages: [{ loadId: next, refusals: [{ table: 'b' }] }] })
  })
})

async function inDuckdb(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  await connection.run(sql)
  connection.closeSync()
  instance.closeSync()
}

it('the command line lists, shows, retries and discards failed packages', async () => {
  const { target, fault, name, folder } = faultyTarget()
  const fail = async (): Promise<string> => {
    fault.now = { table: 'b', kind: 'refuses', from: 1 }
    await refusedRun(target.run(both(2)))
    fault.now = undefined
    return target.failedPackages().at(-1)!.manifest.loadId
  }
  const said = (...args: string[]): Promise<string> => printed(folder, 0, ['pipeline', name, ...args])
  await target.run([{ id: 1 }], { tableName: 'z' })
  expect(await said('failed-packages')).toBe('no package has failed')
  const [first, second] = [await fail(), await fail()]
  expect(await said('failed-packages')).toContain('b, table b, line 1: ')
  expect(JSON.parse(await said('failed-jobs', '--json'))).toMatchObject([
    { loadId: first },
    { loadId: second, dataset: 'd' },
  ])
  expect(await said('failed-packages', 'show', second)).toContain('b, line 1: id,_dlt_id\n1,')
  expect(await said('info')).toContain(first)
  expect(await said('failed-packages', 'discard', first)).toBe(`discarded: ${first}`)
  expect(await said('failed-packages', 'retry', second)).toBe('loaded: b 2')
  await printed(folder, 2, ['pipeline', name, 'failed-packages', 'retry', 'nothing'])
  expect(await ids(attach(name), 'b')).toEqual([1, 2])
})
