import { expect, it } from 'vitest'
import { pipeline, resource, withHints, type Pipeline, type RunOptions } from '../../src/index.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { tiered } from '../support/effort.ts'

const merge: RunOptions = { tableName: 't', writeDisposition: 'merge' }
const byStrategy = (strategy: 'delete-insert' | 'upsert' | 'insert-only' | 'scd2'): RunOptions => ({
  tableName: 't',
  writeDisposition: { disposition: 'merge', strategy },
})

async function rowsOf(target: Pipeline, table = 't', by = 'id'): Promise<Record<string, unknown>[]> {
  const rows = await target.dataset().table<Record<string, unknown>>(table).toArray()
  const own = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_dlt_'))))
  // Equal rows of `by` are ordered by all they hold: databases return them in any order.
  const order = (row: Record<string, unknown>): string => JSON.stringify([row[by], row])
  return own.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
}

for (const [name, options] of tiered(engineNames, 1)) {
  it(`${name}: a primary key that is not declared any more deletes nothing`, options, async () => {
    const { target } = await emptyTarget(name)
    await target.run(
      [
        { id: 1, month: 'Jan' },
        { id: 2, month: 'Jan' },
      ],
      { ...merge, primaryKey: 'id', mergeKey: 'month' },
    )
    await target.run([{ id: 1, month: 'Feb' }], { ...merge, mergeKey: 'month' })
    expect(await rowsOf(target)).toEqual([
      { id: 1, month: 'Feb' },
      { id: 1, month: 'Jan' },
      { id: 2, month: 'Jan' },
    ])
  })
}

for (const [name, options] of tiered(engineNames, 1, 1)) {
  it(`${name}: a key moves to another column, and the old one may be null`, options, async () => {
    const { target } = await emptyTarget(name)
    await target.run(
      [
        { id: 1, code: 'a', l: [1] },
        { id: 2, code: 'b' },
      ],
      { ...merge, primaryKey: ['id', 'code'] },
    )
    await target.run([{ id: null, code: 'a', l: [2, 3] }], { ...merge, primaryKey: 'code' })
    expect(await rowsOf(target, 't', 'code')).toEqual([
      { id: null, code: 'a' },
      { id: 2, code: 'b' },
    ])
    expect(await rowsOf(target, 't__l', 'value')).toEqual([{ value: 2 }, { value: 3 }])
  })
}

for (const [name, options] of tiered(engineNames, 1, 2)) {
  it(`${name}: a new key finds old rows, and leaves alone those without a value for it`, options, async () => {
    const { target } = await emptyTarget(name)
    const old = [
      { a: 1, b: 1, v: 'old', l: [1] },
      { a: 1, b: null, v: 'old', l: [2] },
      { a: 2, b: 2, v: 'old' },
    ]
    await target.run(old, { tableName: 't' })
    // No list comes with the rows: the nested rows are found all the same.
    await target.run([{ a: 1, b: 1, v: 'new' }], { ...byStrategy('upsert'), primaryKey: ['a', 'b'] })
    expect(await rowsOf(target, 't', 'b')).toEqual([
      { a: 1, b: 1, v: 'new' },
      { a: 2, b: 2, v: 'old' },
      { a: 1, b: null, v: 'old' },
    ])
    expect(await rowsOf(target, 't__l', 'value')).toEqual([{ value: 2 }])
  })
}

it('a nested table gets a key of its own, and gives it back', async () => {
  const { target } = await emptyTarget('duckdb')
  const run = (x: number, more: RunOptions) =>
    target.run([{ id: 1, l: [{ k: 'a', x }] }], { ...merge, primaryKey: 'id', ...more })
  await run(1, {})
  await run(2, { nestedHints: { l: { primaryKey: 'k' } } })
  await run(3, {})
  expect(await rowsOf(target, 't__l', 'k')).toEqual([{ k: 'a', x: 3 }])
})

it('deletion and order that are not declared any more choose no rows', async () => {
  const { target } = await emptyTarget('duckdb')
  const columns = { v: { dedupSort: 'desc' }, gone: { dataType: 'bool', hardDelete: true } } as const
  await target.run([{ id: 1, v: 1, gone: false }], { ...merge, primaryKey: 'id', columns })
  await target.run(
    [
      { id: 2, v: 2, gone: true },
      { id: 2, v: 1, gone: true },
    ],
    { ...merge, primaryKey: 'id' },
  )
  expect(await rowsOf(target)).toEqual([
    { id: 1, v: 1, gone: false },
    { id: 2, v: 1, gone: true },
  ])
})

