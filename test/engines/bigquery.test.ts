/** @module-tag engine */
import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bigquery, bigqueryParts } from '../../src/destinations/bigquery/bigquery.ts'
import { bigqueryDialect } from '../../src/destinations/bigquery/dialect.ts'
import { sqlDestination } from '../../src/destinations/sql/sql-destination.ts'
import { pipeline, type RunOptions } from '../../src/index.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { casesWithGaps } from '../../src/testing/index.ts'
import { endsExactlyRight } from '../support/cut-connections.ts'
import { someOf } from '../support/effort.ts'
import { readBack, untrusted } from '../support/untrusted-strings.ts'
import { loadsLikeDuckdb } from '../support/platform-loads.ts'
import { bigqueryGaps, startBigquery, type BigqueryServer } from './bigquery-server.ts'
import { startGcs } from './servers.ts'

let server: BigqueryServer
beforeAll(async () => {
  server = await startBigquery()
}, 300_000)
afterAll(() => server?.stop())

const login = () => ({ projectId: 'p', apiEndpoint: server.apiEndpoint, accessToken: 'a-token-of-the-test' })

let used = 0
const fresh = (options: Partial<Parameters<typeof bigquery>[0]> = {}) => {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-bigquery-'))
  used += 1
  return { destination: bigquery({ ...login(), ...options }), dataset: `bq_${used}` }
}

const byKey: RunOptions = { tableName: 'rows', writeDisposition: 'merge', primaryKey: 'id' }

describe('bigquery, on bqemulator', () => {
  it.each(casesWithGaps(bigqueryGaps).map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
    await run(fresh())
  })

  it('a string in a statement is read as it was', async () => {
    expect(await readBack(fresh(), bigqueryDialect)).toEqual(untrusted)
  })

  it('rows are changed by one script, which is one job and one transaction', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'order', dataset, destination })
    server.queries.length = 0
    await loading.run([{ id: 1, tags: ['a'] }], byKey)
    const scripts = server.queries.filter((query) => query.includes('BEGIN TRANSACTION'))
    expect(scripts).toHaveLength(1)
    expect(scripts[0]).toMatch(/^BEGIN TRANSACTION;\n[^]*COMMIT TRANSACTION;$/)
    expect(scripts[0]).not.toMatch(/^(CREATE|ALTER|DROP|TRUNCATE)/m)
    expect(scripts[0]!.match(/^(INSERT|MERGE|DELETE|UPDATE)/gm)!.length).toBeGreaterThan(3)
    const others = server.queries.filter((query) => !scripts.includes(query))
    expect(others.filter((query) => /^(INSERT|MERGE|DELETE|UPDATE)/.test(query))).toEqual([])
  })

  it('nothing is left of what was staged', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'clean', dataset, destination })
    await loading.run([{ id: 1, tags: ['a'] }], byKey)
    const tables = await loading
      .dataset()
      .query(`select table_name from ${dataset}.INFORMATION_SCHEMA.TABLES`)
      .toArray()
    expect(tables.map((row) => row.table_name).sort()).toEqual([
      '_dlt_loads',
      '_dlt_pipeline_state',
      '_dlt_version',
      'rows',
      'rows__tags',
    ])
  })

  it('a merge names the days of the partition column, where that belongs to the key', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'days', dataset, destination })
    const options: RunOptions = {
      ...byKey,
      primaryKey: ['id', 'at'],
      columns: { at: { partition: true }, kind: { cluster: true } },
    }
    const rows = [
      { id: 1, at: '2026-03-01T09:00:00Z', kind: 'a' },
      { id: 1, at: '2026-03-09T23:30:00Z', kind: 'b' },
    ]
    await loading.run(rows, options)
    server.queries.length = 0
    await loading.run([{ ...rows[1], kind: 'c' }], options)
    const merge = server.queries.join('\n').match(/^MERGE .*WHEN MATCHED THEN DELETE/m)![0]
    expect(merge).toContain("AND DATE(_sluice_t.`at`) IN (DATE '2026-03-09')")
    expect(await loading.dataset().query(`select kind from ${dataset}.rows order by kind`).toArray()).toEqual([
      { kind: 'a' },
      { kind: 'c' },
    ])
  })

  it('rows go through a bucket, and nothing stays in it', async () => {
    const bucket = await startGcs(server.buckets)
    try {
      const { credentials, bucketUrl } = bucket
      const { destination, dataset } = fresh({
        staging: { bucketUrl: `${bucketUrl}/staging`, credentials: credentials! },
      })
      const loading = pipeline({ name: 'bucket', dataset, destination })
      await loading.run([{ id: 1, l: [1, 2] }], byKey)
      expect(await loading.dataset().query(`select count(*) as n from ${dataset}.rows__l`).toArray()).toEqual([
        { n: 2 },
      ])
      const { openStore } = await import('../../src/destinations/stores/index.ts')
      expect(await (await openStore(`${bucketUrl}/staging`, credentials)).list('')).toEqual([])
    } finally {
      await bucket.stop()
    }
  })

  /** A destination that does something else at COMMIT. */
  const atCommit = (act: (commit: () => Promise<void>) => Promise<void>) => {
    const parts = bigqueryParts(login())
    return sqlDestination({
      ...parts,
      async connect(target) {
        const opened = await parts.connect(target)
        const { connection } = opened
        const run: typeof connection.run = (sql, values) =>
          sql === 'COMMIT' ? act(() => connection.run(sql, values)) : connection.run(sql, values)
        return { ...opened, connection: { ...connection, run } }
      },
    })
  }

  it('a job that is at work when its process dies is found by its name, and counts', async () => {
    const { destination, dataset } = fresh()
    const append: RunOptions = { tableName: 'rows' }
    const load = (one: typeof destination) => pipeline({ name: 'dies', dataset, destination: one })
    // The first process dies before it knows whether its job was taken; what it has on disk is all that is left.
    const dying = atCommit(() => Promise.reject(new Error('gone')))
    await expect(load(dying).run([{ id: 1 }], append)).rejects.toThrow('gone')
    const [before, beside] = [process.env.SLUICE_DATA_DIR!, mkdtempSync(join(tmpdir(), 'sluice-beside-'))]
    cpSync(before, beside, { recursive: true })
    // The second one has found no trace of the load; before it sends its own job, the other one comes through.
    let doneAgain = 1
    const late = atCommit(async (commit) => {
      process.env.SLUICE_DATA_DIR = beside
      await load(destination).run([], append)
      server.queries.length = 0
      await commit()
      doneAgain = server.queries.filter((query) => query.startsWith('BEGIN')).length
    })
    await load(late).run([], append)
    expect(doneAgain).toBe(0)
    const data = load(destination).dataset()
    expect(await data.query(`select count(*) as n from ${dataset}.rows`).toArray()).toEqual([{ n: 1 }])
    expect(await data.query(`select count(*) as n from ${dataset}._dlt_loads`).toArray()).toEqual([{ n: 1 }])
  })

  it('ends exactly right wherever the connection breaks', { timeout: 900_000 }, async () => {
    await endsExactlyRight(() => bigqueryParts(login()), { cuts: 10 })
  })

  it('is checked from its settings to a row that is taken back', async () => {
    const steps = []
    for await (const step of pipeline({ name: 'doc', destination: fresh().destination }).check()) steps.push(step)
    expect(steps.filter(({ error }) => error !== undefined)).toEqual([])
    expect(steps).toHaveLength(4)
  })

  it.each(someOf(platformNames, 2, 1))('%s, unchanged but for its destination', { timeout: 240_000 }, async (name) => {
    await loadsLikeDuckdb(name, () => fresh().destination)
  })
})
