import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import {
  compareRuns,
  pipeline,
  resource,
  withHints,
  type Pipeline,
  type ResourceOptions,
  type RunOptions,
} from '../../src/index.ts'
import { engineNames } from '../support/destinations.ts'
import { tiered } from '../support/effort.ts'
import { running } from '../support/running.ts'

interface Event {
  kind: string
  id: number
  l?: number[]
}
const strategies = ['truncate-and-insert', 'insert-from-staging', 'staging-optimized'] as const
const byKind = { tableName: (row: Event) => row.kind, writeDisposition: 'replace', allowEmpty: true } as const

let used = 0

async function emptyTarget(name: string, replaceStrategy: (typeof strategies)[number]): Promise<Pipeline> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-replace-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const destination =
    name === 'duckdb'
      ? duckdb({ path: join(folder, 'replace.duckdb'), replaceStrategy })
      : name === 'postgres'
        ? postgres({ url: await running('postgres'), replaceStrategy })
        : filesystem({ bucketUrl: join(folder, 'lake') })
  used += 1
  return pipeline({ name: 'replace', dataset: `replaced_${process.pid}_${used}`, destination })
}

const counts = async (target: Pipeline): Promise<Record<string, number>> =>
  Object.fromEntries(await target.dataset().rowCounts())

// Each destination with one of its strategies in the quick tier.
const cases = engineNames.flatMap((name, at) =>
  tiered(name === 'filesystem' ? strategies.slice(0, 1) : strategies, 1, at).map(
    ([strategy, options]) => [name, strategy, options] as const,
  ),
)
for (const [name, strategy, options] of cases) {
  describe(`${name}, ${strategy}`, options, () => {
    it('replace empties every table that rows of earlier runs have named, and no other', async () => {
      const target = await emptyTarget(name, strategy)
      let rows: Event[] = []
      const events = (options: ResourceOptions<Event>) => resource<Event>('events', () => rows, options)
      await target.run([{ id: 1 }], { tableName: 'other', writeDisposition: 'replace' })
      await target.run([{ id: 1 }], { tableName: 'appended' })
      rows = [
        { kind: 'open', id: 1, l: [1, 2] },
        { kind: 'closed', id: 2, l: [3] },
      ]
      // The disposition of earlier runs does not matter.
      await target.run(events({ tableName: byKind.tableName }))
      rows = [{ kind: 'open', id: 3 }]
      await target.run(events(byKind))
      expect(await counts(target)).toEqual({ appended: 1, closed: 0, closed__l: 0, open: 1, open__l: 0, other: 1 })
      rows = []
      await target.run(events(byKind))
      expect(await counts(target)).toEqual({ appended: 1, closed: 0, closed__l: 0, open: 0, open__l: 0, other: 1 })
    })

    it('a table that it empties is a warning of the run; one with new rows, or empty before, is none', async () => {
      const target = await emptyTarget(name, strategy)
      const load = async (rows: object[], options: RunOptions = {}) =>
        (await target.run(resource('things', rows, { writeDisposition: 'replace', allowEmpty: true }), options))
          .emptiedTables
      const before = (rows: number) => (name === 'filesystem' ? {} : { rowsBefore: rows })
      expect(await load([{ id: 1, l: [1, 2, 3] }, { id: 2 }])).toEqual([])
      expect(await load([{ id: 2, l: [] }, { id: 3 }])).toEqual([{ table: 'things__l', ...before(3) }])
      const info = await target.run(resource('things', [], { writeDisposition: 'replace', allowEmpty: true }))
      expect(info.emptiedTables).toEqual([{ table: 'things', ...before(2) }])
      expect(String(info)).toContain('Table things was EMPTIED')
      expect(await load([])).toEqual([])
      await load([{ id: 4 }])
      expect(await load([], { refresh: 'drop_data' })).toEqual([])
      const [, , , emptied] = target.runs()
      expect(emptied!.notices).toMatchObject([{ notice: { kind: 'table-emptied', table: 'things' }, times: 1 }])
      expect(compareRuns(target.runs()[4]!, emptied!)).toMatchObject({
        emptied: ['things'],
        tables: [
          { name: 'things', before: 2, after: 0 },
          { name: 'things__l', before: 0 },
        ],
      })
    })
  })
}

it('tables that marks have named are emptied too, and rows set aside stay', { tags: ['slow'] }, async () => {
  const target = await emptyTarget('duckdb', 'truncate-and-insert')
  let marked = true
  const things = resource('things', () => (marked ? [withHints([{ id: 1 }], { tableName: 'marked' })] : []), {
    writeDisposition: 'replace',
    quarantine: true,
    allowEmpty: true,
  })
  await target.run(things)
  marked = false
  await target.run(things)
  expect((await counts(target)).marked).toBe(0)

  const frozen = {
    writeDisposition: 'replace',
    quarantine: true,
    allowEmpty: true,
    schemaContract: { columns: 'discard_row' },
  } as const
  await target.run(resource('kept', [{ id: 1 }], frozen))
  await target.run(resource('kept', [{ id: 2, more: 1 }], frozen))
  await target.run(resource('kept', [], frozen))
  const { kept, kept_quarantine } = await counts(target)
  expect({ kept, kept_quarantine }).toEqual({ kept: 0, kept_quarantine: 1 })
})

it('a renamed resource, another table name and a resource that is not run keep their tables', async () => {
  const target = await emptyTarget('duckdb', 'truncate-and-insert')
  const users = (name: string, rows: object[], options = {}) =>
    resource(name, rows, { writeDisposition: 'replace', ...options })
  await target.run(users('users', [{ id: 1 }], { tableName: 'users_2024' }))
  await target.run(users('users', [{ id: 2 }], { tableName: 'users_2025' }))
  await target.run(users('people', []))
  const { users_2024, users_2025 } = await counts(target)
  expect({ users_2024, users_2025 }).toEqual({ users_2024: 1, users_2025: 1 })
})
