import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import {
  pipeline,
  PipelineError,
  resource,
  source,
  transformer,
  type Pipeline,
  type RunOptions,
} from '../../src/index.ts'
import { api, json } from '../support/api.ts'
import { engineNames } from '../support/destinations.ts'
import { effort } from '../support/effort.ts'
import { load } from '../support/rest.ts'
import { running } from '../support/running.ts'
import { fc } from '../support/seed.ts'

let used = 0

async function emptyTarget(name: string): Promise<Pipeline> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nothing-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const destination =
    name === 'duckdb'
      ? duckdb({ path: join(folder, 'nothing.duckdb') })
      : name === 'postgres'
        ? postgres({ url: await running('postgres') })
        : filesystem({ bucketUrl: join(folder, 'lake') })
  used += 1
  return pipeline({ name: 'nothing', dataset: `nothing_${process.pid}_${used}`, destination })
}

const ids = async (target: Pipeline, table: string): Promise<number[]> => {
  if (!(await target.dataset().tables()).has(table)) return []
  const rows = (await target.dataset().table(table).toArray()) as { id: unknown }[]
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

const codeOf = async (run: Promise<unknown>): Promise<string | undefined> => {
  const error = await run.then(
    () => undefined,
    (one: unknown) => one,
  )
  if (error === undefined) return undefined
  expect(error).toBeInstanceOf(PipelineError)
  return (error as PipelineError).code
}

const replace = { writeDisposition: 'replace' } as const

const step = fc.record({
  rows: fc.constantFrom(0, 0, 1, 3),
  disposition: fc.constantFrom('replace', 'replace', 'append'),
  allowEmpty: fc.constantFrom(false, false, true),
  isFiltered: fc.boolean(),
  named: fc.constantFrom('fixed', 'by row'),
  refresh: fc.constantFrom(undefined, undefined, undefined, 'drop_data'),
})

describe.each(engineNames)('replace by nothing, %s', (name) => {
  // One that is fast in the quick tier.
  it(
    'is refused exactly where the table would lose rows and nobody has said that it may',
    { tags: name === 'duckdb' ? [] : ['slow'] },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
          const target = await emptyTarget(name)
          let stored: number[] = []
          let next = 0
          for (const { rows, disposition, allowEmpty, isFiltered, named, refresh } of steps) {
            const fresh = Array.from({ length: rows }, () => ({ id: next++, table: 'things' }))
            const things = resource('things', () => fresh, {
              writeDisposition: disposition as 'replace',
              allowEmpty,
              ...(named === 'fixed' ? {} : { tableName: (row: { table: string }) => row.table }),
            }).filter(() => !isFiltered)
            const options: RunOptions = refresh === undefined ? {} : { refresh: 'drop_data' }
            const kept = isFiltered ? [] : fresh.map(({ id }) => id)
            const isRefused =
              named === 'fixed' &&
              disposition === 'replace' &&
              rows === 0 &&
              !allowEmpty &&
              refresh === undefined &&
              stored.length > 0
            expect(await codeOf(target.run(things, options))).toBe(isRefused ? 'NOTHING_CAME' : undefined)
            if (!isRefused) {
              const before = refresh === undefined && disposition === 'append' ? stored : []
              stored = [...before, ...kept]
            }
            expect(await ids(target, 'things')).toEqual(stored)
          }
        }),
        { numRuns: effort(name === 'duckdb' ? 4 : 3, 60) },
      )
    },
  )
})

describe('resources of which nothing came', () => {
  const days = (rows: readonly object[], options: object = {}) => resource('days', rows, { ...replace, ...options })

  it('keep the others of the run from loading, unless they may fail', async () => {
    const target = await emptyTarget('duckdb')
    const others = (id: number) => resource('others', [{ id }], replace)
    await target.run(source('s', [days([{ id: 1 }]), others(1)]))
    expect(await codeOf(target.run(source('s', [days([]), others(2)])))).toBe('NOTHING_CAME')
    expect([await ids(target, 'days'), await ids(target, 'others')]).toEqual([[1], [1]])
    const info = await target.run(source('s', [days([], { onError: 'continue' }), others(3)]))
    expect(info.failedResources).toMatchObject([{ resource: 'days', error: { code: 'NOTHING_CAME' } }])
    expect([await ids(target, 'days'), await ids(target, 'others')]).toEqual([[1], [3]])
    // Nothing waits, and nothing was set aside: the next run is as good as the first one.
    await target.run(source('s', [days([{ id: 4 }]), others(4)]))
    expect(await ids(target, 'days')).toEqual([4])
  })

  it('may be below a parent that has rows; nested tables are emptied with their rows', async () => {
    const target = await emptyTarget('duckdb')
    const tree = (parents: object[], children: object[]) => {
      const top = resource('top', () => parents, replace)
      return source('s', [top, top.pipe(transformer('below', () => children, replace))])
    }
    await target.run(tree([{ id: 1, list: [{ id: 5 }] }], [{ id: 2 }]))
    expect(await codeOf(target.run(tree([{ id: 1 }], [])))).toBe('NOTHING_CAME')
    expect(await codeOf(target.run(tree([{ id: 3, list: [] }], [{ id: 4 }])))).toBeUndefined()
    expect([await ids(target, 'top'), await ids(target, 'top__list'), await ids(target, 'below')]).toEqual([
      [3],
      [],
      [4],
    ])
  })

  it('may write to a table that another resource fills', async () => {
    const target = await emptyTarget('duckdb')
    const both = (first: object[], second: object[]) =>
      source('s', [
        resource('first', first, { ...replace, tableName: 'shared' }),
        resource('second', second, { ...replace, tableName: 'shared' }),
      ])
    await target.run(both([{ id: 1 }], [{ id: 2 }]))
    expect(await codeOf(target.run(both([{ id: 3 }], [])))).toBeUndefined()
    expect(await ids(target, 'shared')).toEqual([3])
    expect(await codeOf(target.run(both([], [{ id: 4 }])))).toBeUndefined()
    expect(await codeOf(target.run(both([], [])))).toBe('NOTHING_CAME')
    expect(await ids(target, 'shared')).toEqual([4])
  })

  it('of an API: an empty list is refused, and taken with allow_empty', async () => {
    let rows = [{ id: 1 }]
    const target = await api((_request, response) => json(response, rows))
    const into = await emptyTarget('duckdb')
    const run = (options: object) =>
      load(target, [{ name: 'items', ...replace, ...options, endpoint: { paginator: 'single_page' } }], {}, into)
    await run({})
    rows = []
    await expect(run({})).rejects.toMatchObject({ code: 'NOTHING_CAME', recovery: 'retry', resource: 'items' })
    expect(await ids(into, 'items')).toEqual([1])
    const { info } = await run({ allowEmpty: true })
    expect(info.emptiedTables).toMatchObject([{ table: 'items' }])
  })

  it('however nothing is spelled: null, empty lists and objects, and these in lists', async () => {
    const nothing = fc.constantFrom<unknown>(null, undefined, {}, [], [{}], [[]], [[], {}])
    const into = await emptyTarget('duckdb')
    const run = (rows: unknown[]) => into.run(rows as object[], { tableName: 'things', ...replace })
    await run([{ id: 1 }])
    await fc.assert(
      fc.asyncProperty(fc.array(nothing, { maxLength: 4 }), async (rows) => {
        expect(await codeOf(run(rows))).toBe('NOTHING_CAME')
      }),
      { numRuns: effort(8, 100) },
    )
    expect(await ids(into, 'things')).toEqual([1])
    await run([null, { id: 2 }] as object[])
    expect(await ids(into, 'things')).toEqual([2])
  })
})
