import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { resource, type Check, type Pipeline, type Resource, type RunEvent } from '../../src/index.ts'
import { freshPipeline, tableNames } from '../support/api.ts'
import { emptyTarget } from '../support/destinations.ts'

type Row = Record<string, unknown>
const read = (target: Pipeline, table: string): Promise<Row[]> => target.dataset().table<Row>(table).toArray()

describe('rows that a contract discards', () => {
  it('are counted, and kept in a quarantine when asked to', async () => {
    const target = freshPipeline()
    const events: RunEvent[] = []
    target.on((event) => events.push(event))
    await target.run([{ id: 1, a: 1, b: 'x' }], { tableName: 't' })
    const rows = [
      { id: 2, a: 'not a number', b: 'y', l: [1] },
      { id: 3, a: 3 },
      { id: 4, a: 4, extra: true },
    ]
    await target.run(rows, {
      tableName: 't',
      schemaContract: { columns: 'discard_row', dataType: 'discard_row' },
      quarantine: true,
    })
    expect((await read(target, 't')).map((row) => [row.id, row.b]).sort()).toEqual([
      [1, 'x'],
      [3, null],
    ])
    const kept = await read(target, 't_quarantine')
    expect(kept.map(({ table_name, reason, row }) => [table_name, reason, JSON.parse(String(row)).id])).toEqual([
      ['t', 'data_type: a', 2],
      ['t', 'columns: extra', 4],
    ])
    expect(events.filter((event) => event.type === 'notice' && event.notice.kind === 'row-discarded')).toHaveLength(2)
    expect(await tableNames(target)).toEqual(['t', 't_quarantine'])
  })
})