it('a merge without any key appends, and the run reports it', async () => {
  const { target } = await emptyTarget('duckdb')
  const noticed: string[] = []
  target.on((event) => void (event.type === 'notice' && noticed.push(event.notice.kind)))
  await target.run([{ id: 1 }], { ...merge, primaryKey: 'id' })
  expect(noticed).toEqual([])
  await target.run([{ id: 1 }], merge)
  expect(await rowsOf(target)).toEqual([{ id: 1 }, { id: 1 }])
  expect(noticed).toEqual(['merge-without-key'])
})

it('a strategy without the hint it needs is refused before anything is packaged', async () => {
  const { target } = await emptyTarget('duckdb')
  const rows = [{ id: 1, v: 1, l: [{ k: 1 }] }]
  const refused = async (options: RunOptions, data: readonly unknown[] = rows) => {
    const error = await target.run(data, { tableName: 't', ...options }).then(
      () => undefined,
      (one: { code: string }) => one.code,
    )
    return error
  }
  for (const strategy of ['upsert', 'insert-only'] as const) {
    expect(await refused(byStrategy(strategy))).toBe('WRONG_USE')
    expect(await refused({ ...byStrategy(strategy), mergeKey: 'v' })).toBe('WRONG_USE')
  }
  const sorted = { id: { dedupSort: 'asc' }, v: { dedupSort: 'asc' } } as const
  expect(await refused({ ...merge, primaryKey: 'id', columns: sorted })).toBe('WRONG_USE')
  const flags = { id: { hardDelete: true }, v: { hardDelete: true } } as const
  expect(await refused({ ...merge, primaryKey: 'id', columns: flags })).toBe('WRONG_USE')
  const odd = { v: { dedupSort: 'up' as 'asc' } }
  expect(await refused({ ...merge, primaryKey: 'id', columns: odd })).toBe('WRONG_USE')
  expect(await refused({ ...byStrategy('scd2'), nestedHints: { l: { primaryKey: 'k' } } })).toBe('WRONG_USE')
  expect(await refused({ ...merge, primaryKey: 'nope' })).toBe('NULL_NOT_ALLOWED')
  const versioned = { disposition: 'merge', strategy: 'scd2', rowVersionColumnName: 'etag' } as const
  expect(await refused({ writeDisposition: versioned }, [{ id: 1, etag: null }])).toBe('NULL_NOT_ALLOWED')
  // Nothing waits that would stop the next run.
  await target.run(rows, { tableName: 't' })
  expect(await rowsOf(target)).toEqual([{ id: 1, v: 1 }])
})

