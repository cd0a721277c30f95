import { describe, expect, it } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { decimal, type Pipeline, type RunEvent } from '../../src/index.ts'
import { onServer } from '../crash/faults.ts'
import { emptyTarget } from '../support/destinations.ts'
import { effort, tiered } from '../support/effort.ts'
import { fc } from '../support/seed.ts'
import { running } from '../support/running.ts'

/** What somebody else does in the database. */
async function byHand(name: 'duckdb' | 'postgres', target: Pipeline, sql: string): Promise<void> {
  if (name === 'postgres') return void (await onServer(await running('postgres'), (client) => client.query(sql)))
  const parts = duckdbParts({ path: target.lastTarget!.location.replace(/^duckdb:/, '') })
  const { connection } = await parts.connect({ pipeline: 'hand', dataset: 'hand' })
  await connection.run(sql)
  await connection.close()
}

/** What a view or an index depends on, by database. */
const dependents = {
  duckdb: (dataset: string) => `create index dependent on ${dataset}.t (v)`,
  postgres: (dataset: string) => `create view ${dataset}.dependent as select id, v from ${dataset}.t`,
}
const freed = {
  duckdb: (dataset: string) => `drop index ${dataset}.dependent`,
  postgres: (dataset: string) => `drop view ${dataset}.dependent`,
}

const whole = fc.integer({ min: -1000, max: 1000 })
const fraction = fc.integer({ min: -999, max: 999 }).map((n) => n + 0.5)
const families: Record<string, { first: fc.Arbitrary<unknown>; later: fc.Arbitrary<unknown>; columns?: object }> = {
  'whole numbers, then fractions': { first: whole, later: fc.oneof(whole, fraction) },
  'whole numbers, then longer ones': { first: whole, later: fc.oneof(whole, fc.bigInt(2n ** 63n, 10n ** 30n)) },
  'decimals, then finer ones': {
    first: whole.map((n) => decimal(`${n}.25`)),
    later: whole.map((n) => decimal(`${n}.12345678901234`)),
  },
  'dates, then timestamps': {
    first: fc.integer({ min: 10, max: 28 }).map((day) => `2026-03-${day}`),
    later: fc.constantFrom('2026-03-01', '2026-03-01T10:30:00Z'),
    columns: { v: { dataType: 'date' } },
  },
}

/** Values as both sides write them. */
const text = (value: unknown): string => {
  const plain = String(value)
  if (/^\d{4}-/.test(plain)) return new Date(plain).toISOString()
  return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain
}

describe.each(['duckdb', 'postgres'] as const)('%s: something depends on a column', (name) => {
  for (const [[title, family], { tags }] of tiered(Object.entries(families), 2, name.length)) {
    it(`${title}: every value is in the column or in its variant`, { tags }, async () => {
      const { first, later, columns = {} } = family
      await fc.assert(
        fc.asyncProperty(
          fc.array(first, { minLength: 1, maxLength: 3 }),
          fc.array(fc.array(later, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
          fc.constantFrom('append', 'merge', 'upsert'),
          async (start, loads, disposition) => {
            const { target, dataset } = await emptyTarget(name)
            const notices: string[] = []
            target.on((event: RunEvent) => event.type === 'notice' && notices.push(event.notice.kind))
            let id = 0
            const expected: { id: number; v: string }[] = []
            const load = (values: readonly unknown[], hints: object) => {
              const rows = values.map((v) => ({ id: ++id, v, note: 'a "b",\nc' }))
              expected.push(...rows.map((row) => ({ id: row.id, v: text(row.v) })))
              return target.run(rows, {
                tableName: 't',
                primaryKey: 'id',
                writeDisposition:
                  disposition === 'append'
                    ? 'append'
                    : { disposition: 'merge', strategy: disposition === 'merge' ? 'delete-insert' : 'upsert' },
                ...hints,
              })
            }
            await load(start, { columns })
            await byHand(name, target, dependents[name](dataset))
            for (const values of loads) await load(values, {})
            const rows = await target.dataset().table<Record<string, unknown>>('t').orderBy('id').toArray()
            expect(
              rows.map(({ id: own, note, ...row }) => {
                const values = Object.entries(row).filter(([key, value]) => /^v(__v_\w+)?$/.test(key) && value !== null)
                expect([values.length, note]).toEqual([1, 'a "b",\nc'])
                return { id: Number(own), v: text(values[0]![1]) }
              }),
            ).toEqual(expected)
            const isMoved = rows.some((row) =>
              Object.keys(row).some((key) => key.startsWith('v__v_') && row[key] !== null),
            )
            if (isMoved) expect(notices.filter((kind) => kind === 'column-fixed').length).toBe(1)
            expect([target.pendingPackages(), target.failedPackages()]).toEqual([[], []])
          },
        ),
        { numRuns: effort(2, 20) },
      )
    })
  }

  it('the column can be widened again when it is declared and nothing depends on it any more', async () => {
    const { target, dataset } = await emptyTarget(name)
    await target.run([{ id: 1, v: 1 }], { tableName: 't' })
    await byHand(name, target, dependents[name](dataset))
    await target.run([{ id: 2, v: 1.5 }], { tableName: 't' })
    await byHand(name, target, freed[name](dataset))
    await target.run([{ id: 3, v: 2.5 }], { tableName: 't', columns: { v: { dataType: 'double' } } })
    expect(await target.dataset().table('t').orderBy('id').select('v', 'v__v_double').toArray()).toEqual([
      { v: 1, v__v_double: null },
      { v: null, v__v_double: 1.5 },
      { v: 2.5, v__v_double: null },
    ])
  })
})

it('a table that a view depends on cannot be dropped: the error says what to do, and nothing waits', async () => {
  const { target, dataset } = await emptyTarget('postgres')
  await target.run([{ id: 1, v: 1 }], { tableName: 't' })
  await byHand('postgres', target, dependents.postgres(dataset))
  await expect(target.run([{ id: 2, v: 2 }], { tableName: 't', refresh: 'drop_resources' })).rejects.toMatchObject({
    message: expect.stringMatching(/cannot drop table.*depend[^]*drop the views[^]*drop_data/),
  })
  await expect(target.dropResources('test', ['t'])).rejects.toMatchObject({ recovery: 'skip' })
  expect(target.pendingPackages()).toEqual([])
  await target.run([{ id: 3, v: 3 }], { tableName: 't', refresh: 'drop_data' })
  expect(await target.dataset().table('t').select('id').toArray()).toEqual([{ id: 3 }])
})