describe('Standard Schema validators', () => {
  const user = z.object({ id: z.number(), email: z.email() })
  const rows = [
    { id: 1, email: 'a@example.com' },
    { id: 2, email: 'nonsense' },
  ]

  it('fail the load by default, with the path and the row', async () => {
    const target = freshPipeline()
    const run = target.run(resource('users', rows, { schema: user }))
    await expect(run).rejects.toThrow(/resource "users": a row does not fit its schema \(email: .*\): \{"id":2/)
    expect(await tableNames(target)).toEqual([])
  })

  it('discard rows or values when the contract says so', async () => {
    const target = freshPipeline()
    const discarding = { schema: user, schemaContract: { dataType: 'discard_row' }, quarantine: true } as const
    await target.run(resource('users', rows, discarding))
    expect(await read(target, 'users')).toMatchObject([{ id: 1 }])
    expect(await read(target, 'users_quarantine')).toMatchObject([{ reason: 'data_type: email' }])
    const values = freshPipeline()
    await values.run(resource('users', rows, { schema: user, schemaContract: { dataType: 'discard_value' } }))
    expect(await read(values, 'users')).toMatchObject([
      { id: 1, email: 'a@example.com' },
      { id: 2, email: null },
    ])
  })

  it('change rows, and give them their type; valibot as well', async () => {
    const event = v.object({ id: v.pipe(v.string(), v.transform(Number)), name: v.string() })
    const events = resource('events', [{ id: '7', name: 'x', other: 1 }] as never[], { schema: event })
    expectTypeOf(events).toEqualTypeOf<Resource<{ id: number; name: string }>>()
    const target = freshPipeline()
    await target.run(events)
    expect(await read(target, 'events')).toMatchObject([{ id: 7, name: 'x' }])
    expect(Object.keys((await read(target, 'events'))[0]!)).not.toContain('other')
  })
})

it('validators may work asynchronously', async () => {
  const known = z.object({ id: z.number() }).refine(async ({ id }) => Promise.resolve(id !== 2), 'is not known')
  const target = freshPipeline()
  await target.run(resource('users', [{ id: 1 }], { schema: known }))
  expect(await read(target, 'users')).toMatchObject([{ id: 1 }])
  await expect(target.run(resource('users', [{ id: 2 }], { schema: known }))).rejects.toThrow('is not known')
})

describe.each(['duckdb', 'postgres'] as const)('a check in %s', (name) => {
  it('takes values with quotes', async () => {
    const { target } = await emptyTarget(name)
    const checks: Check[] = [{ type: 'accepted', column: 'place', values: ["O'Hare", '"x"', '\\'] }]
    const rows = [{ place: "O'Hare" }, { place: '"x"' }, { place: '\\' }]
    await target.run(rows, { tableName: 't', checks })
    await expect(target.run([{ place: 'O' }], { tableName: 't', checks })).rejects.toMatchObject({
      code: 'CHECK_FAILED',
    })
  })
})

describe('checks before publishing', () => {
  const rows = [
    { id: 1, status: 'open', at: new Date(), l: [1] },
    { id: 2, status: 'odd', at: new Date(), l: [2] },
    { id: 2, status: null, at: new Date(), l: [3] },
  ]

  it.each<[Check, string]>([
    [{ type: 'not_null', column: 'status' }, '1 row(s) fail the check not_null(status)'],
    [{ type: 'unique', columns: ['id'] }, '2 row(s) fail the check unique(id)'],
    [{ type: 'accepted', column: 'status', values: ['open', 'closed'] }, '1 row(s) fail the check accepted(status)'],
    [{ type: 'row_count', min: 10 }, 'fail the check row_count(10 to any)'],
    [{ type: 'row_count', max: 2 }, 'fail the check row_count(0 to 2)'],
    [{ type: 'freshness', column: 'at', maxAgeSeconds: -60 }, 'fail the check freshness(at, -60 s)'],
    [
      {
        type: 'sql',
        name: 'no odd ones',
        query: "select * from {table} where status = 'odd' and _dlt_load_id = {load_id}",
      },
      '1 row(s) fail the check no odd ones',
    ],
  ])('%o blocks: nothing is loaded, and the next run is free', async (check, message) => {
    const target = freshPipeline()
    await expect(target.run(rows, { tableName: 't', checks: [check] })).rejects.toThrow(message)
    expect(await tableNames(target)).toEqual([])
    await target.run(rows, { tableName: 't' })
    expect(await read(target, 't')).toHaveLength(3)
  })

  it('that hold let everything pass', async () => {
    const target = freshPipeline()
    const checks: Check[] = [
      { type: 'not_null', column: 'id' },
      { type: 'row_count', min: 1, max: 3 },
      { type: 'freshness', column: 'at', maxAgeSeconds: 3600 },
    ]
    expect((await target.run(rows, { tableName: 't', checks })).rows.t).toBe(3)
  })

  it('warn, or set rows aside with what hangs on them', async () => {
    const target = freshPipeline()
    const checks: Check[] = [
      { type: 'not_null', column: 'status', severity: 'warn' },
      { type: 'accepted', column: 'status', values: ['open'], severity: 'quarantine' },
    ]
    const info = await target.run(rows, { tableName: 't', checks })
    expect(info.packages[0]!.failedChecks).toEqual([
      { table: 't', check: 'not_null(status)', severity: 'warn', failing: 1 },
      { table: 't', check: 'accepted(status)', severity: 'quarantine', failing: 1 },
    ])
    expect((await read(target, 't')).map((row) => row.status).sort()).toEqual([null, 'open'].sort())
    expect(await read(target, 't__l')).toHaveLength(2)
    expect(await read(target, 't_quarantine')).toMatchObject([{ table_name: 't', reason: 'accepted(status)' }])
  })
})

describe('resources', () => {
  it('flatMap, filter and map change rows; limits count pages, rows or time', async () => {
    const numbers = resource('n', function* () {
      for (let page = 0; page < 5; page++) yield [{ n: 2 * page }, { n: 2 * page + 1 }]
    })
    const load = async (changed: Parameters<Pipeline['run']>[0]) => {
      const target = freshPipeline()
      await target.run(changed as never)
      return (await read(target, 'n')).map((row) => row.n)
    }
    expect(await load(numbers.limit(2))).toEqual([0, 1, 2, 3])
    expect(await load(numbers.limit({ rows: 3 }))).toEqual([0, 1, 2, 3])
    expect(await load(numbers.limit({ timeMs: 60_000 }))).toHaveLength(10)
    const changed = numbers
      .filter(({ n }) => n < 3)
      .flatMap(({ n }) => [{ n }, { n: n + 10 }])
      .map(({ n }) => ({ n: n * 2 }))
    expect(await load(changed)).toEqual([0, 20, 2, 22, 4, 24])
  })
})
