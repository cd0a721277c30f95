import assert from 'node:assert/strict'
import { Bench, type ConformanceCase } from './bench.ts'

/** What `dataset()` reads. */
export const reading = [
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
