import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { attach, isCut, pipeline, type Dataset } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { running } from '../support/running.ts'
import { randomFrom, seed } from '../support/seed.ts'

const room = { rows: 100, bytes: 1e7 }
const longestValue = 5
const types = {
  duckdb: { text: 'VARCHAR', json: 'JSON', bytes: 'BLOB' },
  postgres: { text: 'text', json: 'jsonb', bytes: 'bytea' },
}

/** The rows of a query as they are, cut here. */
function cutHere(value: unknown): unknown {
  if (typeof value === 'string' && value.length > longestValue) {
    return { cut: value.slice(0, longestValue), length: value.length }
  }
  if (value instanceof Uint8Array && value.length > longestValue) {
    return { cut: value.subarray(0, longestValue), length: value.length }
  }
  return value
}

describe.each(['duckdb', 'postgres'] as const)('values that %s cuts', (destination) => {
  let open: Dataset
  let readOnly: Dataset
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-cut-'))
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    process.env.DESTINATION__POSTGRES__CREDENTIALS = await running('postgres')
    process.env.DESTINATION__DUCKDB__CREDENTIALS = join(folder, 'cut.duckdb')
    const target = pipeline({ name: `cut_${destination}`, destination })
    await target.run([{ id: 1 }], { tableName: 't' })
    open = target.dataset()
    readOnly = attach(target.name, { readOnly: { timeoutMs: 60_000 } }).dataset()
  })

  it('are the start and the length of what the query finds, with the same columns', async () => {
    const random = randomFrom(seed)
    const { text, json, bytes } = types[destination]
    const long = (): string => 'é"x\n'.repeat(random() * 4).slice(0, random() * 12)
    const values: (() => string)[] = [
      () => `CAST('${long()}' AS ${text})`,
      () => `CAST('{"a": "${'b'.repeat(random() * 9)}"}' AS ${json})`,
      () => `CAST('${'c'.repeat(random() * 12)}' AS ${bytes})`,
      () => `CAST(NULL AS ${text})`,
      () => String(Math.floor(random() * 1e6)),
      () => '1234567.5',
      () => "DATE '2026-03-04'",
      () => 'TRUE',
    ]
    const ends = ['', ';', ' ; \n', ' -- end', ' ORDER BY 1', '\n']
    const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
    for (let time = 0; time < effort(8, 400); time++) {
      const columns = Array.from({ length: 1 + random() * 4 }, () => `${one(values)()}${one([' AS a', ' AS b', ''])}`)
      const sql = `SELECT ${columns.join(', ')}${one(ends)}`
      const whole = await open.query(sql).first(room)
      const cut = await one([open, readOnly])
        .query(sql)
        .first({ ...room, longestValue })
      expect(cut.columns, sql).toEqual(whole.columns)
      const byName = cut.columns.filter(({ dataType }) => ['text', 'json', 'binary'].includes(dataType))
      const wanted = whole.rows.map((row) => ({
        ...row,
        ...Object.fromEntries(byName.map(({ name }) => [name, cutHere(row[name])])),
      }))
      expect(cut.rows, sql).toEqual(wanted)
    }
  })

  it('are cut in tables and in statements with values, and their order stays', async () => {
    const values = '(VALUES (2), (3), (1)) AS v (id)'
    const sql = `SELECT id, CAST($1 AS ${types[destination].text}) AS long FROM ${values} ORDER BY id DESC`
    const { rows } = await readOnly.query(sql, ['abcdefgh']).first({ ...room, longestValue })
    expect(rows.map(({ id }) => id)).toEqual([3, 2, 1])
    expect(rows.every(({ long }) => isCut(long) && long.cut === 'abcde' && long.length === 8)).toBe(true)
    const [row] = (await open.table('t').first({ ...room, longestValue })).rows
    expect(row).toMatchObject({ id: 1, _dlt_id: { cut: expect.any(String), length: 14 } })
  })
})
