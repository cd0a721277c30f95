import assert from 'node:assert/strict'
import { decimal } from '../../schema/index.ts'
import { Bench, type ConformanceCase, type Row } from './bench.ts'

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
  {
    title: 'results tell the types of their columns',
    async run(target) {
      const bench = new Bench(target)
      const rows = [{ id: 1, ratio: 0.5, ok: true, at: '2026-03-01T10:00:00Z', name: 'a', price: decimal('1.50') }]
      await bench.load(rows, { columns: { price: { dataType: 'decimal', precision: 12, scale: 2 } } })
      const table = bench.pipeline.dataset().table('t').select('id', 'ratio', 'ok', 'at', 'name', 'price')
      const told = (await table.where('id', '=', 1).columns()).map(({ name, dataType }) => `${name} ${dataType}`)
      assert.deepEqual(told, ['id bigint', 'ratio double', 'ok bool', 'at timestamp', 'name text', 'price decimal'])
      // Some databases tell the digits of a column, others those of its type.
      const [price] = await table.select('price').columns()
      assert.ok(price!.precision! >= 12 && price!.scale! >= 2, JSON.stringify(price))
      assert.equal((await table.where('id', '>', 1).columns()).length, 6)
    },
  },
  {
    title: 'a column is told by what it holds',
    async run(target) {
      const bench = new Bench(target)
      const at = (day: number): string => `2026-03-0${day}T00:00:00Z`
      await bench.load([1, 2, 3, 4, 4].map((id) => ({ id, at: at(id), name: id > 3 ? 'x' : null })))
      const table = bench.pipeline.dataset().table('t')
      const { top, histogram, ...figures } = await table.profile('id', { parts: 2 })
      assert.deepEqual(figures, { rows: 5, nulls: 0, distinct: 4, min: 1, max: 4 })
      assert.deepEqual(top[0], { value: 4, rows: 2 })
      assert.deepEqual(histogram, [
        { from: 1, to: 3, rows: 2 },
        { from: 3, to: 5, rows: 3 },
      ])
      const moments = await table.profile('at', { parts: 3 })
      assert.deepEqual(
        moments.histogram.map((part) => part.rows),
        [1, 1, 3],
      )
      assert.equal((await table.profile('name')).nulls, 3)
    },
  },
  {
    title: 'opened only to look, it takes one query and nothing else',
    async run(target) {
      const bench = new Bench(target)
      await bench.load([{ id: 1 }, { id: 2 }])
      const place = { pipeline: 'conformance', dataset: target.dataset, readOnly: { timeoutMs: 60_000 } }
      const ask = async (sqlOf: (table: string) => string): Promise<Row[]> => {
        await using session = await target.destination.open(place)
        const { pages } = await session.reader.query(sqlOf(session.reader.tableName('t')))
        return (await Array.fromAsync(pages)).flat()
      }
      assert.deepEqual(await ask((t) => `SELECT COUNT(*) AS n FROM ${t}`), [{ n: 2 }])
      assert.deepEqual(await ask((t) => `WITH a AS (SELECT * FROM ${t}) SELECT MAX(id) AS n FROM a;`), [{ n: 2 }])
      const refused = [
        (t: string) => `INSERT INTO ${t} (id) VALUES (3)`,
        (t: string) => `DELETE FROM ${t} WHERE id = 1`,
        (t: string) => `DROP TABLE ${t}`,
        (t: string) => `SELECT 1 AS a; DROP TABLE ${t}`,
        (t: string) => `SELECT 1 AS a) AS b; DROP TABLE ${t}; SELECT * FROM (SELECT 1 AS a`,
        (t: string) => `CREATE TABLE ${t.replace(/t(\W?)$/, 'u$1')} (id INT)`,
      ]
      for (const sql of refused) await assert.rejects(ask(sql), sql('t'))
      {
        await using session = await target.destination.open(place)
        await assert.rejects(session.transaction(async () => undefined))
      }
      assert.deepEqual(await bench.rows(), [{ id: 1 }, { id: 2 }])
      assert.deepEqual(await bench.tables(), ['t'])
    },
  },
] as const satisfies readonly ConformanceCase[]
