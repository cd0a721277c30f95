import { describe, expect, it } from 'vitest'
import { incremental, resource, source, transformer, type IncrementalOptions } from '../../src/index.ts'
import { MemoryTarget } from '../support/memory-target.ts'

const newestFirst = [
  [
    { id: 6, at: '2026-01-06' },
    { id: 5, at: '2026-01-05' },
  ],
  [
    { id: 4, at: '2026-01-04' },
    { id: 3, at: '2026-01-03' },
  ],
  [
    { id: 2, at: '2026-01-02' },
    { id: 1, at: '2026-01-01' },
  ],
]
const oldestFirst = newestFirst.toReversed().map((page) => page.toReversed())

const events = (pages: typeof newestFirst, options: IncrementalOptions) =>
  resource('events', () => pages, { incremental: incremental('at', options) })

describe('a limited run', () => {
  it.each([undefined, 'desc'] as const)(
    'in the order %s leaves the cursor where it is, and says so',
    async (rowOrder) => {
      const target = new MemoryTarget()
      const reading = events(newestFirst, rowOrder === undefined ? {} : { rowOrder })
      await target.run(reading.limit(1))
      expect(target.state('events').incremental).toBeUndefined()
      const skipped = target.events.find(({ type }) => type === 'skipped')
      expect(skipped).toMatchObject({ resource: 'events', detail: expect.stringContaining('"at" stays where it was') })
      // What the limited runs took is not loaded again, although nothing is merged.
      await target.run(reading.limit(2))
      await target.run(reading)
      await target.run(reading)
      expect(target.ids('events')).toEqual([6, 5, 4, 3, 2, 1])
      expect(target.state('events')).toMatchObject({ incremental: { at: { last_value: '2026-01-06' } } })
      expect(target.state('events').beyond_cursor).toEqual({})
    },
  )

  it('a row that changed after a limited run took it is loaded again', async () => {
    const target = new MemoryTarget()
    const pages = [[{ id: 1, at: 5 }], [{ id: 2, at: 3 }]]
    const reading = resource('t', () => pages, { incremental: incremental('at'), primaryKey: 'id' })
    await target.run(reading.limit(1))
    pages[0] = [{ id: 1, at: 7 }]
    await target.run(reading)
    expect(target.ids('t')).toEqual([1, 1, 2])
  })

  it('in ascending order moves the cursor to where it came', async () => {
    const target = new MemoryTarget()
    const reading = events(oldestFirst, { rowOrder: 'asc' })
    await target.run(reading.limit(1))
    expect(target.state('events').incremental?.at?.last_value).toBe('2026-01-02')
    expect(target.events.some(({ type }) => type === 'skipped')).toBe(false)
    await target.run(reading)
    expect(target.ids('events')).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('of parents moves no cursor below them', async () => {
    const target = new MemoryTarget()
    const parents = resource('parents', () => [[{ id: 1 }], [{ id: 2 }]])
    const children = transformer(
      'children',
      (page: readonly { id: number }[]) => page.map(({ id }) => ({ id, at: 10 - id })),
      {
        from: parents,
        incremental: incremental('at'),
      },
    )
    await target.run(source('s', [parents.limit(1), children]))
    await target.run(source('s', [parents, children]))
    expect(target.ids('children')).toEqual([1, 2])
  })

  it('a run that breaks off after a checkpoint of the parents loses no row below them', async () => {
    const target = new MemoryTarget()
    let breaks = true
    const parents = resource(
      'parents',
      function* () {
        yield [{ id: 1, at: 1 }]
        if (breaks) throw new Error('the API broke')
        yield [{ id: 2, at: 2 }]
      },
      { incremental: incremental('at', { rowOrder: 'asc' }) },
    )
    const children = transformer(
      'children',
      (page: readonly { id: number }[]) => page.map(({ id }) => ({ id, at: 10 - id })),
      {
        from: parents,
        incremental: incremental('at'),
      },
    )
    await expect(target.run(source('s', [parents, children]))).rejects.toThrow('the API broke')
    breaks = false
    await target.run(source('s', [parents, children]))
    expect(target.ids('children')).toEqual([1, 2])
  })
})

describe('replace with a cursor', () => {
  it('starts from the initial value each run, and has no checkpoints', async () => {
    const target = new MemoryTarget()
    const starts: unknown[] = []
    let breaks = false
    const reading = resource(
      'events',
      function* ({ cursor, state }) {
        starts.push(cursor!.startValue)
        state.runs = Number(state.runs ?? 0) + 1
        yield oldestFirst[0]!
        if (breaks) throw new Error('the API broke')
        yield oldestFirst[1]!
      },
      { incremental: incremental('at', { initialValue: '2026-01-02', rowOrder: 'asc' }), writeDisposition: 'replace' },
    )
    await target.run(reading)
    breaks = true
    await expect(target.run(reading)).rejects.toThrow('the API broke')
    expect(target.ids('events')).toEqual([2, 3, 4])
    breaks = false
    await target.run(reading)
    expect(target.ids('events')).toEqual([2, 3, 4])
    expect(starts).toEqual(['2026-01-02', '2026-01-02', '2026-01-02'])
    expect(target.state('events')).toMatchObject({ runs: 1, incremental: { at: { last_value: '2026-01-04' } } })
  })
})

describe('an early stop', () => {
  it('waits for the whole page: an old row that is pinned to the top hides nothing', async () => {
    const target = new MemoryTarget()
    const pages = [[{ id: 1, at: 1 }]]
    const reading = resource('t', () => pages, { incremental: incremental('at', { rowOrder: 'desc' }) })
    await target.run(resource('t', [[{ id: 1, at: 5 }]], { incremental: incremental('at', { rowOrder: 'desc' }) }))
    pages.splice(
      0,
      1,
      [
        { id: 9, at: 2 },
        { id: 3, at: 8 },
      ],
      [{ id: 2, at: 7 }],
    )
    await target.run(reading)
    expect(target.ids('t')).toEqual([1, 3, 2])
  })

  it('goes by the direction of the cursor', async () => {
    const target = new MemoryTarget()
    const options = { lastValueFunc: 'min', rowOrder: 'asc' } as const
    const load = (pages: { id: number; at: number }[][]) =>
      target.run(resource('t', pages, { incremental: incremental('at', options) }))
    await load([[{ id: 1, at: 50 }], [{ id: 2, at: 40 }]])
    await load([[{ id: 1, at: 50 }], [{ id: 2, at: 40 }], [{ id: 3, at: 30 }]])
    expect(target.ids('t')).toEqual([1, 2, 3])
  })
})

describe('what has no order', () => {
  const load = (rows: object[], options: IncrementalOptions = {}, columns = {}) =>
    new MemoryTarget().run(resource('t', [rows], { incremental: incremental('at', options), columns }))

  it.each([
    [[{ at: '2026-01-01' }, { at: 'soon' }], {}, 'string "soon" and timestamp "2026-01-01"'],
    [[{ at: 'soon' }, { at: '2026-01-01' }], {}, 'timestamp "2026-01-01" and string "soon"'],
    [[{ at: 1 }, { at: '2026-01-01' }], {}, 'timestamp "2026-01-01" and number 1'],
    [[{ at: 1_700_000_000 }], { initialValue: '2026-01-01' }, 'number 1700000000 and timestamp "2026-01-01"'],
    [[{ at: 5 }, { at: 'A5' }], {}, 'string "A5" and number 5'],
    [[{ at: true }], {}, 'boolean true, which has no order'],
    [[{ at: { a: 1 } }], {}, 'object {"a":1}, which has no order'],
    [[{ at: 'soon' }], { format: 'seconds' }, 'holds timestamps, and has the value string "soon"'],
  ] as const)('%j with %j is refused by name', async (rows, options, message) => {
    await expect(load([...rows], options)).rejects.toMatchObject({
      code: 'CURSOR_MISSING',
      message: expect.stringContaining(message),
    })
  })

  it('digits next to numbers are numbers, and digits of a column of numbers', async () => {
    await load([{ at: 9 }, { at: '10' }])
    await load([{ at: '9' }, { at: 10 }], {}, { at: { dataType: 'bigint' } })
    await load([{ at: 10 }], { initialValue: '9' })
    await expect(load([{ at: '00123' }], {}, { at: { dataType: 'bigint' } })).rejects.toThrow(/holds numbers/)
  })

  it.each([
    [{ initialValue: '2026-01-01T12:00:00+02:00', endValue: '2026-01-01T09:00:00Z' }, /lies beyond endValue/],
    [{ initialValue: 1, endValue: 2, lastValueFunc: 'min' }, /lies beyond endValue/],
    [{ lag: -1 }, /lag is -1/],
    [{ initialValue: 0, window: { size: 0 } }, /size is 0/],
    [{ initialValue: 0, lastValueFunc: 'min', window: { size: 1 } }, /windows go forward/],
  ] as const)('%j is refused', (options, message) => {
    expect(() => incremental('at', options)).toThrow(message)
  })

  it('a range is not refused for the spelling of its ends', () => {
    incremental('at', { initialValue: '2026-01-01T11:00:00+02:00', endValue: '2026-01-01T10:00:00Z' })
    incremental('at', { initialValue: '2026-01-01', endValue: '2026-01-01T00:00:00Z' })
    incremental('at', { initialValue: '9', endValue: '10' })
  })

  it('text cannot be stepped through', async () => {
    const target = new MemoryTarget()
    const reading = resource('t', [{ id: 1, at: 'a' }], { incremental: incremental('at', { lag: 1 }) })
    await target.run(reading)
    await expect(target.run(reading)).rejects.toMatchObject({
      code: 'WRONG_USE',
      message: expect.stringContaining('"a"'),
    })
  })
})
