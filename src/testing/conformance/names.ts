import assert from 'node:assert/strict'
import { Bench, type ConformanceCase } from './bench.ts'

/** Whatever a key is called, and however many there are. */
export const names = [
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
        _PARTITIONTIME: 11,
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
        await assert.rejects(bench.load([{ id: 1, ...wide }]), { code: 'TOO_MANY_KEYS' })
        assert.deepEqual(await bench.tables(), [])
      }
    },
  },
] as const satisfies readonly ConformanceCase[]
