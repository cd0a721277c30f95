import { describe, expect, it } from 'vitest'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { postgresDialect } from '../../src/destinations/postgres/dialect.ts'
import { refuseLargeRow } from '../../src/normalize/row-size.ts'
import type { TableWalker } from '../../src/normalize/table-walker.ts'
import type { Column, DataType } from '../../src/schema/index.ts'
import { decimal, pipeline } from '../../src/index.ts'
import { onServer } from '../crash/faults.ts'
import { emptyTarget } from '../support/destinations.ts'
import { randomFrom } from '../support/seed.ts'
import { running } from '../support/running.ts'

const random = randomFrom()
const below = (n: number): number => Math.floor(random() * n)
const letters = (length: number): string => Array.from({ length }, () => String.fromCharCode(97 + below(26))).join('')

const kinds: Partial<Record<DataType, () => string>> = {
  bigint: () => String(below(1_000_000)),
  double: () => String(random()),
  bool: () => 'true',
  timestamp: () => '2026-03-01T10:00:00Z',
  date: () => '2026-03-01',
  decimal: () => `${below(1_000_000)}.${below(1000)}`,
  text: () => letters(below(40)),
}

describe('a row of PostgreSQL must fit its page', () => {
  it('rows are refused exactly where the database refuses them', { timeout: 120_000 }, async () => {
    const limit = postgres().capabilities.storage!.row!
    const outcomes = { both: 0, neither: 0 }
    await onServer(await running('postgres'), async (client) => {
      for (let round = 0; round < 25; round++) {
        const types = Object.keys(kinds).slice(below(7)) as DataType[]
        const columns: Column[] = Array.from({ length: 380 + below(1100) }, (_, at) => ({
          name: `c${at}`,
          dataType: types[below(types.length)]!,
        }))
        const share = 0.3 + 0.7 * random()
        const cells = columns.map(({ dataType }) => (random() < share ? kinds[dataType!]!() : undefined))
        const walker = {
          table: { name: 't', columns: new Map(columns.map((column) => [column.name, column])), seenData: true },
          cells,
          indexOf: new Map(columns.map(({ name }, at) => [name, at])),
        } as unknown as TableWalker
        let isRefused = false
        try {
          refuseLargeRow(walker, limit, {})
        } catch {
          isRefused = true
        }
        await client.query(
          `create temp table t (${columns.map((one) => `${one.name} ${postgresDialect.typeName(one)}`).join(', ')})`,
        )
        const values = cells.map((cell) => (cell === undefined ? 'null' : `'${cell}'`))
        const error = await client.query(`insert into t values (${values.join(', ')})`).then(
          () => undefined,
          (reason: Error) => reason.message,
        )
        await client.query('drop table t')
        expect(isRefused, `${columns.length} columns of ${types.join(', ')}: ${error}`).toBe(error !== undefined)
        outcomes[isRefused ? 'both' : 'neither'] += 1
      }
    })
    expect(Math.min(outcomes.both, outcomes.neither)).toBeGreaterThan(0)
  })

  it('a wide row is refused with its table and what to do, and leaves nothing that blocks other loads', async () => {
    const { target } = await emptyTarget('postgres')
    const wide = Object.fromEntries(Array.from({ length: 1200 }, (_, at) => [`field_${at}`, 1000 + at]))
    await expect(target.run([{ id: 1, ...wide }], { tableName: 'deals' })).rejects.toMatchObject({
      code: 'VALUE_NOT_STORABLE',
      message: expect.stringMatching(/"deals".*1,20\d values.*8,160[^]*JSON/),
    })
    expect(target.pendingPackages()).toEqual([])
    await target.run([{ id: 1 }], { tableName: 'other' })
    await target.run([{ id: 1, all: wide }], { tableName: 'deals', columns: { all: { dataType: 'json' } } })
    expect(await target.dataset().table('deals').count()).toBe(1)
  })
})

it('a declared length is counted in characters, as the database counts', async () => {
  const { target } = await emptyTarget('postgres')
  const columns = { name: { dataType: 'text', precision: 3 } } as const
  await target.run([{ id: 1, name: '😀😀😀' }], { tableName: 't', columns })
  await expect(target.run([{ id: 2, name: '😀abc' }], { tableName: 't', columns })).rejects.toMatchObject({
    code: 'VALUE_NOT_STORABLE',
    message: expect.stringContaining('takes 3 characters, got 4'),
  })
  expect(await target.dataset().table('t').select('name').toArray()).toEqual([{ name: '😀😀😀' }])
})

it('a decimal with more digits than the destination has is refused when it is declared', async () => {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-digits-'))
  const columns = { n: { dataType: 'decimal', precision: 60, scale: 2 } } as const
  const { target } = await emptyTarget('duckdb')
  await expect(target.run([{ n: decimal('1.25') }], { tableName: 't', columns })).rejects.toMatchObject({
    code: 'VALUE_NOT_STORABLE',
    fix: expect.stringContaining('38'),
  })
  const { dataset, destination } = await emptyTarget('postgres')
  await pipeline({ name: 'digits', dataset, destination }).run([{ n: decimal('1.25') }], { tableName: 't', columns })
})

it('a Date beyond the years that databases hold is kept as text', async () => {
  for (const name of ['duckdb', 'postgres'] as const) {
    const { target } = await emptyTarget(name)
    await target.run(
      [
        { id: 1, at: new Date(8.64e15) },
        { id: 2, at: new Date('2026-03-01T00:00:00Z') },
      ],
      { tableName: 'new' },
    )
    await target.run(
      [
        { id: 1, at: new Date('2026-03-01T00:00:00Z') },
        { id: 2, at: new Date(-62_198_755_200_000) },
      ],
      { tableName: 'old' },
    )
    expect(await target.dataset().table('new').count()).toBe(2)
    expect(await target.dataset().table('old').orderBy('id').select('at', 'at__v_text').toArray()).toEqual([
      { at: expect.stringContaining('2026-03-01'), at__v_text: null },
      { at: null, at__v_text: '-000001-01-01T00:00:00.000Z' },
    ])
  }
})
