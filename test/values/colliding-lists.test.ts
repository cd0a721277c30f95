import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { noticeText } from '../../src/cli/notice-text.ts'
import { pipeline, type RunEvent } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

type Place = 'in a list' | 'in an object' | 'by a plain key'

/** Rows whose list would get the table `t__a__b`; a list of `a` has a table between. */
const rowOf = (place: Place, value: number): object =>
  ({
    'in a list': { a: [{ b: [{ value }] }] },
    'in an object': { a: { b: [{ value }] } },
    'by a plain key': { a__b: [{ value }] },
  })[place]
const parentOf = (place: Place): string => (place === 'in a list' ? 't__a' : 't')

const run = fc.array(fc.constantFrom<Place>('in a list', 'in an object', 'by a plain key'), {
  minLength: 1,
  maxLength: 4,
})

it('lists of one name below two tables get a table each, and the run that creates the second reports it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 3 }), async (runs) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-lists-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      const target = pipeline({ name: 'p', dataset: 'd', destination: duckdb({ path: join(folder, 'test.duckdb') }) })
      const events: RunEvent[] = []
      target.on((event) => events.push(event))
      const first = parentOf(runs[0]![0]!)
      let value = 0
      // Below the table that came first all share one; every other place gets its own.
      const tableOf = (place: Place): string => (parentOf(place) === first ? 't__a__b' : place)
      const loaded = new Map<string, number[]>()
      for (const places of runs) {
        events.length = 0
        const before = new Set(loaded.keys()).add('t__a__b')
        const rows = places.map((place) => {
          value += 1
          const table = tableOf(place)
          loaded.set(table, [...(loaded.get(table) ?? []), value])
          return rowOf(place, value)
        })
        await target.run(rows, { tableName: 't' })
        const notices = events.flatMap((event) =>
          event.type === 'notice' && event.notice.kind === 'lists-collide' ? [event.notice] : [],
        )
        const tagged = new Set(places.filter((place) => !before.has(tableOf(place))))
        expect(notices).toHaveLength(tagged.size)
        for (const notice of notices) {
          expect(notice).toMatchObject({ table: 't__a__b', parent: first === 't' ? 't__a' : 't' })
          expect(notice.keptAs).toMatch(/^t__a__b_\w+$/)
          expect(noticeText(notice)).toContain(
            `two lists named t__a__b, the one of ${notice.parent} as ${notice.keptAs}`,
          )
        }
      }
      const names = [...(await target.dataset().tables()).keys()].filter((name) => name.startsWith('t__a__b'))
      const found = await Promise.all(
        names.map(async (name) => {
          const rows = await target.dataset().table<{ value: unknown }>(name).toArray()
          return rows.map((row) => Number(row.value)).sort((a, b) => a - b)
        }),
      )
      expect(new Set(found.map(String))).toEqual(new Set([...loaded.values()].map(String)))
    }),
    { numRuns: effort(6, 60) },
  )
})
