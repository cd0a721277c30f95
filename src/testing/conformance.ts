import assert from 'node:assert/strict'
import type { Destination } from '../destinations/index.ts'
import { incremental, resource, source } from '../extract/index.ts'
import { loadPackage } from '../load/index.ts'
import { pipeline, type Pipeline, type RunOptions } from '../pipeline/index.ts'
import { decimal } from '../schema/index.ts'

type Row = Record<string, unknown>

/** An empty dataset of a destination, and ways to look at it. */
export interface ConformanceTarget {
  destination: Destination
  dataset: string
}

/** One promise that every destination keeps. `run` throws when it is broken; any test runner can call it. */
export interface ConformanceCase {
  title: string
  run(target: ConformanceTarget): Promise<void>
}

/** A pipeline into the target, and short ways to load and read. */
class Bench {
  readonly pipeline: Pipeline
  readonly dataset: string
  private readonly destination: Destination

  constructor({ destination, dataset }: ConformanceTarget, name = 'conformance') {
    this.pipeline = pipeline({ name, dataset, destination })
    this.dataset = dataset
    this.destination = destination
  }

  load(rows: readonly unknown[], options: RunOptions = {}) {
    return this.pipeline.run(rows as unknown[], { tableName: 't', ...options })
  }

  /** Rows of a table by one of its columns, dlt's columns left out. */
  async rows(table = 't', order = 'id'): Promise<Row[]> {
    const rows = await this.pipeline.dataset().table<Row>(table).toArray()
    const plain = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_dlt_'))),
    )
    return plain.sort((a, b) => String(a[order]).localeCompare(String(b[order]), 'en', { numeric: true }))
  }

  async tables(): Promise<string[]> {
    await using session = await this.destination.open({ pipeline: this.pipeline.name, dataset: this.dataset })
    const tables = await session.reader.tables()
    return [...tables.keys()].filter((name) => !/^_(dlt|sluice)_/.test(name)).sort()
  }
}

const merge = { writeDisposition: 'merge', primaryKey: 'id' } as const

