import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { pipeline, type Pipeline, type RunOptions } from '../../src/index.ts'
import { emptyTarget, engineNames, mergingTarget } from '../support/destinations.ts'
import { effort, tiered } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

/** Aliases that generated statements use, or used in earlier versions. */
const aliases = (
  's t n r q p l v v0 v1 k met mine kept fresh found ranked counted refused stored staged out_keys day path number value name ' +
  'sluice_rank _sluice_s _sluice_t _sluice_rows _sluice_row _sluice_rank _sluice_count _sluice_gone _sluice_key_0 _sluice_stored ' +
  '_sluice_path _sluice_file _sluice_partition _sluice_day _sluice_key'
).split(' ')

type Row = Record<string, unknown>
const value = fc.constantFrom(1, 2, 3)

/** Columns of one test, one of them the key, and rows of two runs with different keys each. */
const tables = fc
  .uniqueArray(fc.constantFrom(...aliases), { minLength: 3, maxLength: aliases.length })
  .chain(([key, ...others]) => {
    const row = fc.record(Object.fromEntries(others.map((name) => [name, value])))
    const list = fc.array(fc.record(Object.fromEntries(others.map((name) => [name, value]))), { maxLength: 2 })
    const rows = fc
      .uniqueArray(fc.record({ id: value, row, list }), { selector: ({ id }) => id, maxLength: 3, minLength: 1 })
      .map((drawn) => drawn.map(({ id, row: cells, list: below }) => ({ [key!]: id, ...cells, below })))
    return fc.record({ key: fc.constant(key!), first: rows, second: rows })
  })

const strategies = ['delete-insert', 'merge key', 'upsert', 'insert-only', 'scd2', 'replace'] as const
type Strategy = (typeof strategies)[number]

function optionsFor(strategy: Strategy, key: string): RunOptions {
  const tableName = 'rows'
  if (strategy === 'replace') return { tableName, writeDisposition: 'replace' }
  if (strategy === 'merge key') return { tableName, writeDisposition: 'merge', mergeKey: key }
  const columns = { [key]: { dedupSort: 'desc' } } as const
  return {
    tableName,
    writeDisposition: { disposition: 'merge', strategy },
    ...(strategy === 'scd2' ? {} : { primaryKey: key }),
    ...(strategy === 'upsert' ? { columns } : {}),
  }
}

/** The rows that are there in the end; of scd2 those that are valid. */
function model(strategy: Strategy, key: string, first: Row[], second: Row[]): Row[] {
  if (strategy === 'replace' || strategy === 'scd2') return second
  const [older, newer] = strategy === 'insert-only' ? [second, first] : [first, second]
  const known = new Set(newer.map((row) => row[key]))
  return [...older.filter((row) => !known.has(row[key])), ...newer]
}

const contentOf = (row: Row): string =>
  JSON.stringify(
    Object.values(row)
      .map((cell) => (Array.isArray(cell) ? cell.map((one) => contentOf(one as Row)).sort() : Number(cell)))
      .map(String)
      .sort(),
  )

async function stored(target: Pipeline, strategy: Strategy): Promise<string[]> {
  const data = target.dataset()
  const there = await data.tables()
  const all = async (name: string) => (there.has(name) ? await data.table<Row>(name).toArray() : [])
  const [roots, below] = [await all('rows'), await all('rows__below')]
  const plain = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_dlt_')))
  return roots
    .filter((row) => strategy !== 'scd2' || row._dlt_valid_to === null)
    .map((row) => ({ ...plain(row), below: below.filter((one) => one._dlt_parent_id === row._dlt_id).map(plain) }))
    .map(contentOf)
    .sort()
}

describe('columns with the name of an alias', () => {
  const cases = [...engineNames, 'merge' as const].flatMap((name) => strategies.map((one) => [name, one] as const))
  for (const [[name, strategy], { tags }] of tiered(cases, 3, 0, 6))
    it(`${name}, ${strategy}`, { tags }, async () => {
      await fc.assert(
        fc.asyncProperty(tables, async ({ key, first, second }) => {
          const target = name === 'merge' ? mergingTarget() : (await emptyTarget(name)).target
          const options = optionsFor(strategy, key)
          await target.run(first, options)
          await target.run(second, options)
          expect(await stored(target, strategy)).toEqual(model(strategy, key, first, second).map(contentOf).sort())
        }),
        { numRuns: effort(1, 15) },
      )
    })

  for (const [name, options] of tiered(engineNames, 1, 1))
    it(`rows in quarantine are whole: ${name}`, options, async () => {
      const { target } = await emptyTarget(name)
      const row = { id: 1, ...Object.fromEntries(aliases.map((alias, at) => [alias, at])) }
      const checks = [{ type: 'accepted', column: 't', values: [-1], severity: 'quarantine' }] as const
      await target.run([row], { tableName: 'rows', checks })
      const [aside] = await target.dataset().table<{ row: unknown }>('rows_quarantine').toArray()
      const kept = (typeof aside!.row === 'string' ? JSON.parse(aside!.row) : aside!.row) as Row
      expect(kept).toMatchObject({ id: 1, s: 0, t: 1, n: 2 })
    })

  for (const [name, options] of tiered(['v0', 'number', 'p'], 1))
    it(`a table of files is divided by one: ${name}`, options, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-aliases-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      const target = pipeline({
        name: 'test',
        dataset: 'd',
        destination: filesystem({ bucketUrl: join(folder, 'lake') }),
      })
      const options: RunOptions = {
        tableName: 'rows',
        writeDisposition: 'merge',
        primaryKey: name,
        columns: { [name]: { partition: true } },
      }
      const rows = (own: number) => [1, 2].map((at) => ({ v0: own, number: own, p: own, [name]: at }))
      await target.run(rows(5), options)
      await target.run(rows(6), options)
      const found = await target.dataset().table<Row>('rows').orderBy(name).toArray()
      const plain = found.map((row) => ({ v0: Number(row.v0), number: Number(row.number), p: Number(row.p) }))
      expect(plain).toEqual(rows(6))
    })

  for (const [name, options] of tiered(engineNames, 1, 2))
    it(`duplicates are named by their key: ${name}`, options, async () => {
      const { target } = await emptyTarget(name)
      const upsert = { disposition: 'merge', strategy: 'upsert' } as const
      const run = target.run([{ n: 5 }, { n: 5 }, { n: 5 }], {
        tableName: 'rows',
        writeDisposition: upsert,
        primaryKey: 'n',
      })
      await expect(run).rejects.toThrow('3 rows of one load have the key n = 5')
    })
})
