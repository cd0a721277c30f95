import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { effort, tiered } from '../support/effort.ts'
import { engineNames, mergingDuckdb } from '../support/destinations.ts'
import { pipeline, type Dataset, type Pipeline, type RunOptions } from '../../src/index.ts'
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

const same = (a: Stored, b: Stored): boolean => a.id === b.id && a.v === b.v && a.l === b.l

/** What each strategy must leave after all loads. */
const models: Record<string, { options: RunOptions; unique: boolean; after(loads: Item[][]): Stored[] }> = {
  append: {
    options: { writeDisposition: 'append' },
    unique: false,
    after: (loads) => loads.flat().map((row) => stored(row)),
  },
  replace: {
    options: { writeDisposition: 'replace', allowEmpty: true },
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
    unique: false,
    after(loads) {
      const rows = new Map<number, Item>()
      for (const load of loads) for (const row of byId(load).values()) if (!rows.has(row.id)) rows.set(row.id, row)
      return [...rows.values()].map((row) => stored(row))
    },
  },
  scd2: {
    options: { writeDisposition: { disposition: 'merge', strategy: 'scd2' } },
    unique: false,
    after(loads) {
      const rows: Stored[] = []
      for (const load of loads) {
        const now = load.map((row) => stored(row))
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
        : name === 'merge'
          ? mergingDuckdb(join(folder, 'merged.duckdb'))
          : filesystem({ bucketUrl: join(folder, 'lake') })
  return { target: pipeline({ name: `history_${used}`, dataset, destination }), dataset }
}

async function hasColumn(data: Dataset, dataset: string, column: string): Promise<boolean> {
  const found = await data
    .query(
      `select 1 as one from information_schema.columns where table_schema = '${dataset}' and table_name = 't' and column_name = '${column}'`,
    )
    .toArray()
  return found.length > 0
}

/** The rows of a dataset, read over one connection. */
const contents = (target: Pipeline, dataset: string, strategy: string): Promise<Stored[]> =>
  target.withDataset((data) => rowsOf(data, dataset, strategy))

async function rowsOf(data: Dataset, dataset: string, strategy: string): Promise<Stored[]> {
  const tables = await data
    .query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = '${dataset}'`,
    )
    .toArray()
  const has = (name: string): boolean => tables.some((table) => table.name === name)
  if (!has('t')) return []
  const hasVersions = strategy === 'scd2' || (await hasColumn(data, dataset, '_dlt_valid_to'))
  const active = hasVersions ? '_dlt_valid_to is null' : 'true'
  const rows = await data
    .query<{ n: number; id: number; v: number; active: boolean; _dlt_id: string }>(
      `select id, v, ${active} as active, _dlt_id from ${dataset}.t`,
    )
    .toArray()
  const nested = has('t__l')
    ? await data
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

// The shared SQL again in the others, and by MERGE.
const runs: Record<string, number> = {
  duckdb: effort(4, 150),
  postgres: effort(3, 30),
  filesystem: effort(2, 10),
  merge: effort(3, 50),
}
// Files again by partitions: by the key, where other partitions are not read, and by a value that rows change.
const partitions: Record<string, string> = { 'files by key': 'id', 'files by value': 'v' }
const engines = [...engineNames, ...(engineNames.includes('duckdb') ? ['merge'] : [])]
const names = [...engines, ...(engineNames.includes('filesystem') ? Object.keys(partitions) : [])]
const cases = names.flatMap((name) => Object.keys(models).map((strategy) => [name, strategy] as const))

for (const [[name, strategy], { tags }] of tiered(cases, 4, 0, 16)) {
  it(`${name}: ${strategy} leaves what the model says, over random histories`, { tags, timeout: 300_000 }, async () => {
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
      { numRuns: runs[name] ?? effort(2, 20) },
    )
  })
}

/** A row as the model of changing hints sees it: versions that scd2 stored are recognized by their content. */
interface Kept extends Omit<Stored, 'id'> {
  id: number | null
  isVersion: boolean
}
interface Loose extends Omit<Item, 'id'> {
  id: number | null
}
/** What a run declares, and what it loads. */
interface Declared {
  kind: keyof typeof declared
  rows: Loose[]
  /** Keys whose deletion is asked for, after the rows. */
  gone: number[]
}

const merging = (strategy: 'delete-insert' | 'upsert' | 'insert-only' | 'scd2'): RunOptions => ({
  writeDisposition: { disposition: 'merge', strategy },
})
/** By key, each column but key and flag not nullable. */
const keyed: RunOptions = {
  primaryKey: 'id',
  columns: { v: { nullable: false }, gone: { dataType: 'bool', hardDelete: true } },
}
const largest: RunOptions = {
  ...keyed,
  columns: { v: { dedupSort: 'desc' }, gone: { dataType: 'bool', hardDelete: true } },
}

const kept = (row: Loose, isVersion = false): Kept => ({ ...stored(row as Item), id: row.id, isVersion })
const withKey = (rows: readonly Loose[]): Item[] => rows.filter((row): row is Item => row.id !== null)
const idsOf = ({ rows, gone }: Declared): Set<number | null> => new Set([...withKey(rows).map(({ id }) => id), ...gone])

/** Of the rows of each key, and its tombstone, the last one. */
const lastOfKeys = ({ rows, gone }: Declared): Item[] =>
  [...byId(withKey(rows)).values()].filter(({ id }) => !gone.includes(id))

/** Of the rows of each key the one with the largest `v`, of several the last; a tombstone has none, and comes last. */
const largestOfKeys = ({ rows }: Declared): Item[] => [...byId(withKey(rows).toSorted((a, b) => a.v - b.v)).values()]

const declared: Record<
  string,
  { options: RunOptions; tombstones: boolean; after(before: Kept[], step: Declared): Kept[] }
> = {
  append: {
    options: { writeDisposition: 'append' },
    tombstones: false,
    after: (before, { rows }) => [...before, ...rows.map((row) => kept(row))],
  },
  'merge without keys': {
    options: { writeDisposition: 'merge' },
    tombstones: false,
    after: (before, { rows }) => [...before, ...rows.map((row) => kept(row))],
  },
  replace: {
    options: { writeDisposition: 'replace', allowEmpty: true },
    tombstones: false,
    after: (_before, { rows }) => rows.map((row) => kept(row)),
  },
  'delete-insert': {
    options: { ...merging('delete-insert'), ...keyed },
    tombstones: true,
    after: (before, step) => [
      ...before.filter(({ id }) => !idsOf(step).has(id)),
      ...lastOfKeys(step).map((row) => kept(row)),
    ],
  },
  'by merge key': {
    options: { ...merging('delete-insert'), mergeKey: 'v' },
    tombstones: false,
    after: (before, { rows }) => [
      ...before.filter(({ v }) => !rows.some((row) => row.v === v)),
      ...rows.map((row) => kept(row)),
    ],
  },
  'by the largest': {
    options: { ...merging('delete-insert'), ...largest },
    tombstones: true,
    after: (before, step) => {
      const chosen = largestOfKeys(step)
      return [...before.filter(({ id }) => !idsOf(step).has(id)), ...chosen.map((row) => kept(row))]
    },
  },
  upsert: {
    options: { ...merging('upsert'), ...largest },
    tombstones: true,
    after(before, step) {
      const chosen = new Map(largestOfKeys(step).map((row) => [row.id as number | null, row]))
      const rows = before.flatMap((row) => {
        const own = chosen.get(row.id)
        return own !== undefined ? [kept(own)] : idsOf(step).has(row.id) ? [] : [row]
      })
      const fresh = [...chosen.values()].filter(({ id }) => !before.some((row) => row.id === id))
      return [...rows, ...fresh.map((row) => kept(row))]
    },
  },
  'insert-only': {
    options: { ...merging('insert-only'), ...keyed },
    tombstones: true,
    after: (before, step) => [
      ...before,
      ...lastOfKeys(step)
        .filter((row) => !before.some(({ id }) => id === row.id))
        .map((row) => kept(row)),
    ],
  },
  scd2: {
    options: merging('scd2'),
    tombstones: false,
    after(before, { rows }) {
      const now = rows.map((row) => kept(row, true)) as (Kept & Stored)[]
      const isSame = (a: Kept, b: Kept): boolean => same(a as Stored, b as Stored)
      const after = before.map((row) => ({
        ...row,
        active: row.active && row.isVersion && now.some((one) => isSame(one, row)),
      }))
      for (const one of now) if (!after.some((row) => row.active && isSame(one, row))) after.push(one)
      return after
    },
  },
}

const loose = fc.record({
  id: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 8 }),
  v: fc.integer({ min: 0, max: 2 }),
  l: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
})
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(...Object.keys(declared)),
    rows: fc.array(loose, { maxLength: 5 }),
    gone: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
  }),
  { minLength: 2, maxLength: 5 },
)

/** The same step without what its strategy cannot take: rows without a key, and deletions. */
function fitting({ kind, rows, gone }: Declared): Declared {
  const { options, tombstones } = declared[kind]!
  return { kind, rows: options.primaryKey === undefined ? rows : withKey(rows), gone: tombstones ? gone : [] }
}

for (const [name, { tags }] of tiered(engines, 1)) {
  it(
    `${name}: strategies and hints that change from run to run leave what the model says`,
    { tags, timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (given) => {
          const { target, dataset } = await freshTarget(name)
          let expected: Kept[] = []
          for (const step of given.map(fitting)) {
            const { options, after } = declared[step.kind]!
            await target.run([...step.rows, ...step.gone.map((id) => ({ id, gone: true }))], {
              tableName: 't',
              ...options,
            })
            // A load without rows is no load: only replace empties its table by it.
            const isLoad = step.kind === 'replace' || step.rows.length + step.gone.length > 0
            if (isLoad) expected = after(expected, step)
          }
          expect(sorted(await contents(target, dataset, 'any'))).toEqual(sorted(expected as Stored[]))
        }),
        { numRuns: { postgres: effort(3, 60), filesystem: effort(2, 30) }[name] ?? effort(4, 150) },
      )
    },
  )
}