/** Everything that a destination must do right, whatever it is. */
export const conformanceCases = [
  {
    title: 'append, with nested tables',
    async run(target) {
      const bench = new Bench(target)
      await bench.load([{ id: 1, l: [{ x: 1, m: [1, 2] }] }])
      await bench.load([{ id: 2, l: [{ x: 2 }, { x: 3 }] }])
      assert.deepEqual(await bench.rows(), [{ id: 1 }, { id: 2 }])
      assert.deepEqual(await bench.rows('t__l', 'x'), [{ x: 1 }, { x: 2 }, { x: 3 }])
      assert.deepEqual(await bench.rows('t__l__m', 'value'), [{ value: 1 }, { value: 2 }])
    },
  },
  {
    title: 'replace: new rows for old ones, also none at all',
    async run(target) {
      const bench = new Bench(target)
      const options = { writeDisposition: 'replace' } as const
      await bench.load(
        [
          { id: 1, l: [1] },
          { id: 2, l: [2] },
        ],
        options,
      )
      await bench.load([{ id: 3 }], options)
      assert.deepEqual(await bench.rows(), [{ id: 3 }])
      assert.deepEqual(await bench.rows('t__l', 'value'), [])
      await bench.load([], options)
      assert.deepEqual(await bench.rows(), [])
    },
  },
  {
    title: 'merge by delete-insert: composite keys, children, deletion, the last of several',
    async run(target) {
      const bench = new Bench(target)
      const options: RunOptions = {
        writeDisposition: 'merge',
        primaryKey: ['a', 'id'],
        columns: { gone: { dataType: 'bool', hardDelete: true } },
      }
      await bench.load(
        [
          { a: 1, id: 1, v: 'x', l: [1, 2] },
          { a: 1, id: 2, v: 'y', l: [3] },
          { a: 2, id: 1, v: 'z' },
        ],
        options,
      )
      await bench.load(
        [
          { a: 1, id: 1, v: 'first' },
          { a: 1, id: 1, v: 'last', l: [9] },
          { a: 2, id: 1, gone: true },
        ],
        options,
      )
      assert.deepEqual(await bench.rows(), [
        { gone: null, a: 1, id: 1, v: 'last' },
        { gone: null, a: 1, id: 2, v: 'y' },
      ])
      assert.deepEqual(await bench.rows('t__l', 'value'), [{ value: 3 }, { value: 9 }])
    },
  },
  {
    title: 'merge by merge key, upsert and insert-only',
    async run(target) {
      const bench = new Bench(target)
      await bench.load(
        [
          { id: 1, d: 'a' },
          { id: 2, d: 'a' },
          { id: 3, d: 'b' },
        ],
        { writeDisposition: 'merge', mergeKey: 'd' },
      )
      await bench.load([{ id: 9, d: 'a' }], { writeDisposition: 'merge', mergeKey: 'd' })
      assert.deepEqual(await bench.rows(), [
        { id: 3, d: 'b' },
        { id: 9, d: 'a' },
      ])
      for (const strategy of ['upsert', 'insert-only'] as const) {
        const options: RunOptions = {
          tableName: strategy,
          primaryKey: 'id',
          writeDisposition: { disposition: 'merge', strategy },
        }
        await bench.load([{ id: 1, v: 'a', l: [1] }], options)
        await bench.load(
          [
            { id: 1, v: 'b', l: [2] },
            { id: 2, v: 'c' },
          ],
          options,
        )
        const first = strategy === 'upsert' ? 'b' : 'a'
        assert.deepEqual(await bench.rows(strategy.replace('-', '_')), [
          { id: 1, v: first },
          { id: 2, v: 'c' },
        ])
      }
    },
  },
  {
    title: 'scd2: every version with its time, and a row that comes back',
    async run(target) {
      const bench = new Bench(target)
      const day = (number: number): RunOptions => ({
        writeDisposition: { disposition: 'merge', strategy: 'scd2', boundaryTimestamp: `2025-01-0${number}T00:00:00Z` },
      })
      await bench.load(
        [
          { id: 1, v: 'a' },
          { id: 2, v: 'b' },
        ],
        day(1),
      )
      await bench.load([{ id: 1, v: 'a' }], day(2))
      await bench.load(
        [
          { id: 1, v: 'c' },
          { id: 2, v: 'b' },
        ],
        day(3),
      )
      const rows = await bench.pipeline.dataset().table<Row>('t').toArray()
      const line = (row: Row): string =>
        `${row.id} ${row.v} ${String(row._dlt_valid_from).slice(8, 10)} ${String(row._dlt_valid_to).slice(8, 10)}`
      assert.deepEqual(
        rows.map(line).sort(),
        ['1 a 01 03', '1 c 03 ', '2 b 01 02', '2 b 03 '].map((text) => text).sort(),
      )
    },
  },
  {
    title: 'every type comes back as it was',
    async run(target) {
      const bench = new Bench(target)
      const row = {
        id: 1,
        text: 'x',
        big: 2n ** 62n,
        huge: 2n ** 90n,
        double: 1.5e-7,
        decimal: decimal('12345678901234567890.123456789'),
        yes: true,
        at: '2024-02-29T10:30:00.123456Z',
        day: '2024-02-29',
        time: '10:30:00.5',
        bytes: Buffer.from([0, 1, 255, 34]),
        json: { a: [1, { b: 'x"\\' }] },
      }
      const columns = { day: { dataType: 'date' }, time: { dataType: 'time' }, json: { dataType: 'json' } } as const
      await bench.load([row, { id: 2 }], { columns })
      const [first, second] = await bench.rows()
      const { json, ...others } = first!
      const asText = { big: String(row.big), huge: String(row.huge), decimal: row.decimal.text }
      const { json: _, ...given } = row
      assert.deepEqual(others, { ...given, ...asText })
      assert.deepEqual(JSON.parse(String(json)), row.json)
      assert.ok(Object.entries(second!).every(([name, value]) => name === 'id' || value === null))
    },
  },
  {
    title: 'hostile text survives; NUL is kept, or replaced and told',
    async run(target) {
      const bench = new Bench(target)
      const texts = [
        '"',
        '',
        'a,b',
        'line\nbreak\r\n',
        '\\N',
        '\\.',
        'NULL',
        "'; DROP TABLE t; --",
        '🙏 𝒳 \u2028',
        'x'.repeat(200_000),
        '=1+1',
      ]
      await bench.load([{ id: 0, v: 'text' }, ...texts.map((v, at) => ({ id: at + 1, v }))])
      assert.deepEqual(
        (await bench.rows()).slice(1).map((row) => row.v),
        texts,
      )
      const notices: string[] = []
      bench.pipeline.on((event) => {
        if (event.type === 'notice') notices.push(event.notice.kind)
      })
      await bench.load([{ id: 1, v: 'a\0b', w: 'no \\u0000 here', j: { k: 'c\0\\u0000d' } }], {
        tableName: 'nul',
        columns: { j: { dataType: 'json' } },
      })
      const [row] = await bench.rows('nul')
      const { takesNul } = target.destination.capabilities.text
      assert.equal(row!.v, takesNul ? 'a\0b' : 'a\ufffdb')
      assert.equal(row!.w, 'no \\u0000 here')
      assert.equal(JSON.parse(String(row!.j)).k, takesNul ? 'c\0\\u0000d' : 'c\ufffd\\u0000d')
      assert.deepEqual(notices, takesNul ? [] : ['character-replaced'])
    },
  },
  {
    title: 'columns and types grow without losing a value',
    async run(target) {
      const bench = new Bench(target)
      const date = { day: { dataType: 'date' } } as const
      await bench.load([{ id: 1, n: 1, h: 1, d: decimal('1.5'), day: '2025-01-01' }], { columns: date })
      await bench.load([
        { id: 2, n: 1.5, h: 2n ** 80n, d: decimal('0.123456789012'), day: '2025-01-02T10:00:00Z', late: 'x', l: [1] },
      ])
      await bench.load([{ id: 3, n: 'text' }])
      const rows = await bench.rows()
      assert.deepEqual(
        rows.map((row) => row.n),
        [1, 1.5, null],
      )
      assert.deepEqual(
        rows.map((row) => row.n__v_text),
        [null, null, 'text'],
      )
      assert.deepEqual(
        rows
          .map((row) => row.h)
          .slice(0, 2)
          .map(String),
        ['1', String(2n ** 80n)],
      )
      assert.deepEqual(rows.map((row) => Number(row.d)).slice(0, 2), [1.5, 0.123456789012])
      assert.deepEqual(rows.map((row) => row.day).slice(0, 2), ['2025-01-01T00:00:00.000Z', '2025-01-02T10:00:00.000Z'])
      assert.deepEqual(
        rows.map((row) => row.late),
        [null, 'x', null],
      )
    },
  },
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
    title: 'reserved words and hostile names are just names',
    async run(target) {
      const bench = new Bench(target)
      const row = {
        id: 1,
        select: 1,
        table: 2,
        order: 3,
        user: 4,
        group: 5,
        'a"b': 6,
        "c'd": 7,
        'e;f--': 8,
        ctid: 9,
        oid: 10,
      }
      await bench.load([row], { tableName: 'select' })
      const [loaded] = await bench.rows('select')
      assert.deepEqual(Object.values(loaded!).sort(), Object.values(row).sort())
      await bench.load([{ id: 1 }], { tableName: 'drop table "x"; --' })
    },
  },
  {
    title: 'long names stay apart',
    async run(target) {
      const bench = new Bench(target)
      const keys = ['a', 'b'].map((end) => 'k'.repeat(300) + end)
      await bench.load([Object.fromEntries([['id', 1], ...keys.map((key, at) => [key, at])])])
      const [row] = await bench.rows()
      const max = target.destination.capabilities.identifiers.maxLength
      assert.deepEqual(Object.values(row!).sort(), [0, 1, 1])
      assert.ok(Object.keys(row!).every((name) => Buffer.byteLength(name) <= max))
    },
  },
  {
    title: 'many columns are loaded, or refused without a trace',
    async run(target) {
      const bench = new Bench(target)
      const wide = Object.fromEntries(Array.from({ length: 1700 }, (_, at) => [`c${at}`, at]))
      const most = target.destination.capabilities.ddl.maxColumns
      if (most === undefined || most > 1700) {
        await bench.load([{ id: 1, ...wide }])
        assert.equal(Object.keys((await bench.rows())[0]!).length, 1701)
      } else {
        await assert.rejects(bench.load([{ id: 1, ...wide }]), { code: 'LOAD_FAILED' })
        assert.deepEqual(await bench.tables(), [])
      }
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
    title: 'rows are found by conditions, joined along their parents, and counted',
    async run(target) {
      const bench = new Bench(target)
      await bench.load([
        { id: 1, name: "it's", at: '2026-03-01T10:00:00Z', l: [{ x: 'a' }, { x: 'b' }] },
        { id: 2, name: 'two', at: '2026-03-02T10:00:00Z', l: [{ x: 'c' }] },
        { id: 3, at: '2026-03-03T10:00:00Z' },
      ])
      const data = bench.pipeline.dataset()
      const table = data.table<{ id: number; name: string | null; at: string }>('t')
      const late = table.where('at', '>=', new Date('2026-03-02T10:00:00Z')).orderBy('id', 'desc').select('id')
      assert.deepEqual(await late.toArray(), [{ id: 3 }, { id: 2 }])
      assert.deepEqual(await table.where('name', '=', "it's").select('id').toArray(), [{ id: 1 }])
      assert.deepEqual(await table.where('name', 'is null').select('id').toArray(), [{ id: 3 }])
      const joined = data.table('t').join('t__l', { x: 'x' }).where('id', 'in', [1, 2]).orderBy('x', 'desc').limit(2)
      assert.deepEqual(await joined.select('id', 'x').toArray(), [
        { id: 2, x: 'c' },
        { id: 1, x: 'b' },
      ])
      const groups = data
        .table('t')
        .join('t__l', { x: 'x' })
        .aggregate({ n: ['count'] }, 'name')
        .orderBy('n')
      assert.deepEqual(
        (await groups.toArray()).map((row) => [row.name, Number(row.n)]),
        [
          ['two', 1],
          ["it's", 2],
        ],
      )
      assert.equal(await data.table('t__l').count(), 3)
    },
  },
  {
    title: 'what is read in pages is what is read at once',
    async run(target) {
      const bench = new Bench(target)
      await bench.load(Array.from({ length: 12_000 }, (_, id) => ({ id })))
      let count = 0
      for await (const page of bench.pipeline.dataset().table('t').select('id')) count += page.length
      assert.equal(count, 12_000)
    },
  },
] as const satisfies readonly ConformanceCase[]

export type ConformanceTitle = (typeof conformanceCases)[number]['title']

/** A promise that a destination does not keep yet, or never will, and why. */
export interface KnownGap {
  /** `never`: the database cannot; such a case is not run. */
  blame: 'ours' | 'upstream' | 'never'
  reason: string
}

/** By the case's title, so that a gap whose case is gone does not compile. */
export type KnownGaps = Partial<Record<ConformanceTitle, KnownGap>>

/** The suite for a destination with known gaps: a case that has one must fail, or the gap is closed and to be removed. */
export function casesWithGaps(gaps: KnownGaps): ConformanceCase[] {
  return conformanceCases
    .filter(({ title }) => gaps[title]?.blame !== 'never')
    .map(({ title, run }) => {
      const gap = gaps[title]
      if (gap === undefined) return { title, run }
      return {
        title: `${title} (known gap: ${gap.reason})`,
        async run(target) {
          const holds = await run(target).then(
            () => true,
            () => false,
          )
          assert.ok(!holds, `"${title}" holds now: remove its known gap`)
        },
      }
    })
}