it('versions of the data are told apart by key and version', async () => {
  const { target } = await emptyTarget('duckdb')
  const options: RunOptions = {
    tableName: 't',
    primaryKey: 'id',
    writeDisposition: { disposition: 'merge', strategy: 'scd2', rowVersionColumnName: 'Version' },
  }
  await target.run(
    [
      { id: 1, Version: 1, l: ['a'] },
      { id: 2, Version: 1, l: ['b'] },
    ],
    options,
  )
  await target.run(
    [
      { id: 1, Version: 1, l: ['a'] },
      { id: 3, Version: 1, l: ['c'] },
    ],
    options,
  )
  const rows = await target.dataset().table<{ id: number; _dlt_valid_to: unknown }>('t').orderBy('id').toArray()
  expect(rows.map((row) => ({ id: row.id, active: row._dlt_valid_to === null }))).toEqual([
    { id: 1, active: true },
    { id: 2, active: false },
    { id: 3, active: true },
  ])
  expect(await rowsOf(target, 't__l', 'value')).toEqual([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
})

it('keys that the database takes for one leave no nested rows behind', async () => {
  const { target } = await emptyTarget('duckdb')
  const options: RunOptions = { ...byStrategy('insert-only'), primaryKey: 'id' }
  await target.run([{ id: 1, l: ['a'] }], options)
  await target.run(
    [
      { id: '1', l: ['b', 'c'] },
      { id: '2', l: ['d'] },
      { id: 2, l: ['e'] },
    ],
    options,
  )
  expect(await rowsOf(target)).toEqual([{ id: 1 }, { id: 2 }])
  expect(await rowsOf(target, 't__l', 'value')).toEqual([{ value: 'a' }, { value: 'e' }])
})

for (const [strategy, options] of tiered(['delete-insert', 'upsert'] as const, 1)) {
  it(`${strategy}: a row that asks for deletion needs key and flag`, options, async () => {
    const { target } = await emptyTarget('duckdb')
    const flags: Record<string, unknown> = { bool: true, timestamp: '2026-01-01T00:00:00Z', text: 'yes', bigint: 1 }
    for (const [dataType, flag] of Object.entries(flags)) {
      const hints = {
        ...byStrategy(strategy),
        tableName: dataType,
        primaryKey: 'id',
        columns: { name: { nullable: false }, gone: { dataType, hardDelete: true } },
      } as RunOptions
      await target.run(
        [
          { id: 1, name: 'a', l: [{ m: [1] }] },
          { id: 2, name: 'b', l: [{ m: [2] }] },
        ],
        hints,
      )
      await target.run(
        [
          { id: 1, gone: flag, l: [{ m: [9] }] },
          { id: 7, gone: flag },
        ],
        hints,
      )
      expect((await rowsOf(target, dataType)).map(({ id }) => id)).toEqual([2])
      expect(await rowsOf(target, `${dataType}__l__m`, 'value')).toEqual([{ value: 2 }])
      await expect(target.run([{ id: 3 }], hints)).rejects.toMatchObject({ code: 'NULL_NOT_ALLOWED' })
      await expect(target.run([{ gone: flag }], hints)).rejects.toMatchObject({ code: 'NULL_NOT_ALLOWED' })
    }
    const zero = {
      ...byStrategy(strategy),
      tableName: 'bigint',
      primaryKey: 'id',
      columns: { gone: { hardDelete: true } },
    }
    await target.run([{ id: 2, name: 'c', gone: 0 }], zero as RunOptions)
    expect((await rowsOf(target, 'bigint')).map(({ name }) => name)).toEqual(['c'])
  })
}

it('a mark can ask for replace', async () => {
  const { target } = await emptyTarget('duckdb')
  const marked = resource('things', () => [
    withHints([{ id: 1 }], { tableName: 'marked', writeDisposition: 'replace' }),
  ])
  await target.run(marked)
  await target.run(marked)
  expect(await rowsOf(target, 'marked')).toEqual([{ id: 1 }])
})

it('rows that a merge key or dedupSort brings together go into one package', async () => {
  const { destination } = await emptyTarget('duckdb')
  const target = pipeline({ name: 'whole', dataset: 'whole', destination, package: { maxBytes: 1, maxAgeMs: 0 } })
  const pages = Array.from({ length: 5 }, (_, page) => [{ id: page, key: 1, month: 'Jan', rank: -page }])
  const read = (name: string, options: RunOptions) =>
    resource(name, () => pages, { writeDisposition: 'merge', ...options })
  await target.run(read('months', { primaryKey: 'id', mergeKey: 'month' }))
  expect((await rowsOf(target, 'months')).map(({ id }) => id)).toEqual([0, 1, 2, 3, 4])
  await target.run(read('ranks', { primaryKey: 'key', columns: { rank: { dedupSort: 'desc' } } }))
  expect((await rowsOf(target, 'ranks')).map(({ id }) => id)).toEqual([0])
})

it('hints that are declared again leave the schema as it is', async () => {
  const { target, dataset } = await emptyTarget('duckdb')
  const columns = { v: { dedupSort: 'desc' }, gone: { dataType: 'bool', hardDelete: true } } as const
  const options: RunOptions = { ...merge, primaryKey: ['id', 'k'], columns, nestedHints: { l: { primaryKey: 'k' } } }
  const versions = async () => {
    await target.run([{ id: 1, k: 1, v: 1, gone: false, l: [{ k: 1 }] }], options)
    return (await target.dataset().query(`select version from ${dataset}._dlt_version`).toArray()).length
  }
  await versions()
  expect(await versions()).toBe(await versions())
})
