import { describe, expect, it } from 'vitest'
import { incremental, resource, source, transformer, withHints, type Resource } from '../../src/index.ts'
import { freshPipeline } from '../support/api.ts'
import { MemoryTarget } from '../support/memory-target.ts'

interface Event {
  id: number
  kind?: string
  at?: string
}
const rows: Event[] = [1, 2, 3, 4, 5, 6].map((id) => ({
  id,
  kind: id % 2 === 0 ? 'even' : 'odd',
  at: `2026-01-0${id}`,
}))
const marked = (tableName: string, ...ids: number[]) =>
  withHints(
    ids.map((id) => rows[id - 1]),
    { tableName },
  )

/** Marked rows one by one, in lists, and next to plain ones. */
const shapes: Record<string, () => Iterable<unknown>> = {
  'one by one': () => [marked('a', 1, 2), marked('b', 3), rows[3], rows[4], marked('a', 6)],
  'in a list': () => [[marked('a', 1, 2), marked('b', 3), rows[3], rows[4], marked('a', 6)]],
  'within marked ones': () => [
    withHints([marked('a', 1, 2), rows[2]], { tableName: 'b' }),
    [rows[3]],
    rows[4],
    [[marked('a', 6)][0]],
  ],
}

const steps: Record<string, (one: Resource<Event>) => Resource<Event>> = {
  nothing: (one) => one,
  map: (one) => one.map((row) => ({ ...row, more: true })),
  filter: (one) => one.filter(({ id }) => id > 0),
  flatMap: (one) => one.flatMap((row) => [row]),
  remembering: (one) => one.remembering('id'),
  cursor: (one) => one.with({ incremental: incremental('at'), primaryKey: 'id' }),
  'limit of rows': (one) => one.limit({ rows: 6 }),
  schema: (one) =>
    one.with({
      schema: {
        '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value: value as Event }) },
      },
    }),
}

describe('marked rows', () => {
  it.each(Object.keys(shapes).flatMap((shape) => Object.keys(steps).map((step) => [shape, step] as const)))(
    '%s go through %s',
    async (shape, step) => {
      const target = new MemoryTarget()
      await target.run(
        steps[step]!(resource<Event>('plain', shapes[shape] as () => Iterable<Event>)) as unknown as Resource,
      )
      expect(target.ids('a')).toEqual([1, 2, 6])
      expect(target.ids('b')).toEqual([3])
      expect(target.ids('plain')).toEqual([4, 5])
    },
  )

  it('in lists are written in parts where they are many, with their marks', async () => {
    const target = new MemoryTarget()
    const many = (from: number, count: number) => Array.from({ length: count }, (_, at) => ({ id: from + at }))
    const pages = [
      [many(0, 15_000), [many(15_000, 30_000)], { id: 45_000 }],
      withHints([[...many(0, 25_000)], many(25_000, 2)], { tableName: 'a' }),
    ]
    await target.run(resource<Event>('plain', () => pages as unknown as Event[]))
    expect(target.written).toEqual([20_000, 20_000, 5001, 20_000, 5002])
    expect(target.ids('plain')).toEqual(many(0, 45_001).map(({ id }) => id))
    expect(target.ids('a')).toEqual(many(0, 25_002).map(({ id }) => id))
  })

  it('a step may mark them', async () => {
    const target = new MemoryTarget()
    const reading = resource('t', rows)
      .map((row) => withHints(row, { tableName: row.kind! }))
      .filter((row) => (row as unknown as Event).id > 1)
    await target.run(reading as unknown as Resource)
    expect(target.ids('odd')).toEqual([3, 5])
    expect(target.ids('even')).toEqual([2, 4, 6])
  })

  it('count as rows, and are those of a transformer below them', async () => {
    const target = new MemoryTarget()
    const parents = resource<Event>('parents', () => [marked('a', 1, 2), marked('b', 3)] as unknown as Event[]).limit({
      rows: 2,
    })
    const children = transformer('children', (page: readonly Event[]) => page, { from: parents })
    const each = transformer('each', ([row]: readonly Event[]) => [withHints(row, { tableName: row!.kind! })], {
      from: parents,
      concurrency: 2,
    })
    await target.run(source('s', [parents, children, each as unknown as Resource]))
    expect(target.ids('children')).toEqual([1, 2])
    expect([target.ids('odd'), target.ids('even')]).toEqual([[1], [2]])
  })

  it('keep their hints where a function names the table', async () => {
    const target = freshPipeline()
    const reading = resource<Event>(
      't',
      () =>
        [
          withHints([rows[0], rows[1]], { columns: { extra: { dataType: 'bigint' } } }),
          marked('named', 3),
          rows[3],
        ] as unknown as Event[],
      { tableName: ({ kind }) => kind! },
    )
    await target.run(reading)
    expect(Object.fromEntries(await target.dataset().rowCounts())).toMatchObject({ odd: 1, even: 2, named: 1 })
    expect(await target.dataset().table('odd').select('extra').toArray()).toEqual([{ extra: null }])
  })
})
