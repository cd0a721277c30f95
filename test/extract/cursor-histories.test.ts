import { expect, it } from 'vitest'
import { incremental, IncrementalCursor, resource, type IncrementalOptions } from '../../src/extract/index.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { fc, randomFrom } from '../support/seed.ts'
import { columns, type Column, type Random } from './cursor-spellings.ts'
import { effort } from '../support/effort.ts'

interface Row {
  id: number
  rank: number
  /** How the row spells its cursor; a second reading may spell it in another way. */
  seed: number
}

type Disposition = 'append' | 'replace' | 'merge'

interface History {
  column: Column
  seed: number
  disposition: Disposition
  hasKey: boolean
  initial: number | undefined
  lag: number | undefined
  open: boolean
  direction: 'max' | 'min'
  rowOrder: 'asc' | 'desc' | undefined
  pageSize: number
  /** What comes between two runs, and how the run ends. */
  runs: {
    added: number[]
    late: number[]
    limit: number | undefined
    breaksAfter: number | undefined
    isEmpty: boolean
  }[]
}

const run = fc.record({
  added: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }),
  late: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  limit: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 2 }),
  breaksAfter: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 1 }),
  isEmpty: fc.nat(3).map((of) => of === 0),
})

const histories: fc.Arbitrary<History> = fc.record({
  column: fc.constantFrom(...columns),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  disposition: fc.constantFrom('append' as const, 'append' as const, 'merge' as const, 'replace' as const),
  hasKey: fc.boolean(),
  initial: fc.option(fc.integer({ min: 8, max: 14 }), { nil: undefined }),
  lag: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 1 }),
  open: fc.nat(3).map((of) => of === 0),
  direction: fc.constantFrom('max' as const, 'max' as const, 'min' as const),
  rowOrder: fc.constantFrom('asc' as const, 'desc' as const, undefined),
  pageSize: fc.integer({ min: 1, max: 4 }),
  runs: fc.array(run, { minLength: 1, maxLength: 6 }),
})

const unique = (ids: readonly number[]): number[] => [...new Set(ids)].sort((a, b) => a - b)

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  items.length === 0 ? [] : [items.slice(0, size), ...chunks(items.slice(size), size)]

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}

/** So many ranks as an option, without the noise of doubles. */
const steps = ({ step = 1 }: Column, ranks: number): number => Number((ranks * step).toFixed(6))

/** Ranks run from 10 on, forwards or backwards from 30. */
const place = (history: History, rank: number): number => (history.direction === 'max' ? rank : 60 - rank)

function optionsOf({ column, direction, open, rowOrder, initial, lag, seed }: History): IncrementalOptions {
  const withLag = lag !== undefined && column.step !== undefined
  return {
    ...column.options,
    ...(direction === 'max' ? {} : { lastValueFunc: direction }),
    ...(open ? { rangeStart: 'open' as const } : {}),
    ...(rowOrder === undefined ? {} : { rowOrder }),
    ...(initial === undefined
      ? {}
      : { initialValue: column.spell(direction === 'max' ? initial : 60 - initial, randomFrom(seed)) }),
    ...(withLag ? { lag: steps(column, lag) } : {}),
  }
}

