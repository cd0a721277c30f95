/** @module-tag slow */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redshift } from '../../src/destinations/redshift/redshift.ts'
import { openStore } from '../../src/destinations/stores/index.ts'
import { pipeline, type Destination, type Pipeline } from '../../src/index.ts'
import { casesWithGaps } from '../../src/testing/index.ts'
import { oneIn } from '../support/effort.ts'
import { redshiftGaps, startRedshift, type RedshiftServer } from '../support/redshift-server.ts'
import { running } from '../support/running.ts'

const s3 = await running('s3')
let server: RedshiftServer
beforeAll(async () => {
  server = await startRedshift(await running('postgres'), s3.credentials)
})
afterAll(() => server.stop())

const bucketUrl = () => `${s3.bucketUrl}/redshift`
const destination = (): Destination =>
  redshift({
    url: server.url,
    staging: { bucketUrl: bucketUrl(), credentials: s3.credentials },
    maxIdentifierLength: 63,
  })

let used = 0
const fresh = () => {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-redshift-'))
  used += 1
  return { destination: destination(), dataset: `rs_${process.pid}_${used}` }
}

async function stepsOf(target: Pipeline) {
  const steps = []
  for await (const step of target.check()) steps.push(step)
  return steps
}

describe('redshift, on PostgreSQL behind a guard', () => {
  it.each(oneIn(2, casesWithGaps(redshiftGaps)).map((one) => [one.title, one] as const))(
    '%s',
    async (_title, { run }) => {
      await run(fresh())
    },
  )

  it('the guard refuses what Redshift lacks', async () => {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: server.url.replace('redshift:', 'postgres:') })
    await client.connect()
    for (const sql of ['SELECT 1 AS a ON CONFLICT', 'SELECT ctid FROM x', 'TRUNCATE x', "SELECT '1'::jsonb"]) {
      await expect(client.query(sql)).rejects.toThrow(/Redshift:/)
    }
    expect((await client.query("SELECT 'ON CONFLICT' AS text")).rows).toEqual([{ text: 'ON CONFLICT' }])
    await client.end()
  })

  it('sorts and spreads as the hints say, and leaves nothing in the bucket', async () => {
    const { destination: target, dataset } = fresh()
    const loading = pipeline({ name: 'sorted', dataset, destination: target })
    await loading.run([{ id: 1, at: '2025-01-01T00:00:00Z', payload: { a: [1] } }], {
      tableName: 'events',
      columns: { id: { cluster: true }, at: { sort: true }, payload: { dataType: 'json' } },
    })
    const created = server.statements.find(
      (sql) => sql.startsWith('CREATE TABLE') && sql.includes(`"${dataset}"."events"`),
    )
    expect(created).toContain('"id" bigint DISTKEY')
    expect(created).toContain('"at" timestamp with time zone SORTKEY')
    expect(created).toContain('"payload" super')
    const store = await openStore(bucketUrl(), s3.credentials)
    expect(await store.list(`${dataset}_staging`)).toEqual([])
  })

  it('never shows its keys: not in an error, not as its location', async () => {
    const { destination: target, dataset } = fresh()
    const { secretAccessKey } = s3.credentials as { secretAccessKey: string }
    const broken = redshift({
      url: server.url.replace(/:\d+\//, ':1/'),
      staging: { bucketUrl: bucketUrl(), credentials: s3.credentials },
    })
    const error = await pipeline({ name: 'x', dataset, destination: broken })
      .run([{ a: 1 }], { tableName: 'rows' })
      .catch((reason: Error) => reason)
    expect(String(error)).toContain('cannot connect to')
    expect(String(error)).not.toContain(secretAccessKey)
    await using session = await target.open({ pipeline: 'x', dataset })
    expect(session.location).toMatch(/^redshift:\/\/\w+:\*\*\*@/)
  })

  it('is checked from its settings to a row that is taken back', async () => {
    const steps = await stepsOf(pipeline({ name: 'doc', destination: destination() }))
    expect(steps.map(({ name, error }) => [name, error])).toEqual([
      ['settings', undefined],
      ['driver and connection', undefined],
      ['writing', undefined],
      ['taking it back', undefined],
    ])
    const nowhere = { bucketUrl: 's3://no-such-bucket/x', credentials: s3.credentials }
    const bad = pipeline({ name: 'doc', destination: redshift({ url: server.url, staging: nowhere }) })
    const last = (await stepsOf(bad)).at(-1)!
    expect(last).toMatchObject({ name: 'writing' })
    expect(String(last.error)).toMatch(/no-such-bucket/)
  })

  it('without a right to the bucket it says so before anything is done', async () => {
    const bare = redshift({ url: server.url, staging: { bucketUrl: bucketUrl() } })
    await expect(bare.open({ pipeline: 'x', dataset: 'd' })).rejects.toThrow(
      /no right to read the staged files\n.*iamRole/,
    )
  })
})
