import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { openDuckdbToRead } from '../../src/destinations/duckdb/connection.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { someOf, tiered } from '../support/effort.ts'
import { running } from '../support/running.ts'

for (const [name, options] of tiered(engineNames, 2)) {
  describe(`${name}, opened only to look`, options, () => {
    const opened = async (timeoutMs = 10_000) => {
      const { target, dataset } = await emptyTarget(name)
      process.env.DESTINATION__POSTGRES__CREDENTIALS = await running('postgres')
      await target.run([{ id: 1 }, { id: 2 }], { tableName: 't' })
      const looking = attach(target.name, { readOnly: { timeoutMs } })
      const all = async (sql: string) => looking.dataset().query(sql).toArray()
      return { looking, all, dataset, target }
    }

    let shared: ReturnType<typeof opened> | undefined
    /** The same rows for the tests that change none. */
    const sharedRows = () => (shared ??= opened())

    it('answers queries', async () => {
      const { looking, all, dataset } = await sharedRows()
      expect(await all(`select count(*) as n from ${dataset}.t`)).toEqual([{ n: 2 }])
      expect(await all(`with a as (select * from ${dataset}.t) select max(id) as n from a;`)).toEqual([{ n: 2 }])
      expect(await looking.dataset().query(`select id from ${dataset}.t where id = $1`, [2]).toArray()).toEqual([
        { id: 2 },
      ])
      expect(await looking.dataset().table('t').count()).toBe(2)
      expect(await looking.dataset().rowCounts()).toEqual(new Map([['t', 2]]))
      expect((await looking.schemas()).length).toBeGreaterThan(0)
      await looking.state()
    })

    it('does nothing else', async () => {
      const { looking, all, dataset, target } = await sharedRows()
      const file = join(mkdtempSync(join(tmpdir(), 'sluice-out-')), 'out.csv')
      const attempts = [
        `insert into ${dataset}.t (id) values (3)`,
        `update ${dataset}.t set id = 3`,
        `delete from ${dataset}.t`,
        `drop table ${dataset}.t`,
        `create table ${dataset}.u (a int)`,
        `create temporary table u as select 1 as a`,
        `select 1; drop table ${dataset}.t`,
        `select 1; select 2`,
        `copy ${dataset}.t to '${file}'`,
        `copy (select 1) to program 'touch ${file}'`,
        `set statement_timeout = 0`,
        `begin`,
        `commit; delete from ${dataset}.t`,
        `with gone as (delete from ${dataset}.t returning *) select * from gone`,
        `select * from read_text('/etc/hostname')`,
        `attach '${file}' as other`,
        `install httpfs`,
        `select set_config('transaction_read_only', 'off', false); delete from ${dataset}.t`,
        `call pg_catalog.pg_sleep(1)`,
        `export database '${file}'`,
        `pragma enable_profiling`,
        `select pg_read_file('/etc/hostname')`,
        `select query_to_xml('select pg_re' || 'ad_file(''/etc/hostname'')', true, true, '')`,
        `select lo_import('/etc/hostname')`,
        ``,
      ]
      for (const sql of someOf(attempts, 8)) await expect(all(sql), sql).rejects.toThrow()
      await expect(looking.run([{ id: 9 }], { tableName: 't' })).rejects.toMatchObject({ code: 'READ_ONLY' })
      await expect(looking.dropResources(target.name)).rejects.toMatchObject({ code: 'READ_ONLY' })
      expect(existsSync(file)).toBe(false)
      expect(await target.dataset().table('t').orderBy('id').select('id').toArray()).toEqual([{ id: 1 }, { id: 2 }])
    })

    it('tells what the database refused', async () => {
      const { all, looking, dataset } = await sharedRows()
      const refused = { code: 'QUERY_FAILED', fix: expect.stringContaining('correct the query') }
      await expect(all(`select nothere from ${dataset}.t`)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('nothere'),
      })
      await expect(looking.dataset().table('nothere').count()).rejects.toMatchObject(refused)
      await expect(looking.dataset().table('t').profile('nothere')).rejects.toMatchObject(refused)
      const page = looking.dataset().query(`select 1 / (id - id) as x, cast('x' as integer) as y from ${dataset}.t`)
      await expect(page.rows().next()).rejects.toMatchObject(refused)
    })

    it('ends what takes too long', async () => {
      const { all } = await opened(300)
      const long =
        name === 'postgres'
          ? 'select pg_sleep(60)'
          : 'select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = -1'
      const startedAt = performance.now()
      await expect(all(long)).rejects.toMatchObject({ code: 'QUERY_TIMEOUT', fix: expect.stringContaining('less') })
      expect(performance.now() - startedAt).toBeLessThan(20_000)
    })
  })
}

const writer = `
import { DuckDBInstance } from '@duckdb/node-api'
const instance = await DuckDBInstance.create(process.argv[1])
const connection = await instance.connect()
await connection.run('create table if not exists a (i bigint); create table if not exists b (i bigint, t varchar)')
console.log('ready')
let over = false
process.stdin.on('end', () => (over = true)).resume()
for (let i = 0; !over; i++) {
  // Both tables change in one transaction: whoever sees different counts sees half of one.
  await connection.run('begin; insert into a select range from range(500); insert into b select range, repeat(range::varchar, 20) from range(500); commit')
  if (i % 5 === 4) await connection.run('begin; delete from a where i % 2 = 0; delete from b where i % 2 = 0; commit')
  if (i % 7 === 6) await connection.run('checkpoint')
}
console.log('done')
`

it('a DuckDB file is read while another process writes it, and neither breaks', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-busy-')), 'busy.duckdb')
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer, file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  let [looks, most] = [0, 0]
  while (looks < 15 || most <= 500) {
    expect(child.exitCode).toBeNull()
    const connection = await openDuckdbToRead(file, 10_000)
    const [row] = await connection.rows('select (select count(*) from a) as a, (select count(*) from b) as b')
    await connection.close()
    expect(row!.a, `look ${looks}`).toBe(row!.b)
    most = Math.max(most, Number(row!.a))
    looks += 1
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  child.stdin.end()
  expect((await exited)[0]).toBe(0)
  const connection = await (await DuckDBInstance.create(file)).connect()
  const [counts] = (
    await connection.runAndReadAll('select (select count(*) from a), (select count(*) from b)')
  ).getRows()
  expect(counts![0]).toBe(counts![1])
})
