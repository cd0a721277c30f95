import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { sqlDestination } from '../../src/destinations/sql/sql-destination.ts'
import { incremental, LoadRefused, pipeline, PipelineError, resource, source, type Destination } from '../../src/index.ts'
import { fc } from '../support/seed.ts'

/** What the database says, by whether trying again can help. */
const kinds = {
  refuses: 'Constraint Error: CHECK constraint failed',
  busy: 'Out of Memory Error: failed to allocate data',
  odd: 'something that nobody has seen before',
} as const
type Kind = keyof typeof kinds

interface Fault {
  table: string
  kind: Kind
  /** Fails from this load of the table on, counted from 1. */
  from: number
}

/** A DuckDB file that refuses rows of a table. */
function faulty(path: string, fault: { now: Fault | undefined }): Destination {
  const parts = duckdbParts({ path })
  let loads = 0
  let of: Fault | undefined
  return sqlDestination({
    ...parts,
    async bulkLoad(connection, load) {
      const { now } = fault
      if (of !== now) [of, loads] = [now, 0]
      if (now?.table === load.table.name && ++loads >= now.from) throw new Error(kinds[now.kind])
      await parts.bulkLoad(connection, load)
    },
  })
}

const names = ['a', 'b', 'c'] as const

interface Step {
  /** Which of two files, and which of two datasets. */
  file: number
  dataset: number
  /** Rows that come before the run, by resource. */
  come: number[]
  fault: Fault | undefined
}

const step: fc.Arbitrary<Step> = fc.record({
  file: fc.integer({ min: 0, max: 1 }),
  dataset: fc.integer({ min: 0, max: 1 }),
  come: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }),
  fault: fc.option(
    fc.record({
      table: fc.constantFrom(...names),
      kind: fc.constantFrom<Kind>('refuses', 'refuses', 'busy', 'odd'),
      from: fc.integer({ min: 1, max: 3 }),
    }),
    { nil: undefined },
  ),
})

describe('histories of runs into several destinations and datasets, some of them refused', () => {
  it('lose no row, double none, mix none, and one resource stops no other', { timeout: 240_000 }, async () => {
    let histories = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), fc.boolean(), async (steps, isCut) => {
        const folder = mkdtempSync(join(tmpdir(), 'sluice-failed-'))
        process.env.SLUICE_DATA_DIR = join(folder, 'data')
        const fault: { now: Fault | undefined } = { now: undefined }
        const destinations = [0, 1].map((at) => faulty(join(folder, `${at}.duckdb`), fault))
        const name = `h${histories++}`
        const there = new Map<string, number[]>()
        const targetOf = (place: string) => {
          const [file, dataset] = place.split(' ')
          return pipeline({
            name,
            dataset: `d${dataset}`,
            destination: destinations[Number(file)]!,
            ...(isCut ? { package: { maxBytes: 1 } } : {}),
          })
        }
        const sourceOf = (place: string, counts: readonly number[]) =>
          source(
            'shop',
            names.map((one, at) =>
              resource(
                one,
                ({ cursor }) =>
                  Array.from({ length: counts[at]! }, (_, row) => ({ id: row + 1, owner: place }))
                    .filter(({ id }) => id > Number(cursor!.startValue ?? 0))
                    .map((row) => [row]),
                { incremental: incremental('id', isCut ? { rowOrder: 'asc' } : {}) },
              ),
            ),
          )
        const loaded = async (place: string): Promise<Record<string, number>> => {
          const data = targetOf(place).dataset()
          const tables = await data.tables()
          const found: Record<string, number> = {}
          for (const one of names) {
            if (!tables.has(one)) {
              found[one] = 0
              continue
            }
            const rows = await data.table<{ id: number; owner: string }>(one).orderBy('id').toArray()
            expect(rows, `${one} of ${place}`).toEqual(
              rows.map((row, at) => expect.objectContaining({ id: at + 1, owner: place })),
            )
            found[one] = rows.length
          }
          return found
        }
        const complete = (counts: readonly number[]) => Object.fromEntries(names.map((one, at) => [one, counts[at]]))
        for (const { file, dataset, come, fault: injected } of steps) {
          const place = `${file} ${dataset}`
          const counts = (there.get(place) ?? [0, 0, 0]).map((count, at) => count + come[at]!)
          there.set(place, counts)
          fault.now = injected
          const error = await targetOf(place)
            .run(sourceOf(place, counts))
            .then(
              () => undefined,
              (reason: unknown) => reason as PipelineError,
            )
          fault.now = undefined
          const found = await loaded(place)
          if (error === undefined) expect(found).toEqual(complete(counts))
          else if (error instanceof LoadRefused) {
            const { [injected!.table]: _, ...others } = found
            expect(complete(counts)).toMatchObject(others)
            expect(error).toMatchObject({ resource: injected!.table, recovery: 'skip' })
            expect(error.info.refusedPackages.length).toBeGreaterThan(0)
          } else expect(['busy', 'odd']).toContain(injected!.kind)
        }
        for (const [place, counts] of there) {
          await targetOf(place).run(sourceOf(place, counts))
          expect(await loaded(place)).toEqual(complete(counts))
        }
        expect(targetOf('0 0').pendingPackages()).toEqual([])
      }),
      { numRuns: 12 },
    )
  })
})
