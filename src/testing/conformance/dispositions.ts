import assert from 'node:assert/strict'
import { type RunOptions } from '../../pipeline/index.ts'
import { Bench, type ConformanceCase, type Row } from './bench.ts'

/** How the rows of a load meet those that are there. */
export const dispositions = [
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
      await assert.rejects(bench.load([], options), { code: 'NOTHING_CAME' })
      assert.deepEqual(await bench.rows(), [{ id: 3 }])
      await bench.load([], { ...options, allowEmpty: true })
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
] as const satisfies readonly ConformanceCase[]
