import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres, postgresPoolConfig } from '../../src/destinations/postgres/postgres.ts'
import { attach, pipeline, resource } from '../../src/index.ts'
import { fc } from '../support/seed.ts'
import { running } from '../support/running.ts'

/** What administrators give to a database or a role, and what would change a value or end a load. */
const settings: Record<string, readonly string[]> = {
  timezone: ["'Asia/Kolkata'", "'America/St_Johns'", "'UTC'"],
  datestyle: ["'SQL, DMY'", "'German'", "'Postgres, MDY'", "'ISO, DMY'"],
  intervalstyle: ["'iso_8601'", "'sql_standard'", "'postgres_verbose'"],
  extra_float_digits: ['-15', '0', '1', '3'],
  bytea_output: ["'escape'", "'hex'"],
  client_encoding: ["'LATIN1'", "'SQL_ASCII'", "'WIN1252'"],
  standard_conforming_strings: ['off', 'on'],
  default_transaction_isolation: ["'serializable'", "'repeatable read'"],
  default_transaction_read_only: ['on', 'off'],
  default_transaction_deferrable: ['on', 'off'],
  statement_timeout: ["'400ms'", '0'],
  idle_in_transaction_session_timeout: ["'300ms'", '0'],
  transaction_timeout: ["'500ms'", '0'],
  search_path: ["'nowhere'", "''", 'public, pg_temp', 'hostile, pg_catalog'],
  quote_all_identifiers: ['on', 'off'],
  transform_null_equals: ['on', 'off'],
  backslash_quote: ['off', "'safe_encoding'"],
  array_nulls: ['off', 'on'],
  xmloption: ["'document'"],
  lc_monetary: ["'C'"],
  row_security: ['off', 'on'],
}

const combinations = fc.record(
  Object.fromEntries(Object.entries(settings).map(([name, values]) => [name, fc.constantFrom(...values)])),
  { requiredKeys: [] },
)

const row = {
  id: 1,
  at: '2026-03-04T05:06:07.123456Z',
  day: '2026-03-04',
  clock: '05:06:07.5',
  x: 0.1 + 0.2,
  small: 5e-324,
  bytes: Buffer.from([0, 1, 92, 255]),
  text: "it's \\ back é😀漢",
  big: 123456789012345678n,
  price: '12.50',
  more: { at: '04.03.2026', path: 'C:\\' },
}
const columns = {
  day: { dataType: 'date' },
  clock: { dataType: 'time' },
  bytes: { dataType: 'binary' },
  price: { dataType: 'decimal', precision: 10, scale: 2 },
  more: { dataType: 'json' },
} as const
const expected = { ...row, big: '123456789012345678', more: expect.any(String) }

describe('postgres, whatever an administrator has set', () => {
  let admin: pg.Client
  let url: string
  const database = `settings_${process.pid}`
  beforeAll(async () => {
    const server = await running('postgres')
    admin = new pg.Client(await postgresPoolConfig({ url: server }))
    await admin.connect()
    await admin.query(`CREATE DATABASE ${database}`)
    url = server.replace(/\/[^/]*$/, `/${database}`)
  })
  afterAll(async () => {
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
    await admin.end()
  })

  it('loads, merges and reads back exactly what was loaded', { tags: ['slow'], timeout: 120_000 }, async () => {
    let used = 0
    const known = new Set(
      (await admin.query('SELECT name FROM pg_settings')).rows.map(({ name }) => String(name).toLowerCase()),
    )
    const all = Object.fromEntries(Object.entries(settings).map(([name, [value]]) => [name, value!]))
    await fc.assert(
      fc.asyncProperty(combinations, async (chosen) => {
        await admin.query(`ALTER DATABASE ${database} RESET ALL`)
        for (const [name, value] of Object.entries(chosen)) {
          if (known.has(name)) await admin.query(`ALTER DATABASE ${database} SET ${name} = ${value}`)
        }
        const folder = mkdtempSync(join(tmpdir(), 'sluice-settings-'))
        process.env.SLUICE_DATA_DIR = folder
        process.env.DESTINATION__POSTGRES__CREDENTIALS = url
        used += 1
        const target = pipeline({ name: `p${used}`, dataset: `d${used}`, destination: postgres({ url }) })
        const rows = resource('t', () => [row], { columns, writeDisposition: 'merge', primaryKey: 'id' })
        const history = resource('h', () => [row], {
          columns,
          writeDisposition: { disposition: 'merge', strategy: 'scd2' },
        })
        for (let time = 0; time < 2; time++) await target.run([rows, history])
        const fields = Object.keys(row)
          .map((name) => `"${name}"`)
          .join(', ')
        for (const data of [target.dataset(), attach(target.name, { readOnly: { timeoutMs: 10_000 } }).dataset()]) {
          for (const table of ['t', 'h']) {
            const found = data.query(`SELECT ${fields} FROM d${used}.${table}`)
            for (const got of [await found.toArray(), (await found.first({ rows: 9, bytes: 1e6 })).rows]) {
              expect(got).toEqual([expected])
              expect(JSON.parse(String(got[0]!.more))).toEqual(row.more)
            }
          }
        }
      }),
      { numRuns: 4, examples: [[all]] },
    )
  })

  it('a load that takes longer than the limits of its role is loaded', async () => {
    await admin.query(`ALTER DATABASE ${database} RESET ALL`)
    for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      await admin.query(`ALTER DATABASE ${database} SET ${name} = '150ms'`)
    }
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-settings-'))
    const target = pipeline({ name: 'slow', dataset: 'slow', destination: postgres({ url }) })
    await target.run([{ id: 1 }], { tableName: 't' })
    const slow = new pg.Client(await postgresPoolConfig({ url }))
    await slow.connect()
    await slow.query(`
      CREATE FUNCTION slow.wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.4); RETURN new; END';
      CREATE TRIGGER wait BEFORE INSERT ON slow.t FOR EACH ROW EXECUTE FUNCTION slow.wait()`)
    await slow.end()
    await target.run([{ id: 2 }], { tableName: 't' })
    expect(await target.dataset().table('t').count()).toBe(2)
  })
})
