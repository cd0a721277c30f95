import assert from 'node:assert/strict'
import { incremental, resource, source } from '../../extract/index.ts'
import { loadPackage } from '../../load/index.ts'
import { pipeline } from '../../pipeline/index.ts'
import { Bench, type ConformanceCase, type Row } from './bench.ts'

const merge = { writeDisposition: 'merge', primaryKey: 'id' } as const

/** A load is there once and whole, or not at all. */
export const loads = [
  {
    title: 'a frozen contract stops a load before anything is written',
    async run(target) {
      const bench = new Bench(target)
      await bench.load([{ id: 1 }])
      await assert.rejects(bench.load([{ id: 2 }, { id: 3, extra: 1 }], { schemaContract: 'freeze' }), {
        code: 'CONTRACT_VIOLATED',
      })
      assert.deepEqual(await bench.rows(), [{ id: 1 }])
    },
  },
  {
    title: 'the ledger has each load once, and a load that is there does nothing',
    async run(target) {
      const bench = new Bench(target)
      const info = await bench.load([{ id: 1 }])
      const loads = await bench.pipeline.dataset().table<Row>('_dlt_loads').toArray()
      assert.deepEqual(
        loads.map((row) => [row.load_id, row.status]),
        [[info.loadIds[0], 0]],
      )
      // The same package again, as after a crash between commit and clean-up.
      const [manifest] = bench.pipeline.packages().loaded()
      await using session = await bench.pipeline.openSession()
      const receipt = await loadPackage(session, { folder: '/nowhere', manifest: manifest! })
      assert.equal(receipt.alreadyLoaded, true)
      assert.deepEqual(await bench.rows(), [{ id: 1 }])
    },
  },
  {
    title: 'a load that fails half-way leaves nothing',
    async run(target) {
      const bench = new Bench(target)
      await bench.load([{ id: 1, v: 'a' }], merge)
      const checks = [{ type: 'row_count', max: 0 }] as const
      await assert.rejects(bench.load([{ id: 1, v: 'b', l: [1], more: 1 }], { ...merge, checks }), {
        code: 'CHECK_FAILED',
      })
      assert.deepEqual(await bench.rows(), [{ id: 1, v: 'a' }])
      assert.deepEqual(await bench.tables(), ['t'])
    },
  },
  {
    title: 'state comes back on a fresh machine from the destination alone',
    async run(target) {
      const rows = (last: number) => Array.from({ length: last }, (_, at) => ({ id: at + 1 }))
      const load = (bench: Bench, last: number) =>
        bench.pipeline.run(source('s', [resource('t', rows(last), { incremental: incremental('id') })]))
      const first = new Bench(target)
      await load(first, 3)
      first.pipeline.drop()
      const info = await load(new Bench(target), 5)
      assert.deepEqual(info.rows, { t: 2 })
    },
  },
  {
    title: 'of two runners that read the same rows, one is refused, and nothing is doubled',
    async run(target) {
      const rows = Array.from({ length: 3 }, (_, at) => ({ id: at + 1 }))
      const events = (during: () => Promise<unknown>) =>
        source('s', [
          resource(
            't',
            async function* () {
              await during()
              yield rows
            },
            { incremental: incremental('id') },
          ),
        ])
      const nothing = async (): Promise<void> => undefined
      const load = (bench: Bench, during = nothing) => bench.pipeline.run(events(during))
      // Two machines: the same pipeline, working folders of their own.
      const here = new Bench(target)
      const there = new Bench(target)
      Object.assign(there.pipeline, { dataDir: `${here.pipeline.dataDir}-there` })
      await assert.rejects(
        load(here, async () => void (await load(there))),
        { code: /PIPELINE_OVERTAKEN|LOAD_FAILED/, recovery: 'retry' },
      )
      await load(here)
      assert.deepEqual(await here.rows(), rows)
    },
  },
  {
    title: 'pipelines that make one dataset at the same time all get through, or are told to try again',
    async run({ destination, dataset }) {
      const pipelines = ['one', 'two', 'three'].map((name) => pipeline({ name, dataset, destination }))
      const load = (at: number, rows: Row[]) => pipelines[at]!.run(rows, { tableName: `t${at}` })
      const results = await Promise.allSettled(pipelines.map((_pipeline, at) => load(at, [{ id: at, l: [at] }])))
      for (const [at, result] of results.entries()) {
        if (result.status === 'fulfilled') continue
        assert.equal((result.reason as { recovery?: string }).recovery, 'retry')
        // The package waits; nothing new is needed to load it.
        await load(at, [])
      }
      const data = pipelines[0]!.dataset()
      for (const at of pipelines.keys()) {
        assert.equal((await data.table(`t${at}__l`).toArray()).length, 1)
        assert.deepEqual(
          (await data.table<Row>(`t${at}`).toArray()).map((row) => row.id),
          [at],
        )
      }
    },
  },
  {
    title: 'a part of a pipeline is loaded once, whoever comes again or at the same time',
    async run(target) {
      const here = new Bench(target)
      const there = new Bench(target)
      Object.assign(there.pipeline, { dataDir: `${here.pipeline.dataDir}-there` })
      const part = (bench: Bench, partition: string | { name: string; run: string }, during = async () => {}) =>
        bench.pipeline.run(
          source('s', [
            resource('t', async function* () {
              await during()
              yield [{ id: 1 }, { id: 2 }]
            }),
          ]),
          { partition },
        )
      await assert.rejects(
        part(here, 'a', async () => void (await part(there, 'a'))),
        { code: /PIPELINE_OVERTAKEN|LOAD_FAILED/, recovery: 'retry' },
      )
      assert.deepEqual((await part(here, 'a')).rows, {})
      assert.deepEqual((await part(there, 'a')).rows, {})
      assert.deepEqual((await part(there, 'b')).rows, { t: 2 })
      assert.deepEqual((await part(there, { name: 'b', run: 'next' })).rows, { t: 2 })
      assert.equal((await here.rows()).length, 6)
    },
  },
  {
    title: 'parts loaded at the same time keep what each of them finds',
    async run({ destination, dataset }) {
      const rows = [
        { id: 0, amount: 1 },
        { id: 1, amount: 1.5, city: 'Ávila' },
        { id: 2, amount: 'many', tags: [2] },
        { id: 3, since: '2026-01-01T00:00:00Z' },
      ]
      const target = pipeline({ name: 'parts', dataset, destination })
      const load = (at: number) => target.run(source('s', [resource('t', [rows[at]!])]), { partition: String(at) })
      const results = await Promise.allSettled(rows.map((_row, at) => load(at)))
      for (const [at, result] of results.entries()) {
        if (result.status === 'fulfilled') continue
        assert.equal((result.reason as { recovery?: string }).recovery, 'retry')
        // Its package may have been made with a type that another one has refused meanwhile; then its rows are read again.
        await load(at).catch(() => load(at))
      }
      await target.run([{ id: 4, city: 'Lugo' }], { tableName: 't' })
      const found = await target.dataset().table<Row>('t').toArray()
      assert.deepEqual(found.map(({ id }) => Number(id)).sort(), [0, 1, 2, 3, 4])
      assert.equal((await target.dataset().table('t__tags').toArray()).length, 1)
      const [schema] = (await target.schemas()).toReversed().filter(({ name }) => name === 's')
      for (const name of ['amount', 'city', 'since']) assert.ok(schema!.tables.get('t')!.columns.has(name), name)
      assert.ok(schema!.tables.has('t__tags'))
    },
  },
] as const satisfies readonly ConformanceCase[]
