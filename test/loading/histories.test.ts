import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { engineNames } from '../support/destinations.ts'
import { pipeline, type Pipeline, type RunOptions } from '../../src/index.ts'
import { fc } from '../support/seed.ts'
import { running } from '../support/running.ts'

interface Item {
  id: number
  v: number
  l: number[]
}
/** A stored row as the model sees it: nested values by their place, and when it stopped being active. */
interface Stored {
  id: number
  v: number
  l: string
  active: boolean
}

const item = fc.record({
  id: fc.integer({ min: 0, max: 5 }),
  v: fc.integer({ min: 0, max: 2 }),
  l: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
})
const batches = fc.array(fc.array(item, { maxLength: 6 }), { minLength: 1, maxLength: 4 })

const byId = (rows: readonly Item[]): Map<number, Item> => new Map(rows.map((row) => [row.id, row]))
const stored = ({ id, v, l }: Item, active = true): Stored => ({ id, v, l: JSON.stringify(l), active })

/** What each strategy must leave after all loads. */
const models: Record<string, { options: RunOptions; unique: boolean; after(loads: Item[][]): Stored[] }> = {
  append: {
    options: { writeDisposition: 'append' },
    unique: false,
    after: (loads) => loads.flat().map((row) => stored(row)),
  },
  replace: {
    options: { writeDisposition: 'replace' },
    unique: false,
    after: (loads) => loads.at(-1)!.map((row) => stored(row)),
  },
  'delete-insert': {
    options: { writeDisposition: 'merge', primaryKey: 'id' },
    unique: false,
    after: (loads) => [...byId(loads.flat()).values()].map((row) => stored(row)),
  },
  'merge key': {
    options: { writeDisposition: 'merge', mergeKey: 'id' },
    unique: false,
    after(loads) {
      let rows: Item[] = []
      for (const load of loads) rows = [...rows.filter(({ id }) => !byId(load).has(id)), ...load]
      return rows.map((row) => stored(row))
    },
  },
  upsert: {
    options: { writeDisposition: { disposition: 'merge', strategy: 'upsert' }, primaryKey: 'id' },
    unique: true,
    after: (loads) => [...byId(loads.flat()).values()].map((row) => stored(row)),
  },
  'insert-only': {
    options: { writeDisposition: { disposition: 'merge', strategy: 'insert-only' }, primaryKey: 'id' },
    unique: true,
    after(loads) {
      const rows = new Map<number, Item>()
      for (const row of loads.flat()) {
        const known = rows.get(row.id)
        // The root row stays, nested rows at new places are added, as dlt does it.
        rows.set(row.id, known === undefined ? row : { ...known, l: [...known.l, ...row.l.slice(known.l.length)] })
      }
      return [...rows.values()].map((row) => stored(row))
    },
  },
  scd2: {
    options: { writeDisposition: { disposition: 'merge', strategy: 'scd2' } },
    unique: true,
    after(loads) {
      const rows: Stored[] = []
      for (const load of loads) {
        const now = load.map((row) => stored(row))
        const same = (a: Stored, b: Stored): boolean => a.id === b.id && a.v === b.v && a.l === b.l
        for (const row of rows) if (row.active && !now.some((one) => same(one, row))) row.active = false
        for (const one of now) if (!rows.some((row) => row.active && same(one, row))) rows.push(one)
      }
      return rows
    },
  },
}

let used = 0
let folder = ''

/** A dataset of its own for each history; a new file now and then, so that no file grows large. */
async function freshTarget(name: string): Promise<{ target: Pipeline; dataset: string }> {
  if (used % 50 === 0) folder = mkdtempSync(join(tmpdir(), 'sluice-history-'))
  used += 1
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const dataset = `h_${process.pid}_${used}`
  const destination =
    name === 'duckdb'
      ? duckdb({ path: join(folder, 'histories.duckdb') })
      : name === 'postgres'
        ? postgres({ url: await running('postgres') })
        : filesystem({ bucketUrl: join(folder, 'lake') })
  return { target: pipeline({ name: `history_${used}`, dataset, destination }), dataset }
}

async function contents(target: Pipeline, dataset: string, strategy: string): Promise<Stored[]> {
  const tables = await target
    .dataset()
    .query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = '${dataset}'`,
    )
    .toArray()
  const has = (name: string): boolean => tables.some((table) => table.name === name)
  if (!has('t')) return []
  const active = strategy === 'scd2' ? '_dlt_valid_to is null' : 'true'
  const rows = await target
    .dataset()
    .query<{ n: number; id: number; v: number; active: boolean; _dlt_id: string }>(
      `select id, v, ${active} as active, _dlt_id from ${dataset}.t`,
    )
    .toArray()
  const nested = has('t__l')
    ? await target
        .dataset()
        .query<{ value: number; _dlt_parent_id: string; _dlt_list_idx: number }>(
          `select value, _dlt_parent_id, _dlt_list_idx from ${dataset}.t__l order by _dlt_list_idx`,
        )
        .toArray()
    : []
  const known = new Set(rows.map((row) => row._dlt_id))
  expect(
    nested.filter((row) => !known.has(row._dlt_parent_id)),
    'orphans',
  ).toEqual([])
  return rows.map(({ id, v, active: isActive, _dlt_id }) => {
    const l = nested.filter((row) => row._dlt_parent_id === _dlt_id)
    expect(l.map((row) => row._dlt_list_idx)).toEqual(l.map((_, at) => at))
    return { id, v, l: JSON.stringify(l.map((row) => row.value)), active: isActive }
  })
}

const sorted = (rows: Stored[]): string[] =>
  rows.map((row) => JSON.stringify([row.id, row.v, row.l, row.active])).sort()

// 7 strategies × 150 histories in DuckDB; the shared SQL again in the others.
const runs: Record<string, number> = { duckdb: 150, postgres: 30, filesystem: 10 }
// Files again by partitions: by the key, where other partitions are not read, and by a value that rows change.
const partitions: Record<string, string> = { 'files by key': 'id', 'files by value': 'v' }
const names = [...engineNames, ...(engineNames.includes('filesystem') ? Object.keys(partitions) : [])]
const cases = names.flatMap((name) => Object.keys(models).map((strategy) => [name, strategy] as const))

it.each(cases)(
  '%s: %s leaves what the model says, over random histories',
  { timeout: 300_000 },
  async (name, strategy) => {
    const { options, unique, after } = models[strategy]!
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        const loads = unique ? given.map((load) => [...byId(load).values()]) : given
        const { target, dataset } = await freshTarget(name)
        const column = partitions[name]
        const columns = column === undefined ? {} : { columns: { [column]: { partition: true } } }
        for (const load of loads) await target.run(load, { tableName: 't', ...options, ...columns })
        // A load without rows is no load: only replace empties its table by it.
        const counted = strategy === 'replace' ? loads : loads.filter((load) => load.length > 0)
        const expected = counted.length === 0 ? [] : after(counted)
        expect(sorted(await contents(target, dataset, strategy))).toEqual(sorted(expected))
      }),
      { numRuns: runs[name] ?? 20 },
    )
  },
)