it('random histories of any spelling lose no row and load none twice', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const { column, seed, disposition, hasKey, initial, open, rowOrder, pageSize, direction } = history
      const random = randomFrom(seed)
      const options = optionsOf(history)
      const recognizes = options.lag === undefined && !open
      const target = new MemoryTarget()
      const rows: Row[] = []
      let furthest = 10
      let nextId = 1
      const add = (rank: number): void => void rows.push({ id: nextId++, rank, seed: Math.ceil(random() * 1e6) })
      // The last run reads to the end.
      const last = { added: [], late: [], limit: undefined, breaksAfter: undefined, isEmpty: false }
      for (const { added, late, limit, breaksAfter, isEmpty } of [...history.runs, last]) {
        // Equal to the furthest one, except where the start is open and such rows are declared not to come.
        for (const step of added) add((furthest += open && step === 0 ? 1 : step))
        if (options.lag !== undefined && rows.length > 0) {
          for (const back of late)
            add(Math.max(initial ?? 10, furthest - Math.min(back, open ? history.lag! - 1 : history.lag!), 10))
        }
        const ordered = shuffled(rows, random).sort((a, b) =>
          rowOrder === undefined ? 0 : rowOrder === 'asc' ? a.rank - b.rank : b.rank - a.rank,
        )
        const spelled = (row: Row): object => ({
          id: row.id,
          at: column.spell(place(history, row.rank), randomFrom(hasKey ? Math.ceil(random() * 1e6) : row.seed)),
        })
        const made = resource(
          't',
          function* () {
            for (const [at, page] of chunks(isEmpty ? [] : ordered, pageSize).entries()) {
              if (at === breaksAfter) throw new Error('the API broke')
              yield page.map(spelled)
            }
          },
          {
            incremental: incremental('at', options),
            writeDisposition: disposition,
            ...(hasKey ? { primaryKey: 'id' } : {}),
            ...(column.dataType === undefined ? {} : { columns: { at: { dataType: column.dataType } } }),
          },
        )
        await target.run(limit === undefined ? made : made.limit(limit)).catch((error: unknown) => {
          if (!String(error).includes('the API broke')) throw error
        })
        const reached = target.state('t').incremental?.at
        if (reached !== undefined) expect(reached.last_value).not.toBeNull()
      }
      const isIn = ({ rank }: Row): boolean => initial === undefined || (open ? rank > initial : rank >= initial)
      const expected = rows.filter(isIn).map(({ id }) => id)
      expect(unique(target.ids('t')), `lost or too many, ${direction}`).toEqual(expected)
      if (recognizes || disposition === 'replace') expect(target.ids('t').length).toBe(expected.length)
    }),
    { numRuns: effort(400, 10_000) },
  )
})

it('ranges load what lies between their ends, and leave no state', async () => {
  const ranges = fc.record({
    column: fc.constantFrom(...columns),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    ranks: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 }),
    start: fc.integer({ min: 0, max: 12 }),
    length: fc.integer({ min: 0, max: 6 }),
    rangeStart: fc.constantFrom('closed' as const, 'open' as const),
    rangeEnd: fc.constantFrom('closed' as const, 'open' as const),
    rowOrder: fc.constantFrom('asc' as const, 'desc' as const, undefined),
  })
  await fc.assert(
    fc.asyncProperty(ranges, async ({ column, seed, ranks, start, length, rangeStart, rangeEnd, rowOrder }) => {
      const random = randomFrom(seed)
      const end = start + length
      const target = new MemoryTarget()
      const given = ranks.map((rank, id) => ({ id, rank }))
      if (rowOrder !== undefined) given.sort((a, b) => (rowOrder === 'asc' ? a.rank - b.rank : b.rank - a.rank))
      const initialValue = column.spell(start, random)
      const endValue = column.spell(end, random)
      const pages = chunks(given, 3).map((page) => page.map(({ id, rank }) => ({ id, at: column.spell(rank, random) })))
      const cursor = incremental('at', {
        ...column.options,
        initialValue,
        endValue,
        rangeStart,
        rangeEnd,
        ...(rowOrder === undefined ? {} : { rowOrder }),
      })
      const columnsOf = column.dataType === undefined ? {} : { columns: { at: { dataType: column.dataType } } }
      await target.run(resource('t', pages, { incremental: cursor, ...columnsOf }))
      const isIn = (rank: number): boolean =>
        (rangeStart === 'open' ? rank > start : rank >= start) && (rangeEnd === 'closed' ? rank <= end : rank < end)
      const expected = given.filter(({ rank }) => isIn(rank)).map(({ id }) => id)
      expect(unique(target.ids('t'))).toEqual(expected.sort((a, b) => a - b))
      expect(target.state('t')).toEqual({})
      if (length > 0 && column.options === undefined) {
        expect(() => incremental('at', { initialValue: endValue, endValue: initialValue })).toThrow(/lies beyond/)
      }
    }),
    { numRuns: 200 },
  )
})

