/** @module-tag engine */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snowflake, snowflakeParts } from '../../src/destinations/snowflake/snowflake.ts'
import { snowflakeDialect } from '../../src/destinations/snowflake/dialect.ts'
import { pipeline } from '../../src/index.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { casesWithGaps } from '../../src/testing/index.ts'
import { endsExactlyRight } from '../support/cut-connections.ts'
import { oneIn, someOf } from '../support/effort.ts'
import { readBack, untrusted } from '../support/untrusted-strings.ts'
import { loadsLikeDuckdb } from '../support/platform-loads.ts'
import { snowflakeGaps, startSnowflake, type SnowflakeServer } from './snowflake-server.ts'

let server: SnowflakeServer
beforeAll(async () => {
  server = await startSnowflake()
}, 300_000)
afterAll(() => server?.stop())

const login = { account: 'fake', user: 'u', password: 'pass-word', database: 'db1' }

let used = 0
const fresh = () => {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-snowflake-'))
  used += 1
  const destination = snowflake({ ...login, accessUrl: server.accessUrl, maxIdentifierLength: 63 })
  return { destination, dataset: `sf_${used}` }
}

describe('snowflake, on fakesnow', () => {
  it.each(oneIn(3, casesWithGaps(snowflakeGaps), 1).map((one) => [one.title, one] as const))(
    '%s',
    async (_title, { run }) => {
      await run(fresh())
    },
  )

  it('a string in a statement is read as it was', async () => {
    expect(await readBack(fresh(), snowflakeDialect)).toEqual(untrusted)
  })

  it('changes of tables come before the transaction, and only statements on rows within it', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'order', dataset, destination })
    server.statements.length = 0
    await loading.run([{ id: 1, tags: ['a'] }], { tableName: 'rows', writeDisposition: 'merge', primaryKey: 'id' })
    const begin = server.statements.findIndex((sql) => sql.startsWith('BEGIN'))
    const commit = server.statements.findIndex((sql) => sql.startsWith('COMMIT'))
    const within = server.statements.slice(begin + 1, commit)
    expect(begin).toBeGreaterThan(0)
    expect(within.filter((sql) => /^(CREATE|ALTER|DROP|PUT|COPY|USE|TRUNCATE)/i.test(sql))).toEqual([])
    expect(within.filter((sql) => /^(INSERT|DELETE|UPDATE)/i.test(sql)).length).toBeGreaterThan(3)
    expect(within.filter((sql) => / OR /.test(sql))).toEqual([])
  })

  it('ends exactly right wherever the connection breaks', { timeout: 600_000 }, async () => {
    await endsExactlyRight(() => snowflakeParts({ ...login, accessUrl: server.accessUrl }), { cuts: 5 })
  })

  it('a column is widened in one statement, and keeps its values', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'wider', dataset, destination })
    await loading.run([{ id: 1, v: 7, w: 'a' }], { tableName: 'rows' })
    await loading.run([{ id: 2, v: 1.5, w: 'b' }], { tableName: 'rows' })
    const rows = await loading.dataset().query(`select id, v, w from ${dataset}.rows order by id`).toArray()
    expect(rows).toEqual([
      { id: 1, v: 7, w: 'a' },
      { id: 2, v: 1.5, w: 'b' },
    ])
  })

  it('names need no quotes: they stand in capitals, and come back small', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'names', dataset, destination })
    await loading.run([{ id: 1, userName: 'x' }], { tableName: 'people' })
    expect(await loading.dataset().query(`select user_name from ${dataset}.people`).toArray()).toEqual([
      { user_name: 'x' },
    ])
  })

  it('is checked from its settings to a row that is taken back', async () => {
    const steps = []
    for await (const step of pipeline({ name: 'doc', destination: fresh().destination }).check()) steps.push(step)
    expect(steps.filter(({ error }) => error !== undefined)).toEqual([])
    expect(steps).toHaveLength(4)
  })

  it.each(someOf(platformNames, 1))('%s, unchanged but for its destination', async (name) => {
    await loadsLikeDuckdb(name, () => fresh().destination)
  })
})
