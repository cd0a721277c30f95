import { beforeAll, describe, expect, it } from 'vitest'
import { decimal, type Pipeline } from '../../src/index.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { tiered } from '../support/effort.ts'

const rows = Array.from({ length: 100 }, (_, id) => ({
  id,
  third: id % 3 === 0 ? null : id % 3,
  at: new Date(Date.UTC(2026, 0, 1) + id * 3_600_000).toISOString(),
  day: `2026-01-${String(1 + (id % 5)).padStart(2, '0')}`,
  ratio: id / 10,
  price: decimal(`${id}.25`),
  word: ['a', 'b', 'b', ''][id % 4],
  ok: id % 2 === 0,
  doc: { id },
  same: 7,
}))

for (const [name, options] of tiered(engineNames, 1)) {
  describe(`columns of ${name}`, options, () => {
    let target: Pipeline
    beforeAll(async () => {
      target = (await emptyTarget(name)).target
      await target.run(rows, {
        tableName: 't',
        columns: {
          day: { dataType: 'date' },
          price: { dataType: 'decimal', precision: 10, scale: 2 },
          doc: { dataType: 'json' },
        },
      })
    })

    it('are profiled by their values', () =>
      target.withDataset(async (data) => {
        const relation = data.table('t')
        const id = await relation.profile('id', { parts: 10, top: 2 })
        expect(id).toMatchObject({ rows: 100, nulls: 0, distinct: 100, min: 0, max: 99 })
        expect(id.top).toEqual([
          { value: 0, rows: 1 },
          { value: 1, rows: 1 },
        ])
        expect(id.histogram).toHaveLength(10)
        expect(id.histogram[3]).toEqual({ from: 30, to: 40, rows: 10 })
        expect(await relation.profile('third')).toMatchObject({ nulls: 34, distinct: 2, min: 1, max: 2 })
        expect((await relation.profile('third')).histogram).toEqual([
          { from: 1, to: 2, rows: 33 },
          { from: 2, to: 3, rows: 33 },
        ])
        const word = await relation.profile('word')
        expect(word).toMatchObject({ distinct: 3, histogram: [] })
        expect(word.top).toEqual([
          { value: 'b', rows: 50 },
          { value: '', rows: 25 },
          { value: 'a', rows: 25 },
        ])
        const at = await relation.profile('at', { parts: 4 })
        expect(at.histogram.reduce((sum, part) => sum + part.rows, 0)).toBe(100)
        expect(at.histogram[0]!.from).toBe(Date.UTC(2026, 0, 1))
        expect(at.histogram.at(-1)!.to).toBe(Date.UTC(2026, 0, 5, 3))
        const day = await relation.profile('day')
        expect(day.histogram.map((part) => part.rows)).toEqual([20, 20, 20, 20, 20])
        for (const column of ['ratio', 'price']) {
          const { histogram } = await relation.profile(column, { parts: 7 })
          expect(
            histogram.reduce((sum, part) => sum + part.rows, 0),
            column,
          ).toBe(100)
        }
        expect(await relation.profile('ok')).toMatchObject({ distinct: 2, min: null, histogram: [] })
        expect(await relation.profile('doc')).toMatchObject({ rows: 100, nulls: 0, distinct: 0, top: [] })
        expect((await relation.profile('same')).histogram).toEqual([{ from: 7, to: 7, rows: 100 }])
        expect(await relation.where('id', '>', 1000).profile('id')).toMatchObject({
          rows: 0,
          distinct: 0,
          top: [],
          histogram: [],
        })
      }))

    it('pages begin where they are asked to', () =>
      target.withDataset(async (data) => {
        const relation = data.table('t').orderBy('id').select('id')
        expect(await relation.offset(98).toArray()).toEqual([{ id: 98 }, { id: 99 }])
        expect(await relation.offset(10).limit(2).toArray()).toEqual([{ id: 10 }, { id: 11 }])
        expect(await relation.limit(20).offset(19).toArray()).toEqual([{ id: 19 }])
        expect(await relation.offset(97).where('id', '>', 98).toArray()).toEqual([{ id: 99 }])
        expect(() => relation.offset(-1)).toThrow(/whole number/)
        const first = await relation.first({ rows: 3, bytes: 1e6 })
        expect(first).toMatchObject({ rows: [{ id: 0 }, { id: 1 }, { id: 2 }], cut: 'rows' })
        expect(await relation.first({ rows: 100, bytes: 1e6 })).not.toHaveProperty('cut')
        expect((await relation.first({ rows: 100, bytes: 20 })).rows).toHaveLength(2)
        expect((await relation.first({ rows: 100, bytes: 1 })).rows).toHaveLength(1)
      }))
  })
}
