import { readFileSync } from 'node:fs'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { pipeline } from '../../src/index.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'

const issues = [
  {
    id: 1,
    title: 'crash',
    state: 'open',
    points: 3,
    at: '2026-03-01T10:00:00Z',
    big: 2n ** 60n,
    labels: [{ name: 'bug' }, { name: 'p1' }],
  },
  {
    id: 2,
    title: "it's slow",
    state: 'open',
    points: 8,
    at: '2026-03-02T10:00:00Z',
    big: 1,
    labels: [{ name: 'speed' }],
  },
  { id: 3, title: 'docs', state: 'closed', at: '2026-03-03T10:00:00.5Z', big: 2, labels: [] },
]

describe.each(engineNames)('relations of %s', (name) => {
  const loaded = async () => {
    const { target } = await emptyTarget(name)
    await target.run(issues, { tableName: 'issues' })
    return target.dataset()
  }

  it('are narrowed down by columns, conditions, order and limit', async () => {
    const data = await loaded()
    const table = data.table('issues')
    const ids = async (
      rows: AsyncIterable<Record<string, unknown>[]> & { toArray(): Promise<Record<string, unknown>[]> },
    ) => (await rows.toArray()).map((row) => Number(row.id))
    expect(await ids(table.where('state', '=', 'open').orderBy('id', 'desc'))).toEqual([2, 1])
    expect(await ids(table.where('title', '=', "it's slow"))).toEqual([2])
    expect(await ids(table.where('title', 'like', 'c%'))).toEqual([1])
    expect(await ids(table.where('points', '>=', 3).where('points', '<', 8))).toEqual([1])
    expect(await ids(table.where('points', 'is null'))).toEqual([3])
    expect(await ids(table.where('id', 'in', [1, 3]).orderBy('id'))).toEqual([1, 3])
    expect(await ids(table.where('id', 'in', []))).toEqual([])
    expect(await ids(table.where('id', 'not in', [1]).orderBy('id'))).toEqual([2, 3])
    expect(await ids(table.where('big', '=', 2n ** 60n))).toEqual([1])
    expect(await ids(table.where('at', '>', new Date('2026-03-02T10:00:00Z')))).toEqual([3])
    expect(
      await table.orderBy('points', 'desc').where('points', 'is not null').select('title').limit(1).toArray(),
    ).toEqual([{ title: "it's slow" }])
    // A condition after a limit is about the rows that are left.
    expect(await ids(table.orderBy('id').limit(2).where('state', '=', 'closed'))).toEqual([])
    expect(await ids(table.where('state', '=', "x' OR '1'='1"))).toEqual([])
  })

  it('are joined along their parents, and aggregated', async () => {
    const data = await loaded()
    const labels = data.table('issues').join('issues__labels', { label: 'name' })
    expect(await labels.where('state', '=', 'open').orderBy('label').select('id', 'label').toArray()).toEqual([
      { id: 1, label: 'bug' },
      { id: 1, label: 'p1' },
      { id: 2, label: 'speed' },
    ])
    const all = data.table('issues').join('issues__labels', { label: 'name' }, { keepsAll: true })
    expect(await all.count()).toBe(4)
    const upwards = data.table('issues__labels').join('issues', { title: 'title' })
    expect(await upwards.where('name', '=', 'speed').select('title').toArray()).toEqual([{ title: "it's slow" }])
    const byState = data
      .table('issues')
      .aggregate({ n: ['count'], most: ['max', 'points'], all: ['sum', 'points'] }, 'state')
    const counted = (await byState.orderBy('state').toArray()).map((row) => ({
      ...row,
      n: Number(row.n),
      all: row.all === null ? null : Number(row.all),
    }))
    expect(counted).toEqual([
      { state: 'closed', n: 1, most: null, all: null },
      { state: 'open', n: 2, most: 8, all: 11 },
    ])
    expect(
      await labels
        .aggregate({ n: ['count'] }, 'title')
        .where('n', '>', 1)
        .select('title')
        .toArray(),
    ).toEqual([{ title: 'crash' }])
    expect(await data.table('issues').where('state', '=', 'open').count()).toBe(2)
    expect(() => data.table('issues').join('people', { x: 'name' })).toThrow(/neither right above nor right below/)
  })

  it('are counted, listed, streamed and written as CSV', async () => {
    const data = await loaded()
    expect([...(await data.rowCounts())]).toEqual([
      ['issues', 3],
      ['issues__labels', 3],
    ])
    const tables = await data.tables()
    expect([...tables.get('issues__labels')!.keys()].slice(0, 1)).toEqual(['name'])
    const ids = []
    for await (const row of data.table('issues').where('id', '>', 1).orderBy('id').select('id').rows()) ids.push(row.id)
    expect(ids).toEqual([2, 3])
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-csv-')), 'issues.csv')
    expect(await data.table('issues').orderBy('id').select('id', 'title', 'points', 'big').toCsv(file)).toBe(3)
    expect(parse(readFileSync(file))).toEqual([
      ['id', 'title', 'points', 'big'],
      ['1', 'crash', '3', String(2n ** 60n)],
      ['2', "it's slow", '8', '1'],
      ['3', 'docs', '', '2'],
    ])
  })

  it('values of SQL stand beside it', async () => {
    const { target, dataset } = await emptyTarget(name)
    await target.run(issues, { tableName: 'issues' })
    const found = target
      .dataset()
      .query(`select id from ${dataset}.issues where title = $1 and points = $2`, ["it's slow", 8])
    expect(await found.toArray()).toEqual([{ id: 2 }])
    const pages = []
    for await (const page of found) pages.push(...page)
    expect(pages).toEqual([{ id: 2 }])
  })
})

it('what cannot be asked is told with what to do', () => {
  const table = pipeline({ name: 'none' }).dataset().table('t')
  expect(() => table.where('a', '=', undefined as never)).toThrow(/is null/)
  expect(() => table.where('a', '~' as never, 1)).toThrow(/comparison/)
  expect(() => table.select()).toThrow(/no column/)
  expect(() => table.orderBy('a', 'up' as never)).toThrow(/direction/)
  expect(() => table.limit(-1)).toThrow(/whole number/)
  expect(() => table.aggregate({ n: ['count(*), (select 1)' as never] })).toThrow(/aggregate/)
})
