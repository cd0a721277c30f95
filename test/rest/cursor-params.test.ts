import { describe, expect, it } from 'vitest'
import { restSource, type RestIncremental } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { MemoryTarget } from '../support/memory-target.ts'
import { fc, randomFrom } from '../support/seed.ts'
import { millisOfText, spellingOf, spellMillis } from '../extract/cursor-spellings.ts'
import { effort } from '../support/effort.ts'

interface Row {
  id: number
  millis: number
}

const base = Date.UTC(2026, 0, 31, 22)
/** Half an hour a rank, and now and then a fraction of a second. */
const millisAt = (rank: number): number => base + rank * 1_800_000 + (rank % 3 === 0 ? 250 : 0)

type Sent = RestIncremental['format']
const asMillis = (text: string, format: Sent): number =>
  format === 'seconds' ? Number(text) * 1000 : format === 'milliseconds' ? Number(text) : millisOfText(text)

const cases = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  format: fc.constantFrom<Sent>(undefined, undefined, 'iso', 'date', 'seconds', 'milliseconds'),
  numbers: fc.boolean(),
  lag: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 1 }),
  windows: fc.nat(3).map((of) => of === 0),
  perParent: fc.boolean(),
  batches: fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
})

describe('the cursor in requests', () => {
  it('reaches an API that filters by it, in the spelling of the API: no row is lost, none comes twice', async () => {
    let rows: Row[] = []
    let write: (millis: number) => unknown = String
    let format: Sent
    let params: string[] = []
    const server = await api((_request, response, url) => {
      if (url.pathname === '/parents') return json(response, [{ id: 'a' }, { id: 'b' }])
      const [since, until] = ['since', 'until'].map((name) => url.searchParams.get(name))
      params.push(...[since, until].filter((one) => one !== null && one !== undefined))
      const parent = url.pathname.split('/')[2]
      const from = since === null || since === undefined ? -Infinity : asMillis(since, format)
      const to = until === null || until === undefined ? Infinity : asMillis(until, format)
      const mine = rows.filter(({ id }) => parent === undefined || id % 2 === (parent === 'a' ? 0 : 1))
      const found = mine.filter(({ millis }) => millis >= from && millis < to)
      json(
        response,
        found.map(({ id, millis }) => ({ id, at: write(millis) })),
      )
    })
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const random = randomFrom(given.seed)
        const spelling = spellingOf(random)
        format = given.format
        const isNumbers = given.numbers && (format === 'seconds' || format === 'milliseconds')
        write = (millis) => {
          if (!isNumbers) return spellMillis(millis, spelling)
          return format === 'seconds' ? millis / 1000 : millis
        }
        rows = []
        params = []
        const initial = millisAt(0)
        const initialValue = write(initial - 250) as string | number
        const endpoint = {
          paginator: 'single_page' as const,
          incremental: {
            cursorPath: 'at',
            initialValue,
            startParam: 'since',
            ...(format === undefined ? {} : { format }),
            ...(given.lag === undefined ? {} : { lag: given.lag * 1800 }),
            ...(given.windows ? { window: { size: 86_400 * 100 }, endParam: 'until' } : {}),
          },
        }
        const source = restSource({
          name: 's',
          client: { baseUrl: server.baseUrl },
          resources: [
            { name: 'parents', endpoint: { path: 'parents', paginator: 'single_page' } },
            given.perParent
              ? {
                  name: 'rows',
                  primaryKey: 'id',
                  endpoint: { ...endpoint, path: 'parents/{resources.parents.id}/rows' },
                }
              : { name: 'rows', primaryKey: 'id', endpoint: { ...endpoint, path: 'rows' } },
          ],
        }).withResources('rows')
        const target = new MemoryTarget()
        let rank = 0
        // Windows end now, so that all rows of this test come before the end of the first run's.
        for (const batch of given.windows ? [given.batches.flat()] : [...given.batches, []]) {
          for (const step of batch) rows.push({ id: rows.length + 1, millis: millisAt((rank += step)) })
          await target.run(source)
        }
        const loaded = target.ids('rows')
        const unique = [...new Set(loaded)].sort((a, b) => a - b)
        expect(unique).toEqual(rows.map(({ id }) => id))
        if (given.lag === undefined) expect(loaded.length).toBe(unique.length)
        const shape = (text: string): string => text.replace(/\d/g, '0').replace(/[.,]0+/, '')
        if (format === undefined) expect(new Set(params.map(shape)).size).toBeLessThanOrEqual(1)
        if (format === 'date') for (const text of params) expect(text).toMatch(/^\d{4}-\d\d-\d\d$/)
        if (format === 'iso') for (const text of params) expect(text).toMatch(/T.*\.\d{3}Z$/)
        if ((format === 'seconds' || format === 'milliseconds') && !isNumbers) {
          for (const text of params) expect(text).toMatch(/^\d+$/)
        }
      }),
      { numRuns: effort(40, 800) },
    )
  })

  it('a run without rows leaves no cursor, and one that an older version left without a value is no cursor', async () => {
    let rows: unknown[] = []
    const server = await api((_request, response) => json(response, rows))
    const source = restSource({
      name: 's',
      client: { baseUrl: server.baseUrl, paginator: 'single_page' },
      resources: [{ name: 'rows', endpoint: { incremental: { cursorPath: 'at', startParam: 'since' } } }],
    })
    const target = new MemoryTarget()
    await target.run(source)
    expect(target.state('rows')).toEqual({})
    const stale = { initial_value: null, last_value: null, start_value: null, unique_hashes: [] }
    target.setState('rows', { incremental: { at: stale } })
    await target.run(source)
    rows = [{ id: 1, at: '2026-01-01T00:00:00Z' }]
    await target.run(source)
    await target.run(source)
    expect(target.ids('rows')).toEqual([1])
    expect(server.requests).toEqual(['GET /rows', 'GET /rows', 'GET /rows', 'GET /rows?since=2026-01-01T00%3A00%3A00Z'])
  })

  it('a Date goes out as ISO 8601, into parameters and paths', async () => {
    const server = await api((_request, response) => json(response, []))
    const initialValue = new Date('2026-01-01T00:00:00Z')
    const endpoint = { path: 'rows/{incremental.start_value}', params: { also: 'from {incremental.start_value}' } }
    const incremental = { cursorPath: 'at', initialValue, startParam: 'since' }
    const source = restSource({
      name: 's',
      client: { baseUrl: server.baseUrl, paginator: 'single_page' },
      resources: [{ name: 'rows', endpoint: { ...endpoint, incremental } }],
    })
    await freshPipeline().run(source)
    const text = '2026-01-01T00%3A00%3A00.000Z'
    expect(server.requests).toEqual([`GET /rows/${text}?also=from+${text}&since=${text}`])
  })
})
