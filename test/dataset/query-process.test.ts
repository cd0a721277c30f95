import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import { attach, pipeline, resource, type Dataset, type Pipeline } from '../../src/index.ts'

const children: ChildProcess[] = []
subscribe('child_process', (message) => children.push((message as { process: ChildProcess }).process))

const folder = mkdtempSync(join(tmpdir(), 'sluice-query-process-'))
const temporary = join(folder, 'temporary')
let target: Pipeline
const readOnly = (timeoutMs = 60_000): Dataset => attach('shop', { readOnly: { timeoutMs } }).dataset()

beforeAll(async () => {
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  process.env.DESTINATION__DUCKDB__CREDENTIALS = join(folder, 'shop.duckdb')
  target = pipeline({ name: 'shop', dataset: 'd' })
  await target.run([{ id: 1 }, { id: 2 }], { tableName: 't' })
})
beforeEach(() => void children.splice(0))

it('values have the types that they have in this process', async () => {
  const values = [
    '1::INTEGER',
    '9007199254740993::BIGINT',
    '170141183460469231731687303715884105727::HUGEINT',
    '1.50::DECIMAL(10, 2)',
    '0.1::DOUBLE',
    "'NaN'::DOUBLE",
    'NULL',
    "'\\x00\\xFF'::BLOB",
    "DATE '2026-03-04'",
    "TIMESTAMP '2026-03-04 05:06:07.123456'",
    "TIMESTAMPTZ '2026-03-04 05:06:07+02'",
    "TIME '05:06:07'",
    "INTERVAL '3 days'",
    "'é😀'",
    '\'{"a": 1}\'::JSON',
    '[1, 2]',
    "{a: [1.5], b: {c: 'x'}}",
    "MAP {'k': 1}",
    'uuid()::VARCHAR IS NOT NULL',
  ]
  const sql = `SELECT ${values.map((value, at) => `${value} AS c${at}`).join(', ')}`
  const room = { rows: 10, bytes: 1e6 }
  expect(await readOnly().query(sql).first(room)).toEqual(await target.dataset().query(sql).first(room))
  expect(await readOnly().query(sql).toArray()).toEqual(await target.dataset().query(sql).toArray())
})

it('the next query takes the process of the last one', async () => {
  await readOnly().query('SELECT 1').toArray()
  const before = children.length
  for (let time = 0; time < 3; time++) await readOnly().query('SELECT 1').toArray()
  await expect(readOnly().query('SELECT nothere').toArray()).rejects.toMatchObject({ code: 'QUERY_FAILED' })
  expect(children.length).toBe(before)
})

it('a process that is killed takes its query with it, and nothing else', async () => {
  const before = process.env.TMPDIR
  process.env.TMPDIR = mkdtempSync(`${temporary}-`)
  try {
    const rows = readOnly().query('SELECT * FROM d.t, range(100000)').rows()
    await rows.next()
    expect(readdirSync(process.env.TMPDIR)).toHaveLength(1)
    children.at(-1)!.kill('SIGKILL')
    const rest = async (): Promise<void> => {
      for (;;) if ((await rows.next()).done === true) return
    }
    await expect(rest()).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
    expect(readdirSync(process.env.TMPDIR)).toEqual([])
    expect(await readOnly().query('SELECT count(*) AS n FROM d.t').toArray()).toEqual([{ n: 2 }])
    await target.run([{ id: 3 }], { tableName: 'u' })
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
})

it('a pipeline that this process is loading is read, and only read', async () => {
  const found: unknown[] = []
  await target.run(
    resource('more', async function* () {
      yield [{ id: 1 }]
      for (const sql of ['SELECT count(*) AS n FROM d.t', "FROM read_text('/etc/hostname')", 'DELETE FROM d.t']) {
        found.push(
          await readOnly()
            .query(sql)
            .toArray()
            .catch(({ code }: { code: string }) => code),
        )
        // A caller of the library that does not take the way over `dataset()`.
        await using session = await attach('shop', { readOnly: { timeoutMs: 60_000 } }).openSession()
        found.push(await session.reader.rows(sql).catch(({ code }: { code: string }) => code))
      }
      found.push(await readOnly().table('t').count())
    }),
  )
  expect(found).toEqual([[{ n: 2 }], [{ n: 2 }], 'QUERY_FAILED', 'READ_ONLY', 'READ_ONLY', 'READ_ONLY', 2])
})

it('a query that ignores the interruption is ended with its process', { tags: ['slow'] }, async () => {
  const endless = "SELECT length(repeat('x', 100000000 + range)) FROM range(100000)"
  await expect(readOnly(500).query(endless).toArray()).rejects.toMatchObject({ code: expect.stringMatching(/QUERY_T/) })
})

it('a query cannot take the memory of the machine', { tags: ['slow'] }, async () => {
  const large = 'SELECT list(range) FROM range(300000000)'
  await expect(readOnly().query(large).toArray()).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
  expect(await readOnly().query('SELECT 1 AS a').toArray()).toEqual([{ a: 1 }])
})