it('windows of any spelling meet without a gap, and load every row once', async () => {
  const windowed = columns.filter(({ step }) => step !== undefined)
  const cases = fc.record({
    column: fc.constantFrom(...windowed),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    size: fc.integer({ min: 1, max: 7 }),
    lookback: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 1 }),
    singly: fc.boolean(),
    runs: fc.array(
      fc.record({
        added: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
        until: fc.integer({ min: 1, max: 9 }),
        breaksAfter: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 1 }),
        limit: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 1 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ column, seed, size, lookback, singly, runs }) => {
      const random = randomFrom(seed)
      const target = new MemoryTarget()
      const rows: { id: number; rank: number }[] = []
      let now = 0
      const options: IncrementalOptions = {
        ...column.options,
        initialValue: column.spell(0, random),
        window: { size: steps(column, size), ...(lookback === undefined ? {} : { lookback: steps(column, lookback) }) },
      }
      const last = { added: [], until: 1, breaksAfter: undefined, limit: undefined }
      for (const { added, until, breaksAfter, limit } of [...runs, last]) {
        // Rows come from now on; some lie beyond the end of this run's windows.
        for (const ahead of added) rows.push({ id: rows.length + 1, rank: now + ahead })
        now += until
        const end = column.spell(now, random)
        let previous: number | undefined
        const made = resource(
          't',
          function* ({ cursor }) {
            let windows = 0
            for (const window of cursor!.windows(end)) {
              if (windows++ === breaksAfter) throw new Error('the API broke')
              const [from, to] = [column.rankOf(window.start), column.rankOf(window.end)]
              // Requests may reach further than the window: the format of the API may be coarser.
              if (column.options === undefined && previous !== undefined) expect(from).toBe(previous)
              previous = to
              // This API counts the end of a range, too.
              const page = rows.filter(({ rank }) => rank >= from && rank <= to)
              const spelled = page.map(({ id, rank }) => ({ id, at: column.spell(rank, random) }))
              if (singly) yield* spelled
              else yield spelled
            }
          },
          {
            incremental: incremental('at', options),
            primaryKey: 'id',
            ...(column.dataType === undefined ? {} : { columns: { at: { dataType: column.dataType } } }),
          },
        )
        await target.run(limit === undefined ? made : made.limit(limit)).catch((error: unknown) => {
          if (!String(error).includes('the API broke')) throw error
        })
      }
      const expected = rows.filter(({ rank }) => rank < now).map(({ id }) => id)
      expect(unique(target.ids('t'))).toEqual(expected)
      if (lookback === undefined) expect(target.ids('t').length).toBe(expected.length)
    }),
    { numRuns: 150 },
  )
})

it('a start that lag computes is the exact instant, spelled as the last value is', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...columns.filter(({ step, options }) => step !== undefined && options === undefined)),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 20, max: 40 }),
      fc.integer({ min: 1, max: 20 }),
      (column, seed, rank, lag) => {
        const last = column.spell(rank, randomFrom(seed))
        const cursor = new IncrementalCursor(incremental('at', { lag: steps(column, lag) }), {
          resource: 't',
          primaryKey: [],
          dataType: column.dataType,
          stored: { initial_value: null, last_value: last, unique_hashes: [] },
        })
        expect(column.rankOf(cursor.startValue)).toBeCloseTo(rank - lag, 6)
        const shape = (value: unknown): string => (typeof value === 'string' ? value.replace(/\d/g, '0') : typeof value)
        // A fraction that is left out when it is zero comes and goes.
        const shapes = [shape(last), shape(cursor.startValue)].map((one) => one.replace(/[.,]0+/, ''))
        expect(shapes[1]).toBe(shapes[0])
      },
    ),
  )
})
