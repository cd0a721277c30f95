/** @module-tag engine */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { databricks, databricksParts, type DatabricksOptions } from '../../src/destinations/databricks/databricks.ts'
import { databricksDialect } from '../../src/destinations/databricks/dialect.ts'
import { localStore } from '../../src/destinations/stores/local-store.ts'
import { pipeline, type Destination } from '../../src/index.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { casesWithGaps } from '../../src/testing/index.ts'
import { breaking } from '../support/cut-connections.ts'
import { oneIn, someOf } from '../support/effort.ts'
import { readBack, untrusted } from '../support/untrusted-strings.ts'
import { loadsLikeDuckdb } from '../support/platform-loads.ts'
import { databricksGaps, startDatabricks, type DatabricksServer } from './databricks-server.ts'

let server: DatabricksServer
beforeAll(async () => {
  server = await startDatabricks()
}, 600_000)
afterAll(() => server?.stop())

let used = 0
const emptyFolders = (): string => {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-databricks-'))
  used += 1
  return `db_${used}`
}
const fresh = (options: Partial<DatabricksOptions> = {}) => {
  const dataset = emptyFolders()
  return { destination: databricks({ ...server.options, ...options }), dataset }
}
const rows = [
  { id: 1, l: [{ x: 1 }, { x: 2 }] },
  { id: 2, l: [{ x: 3 }] },
]

// Spark takes about a second a statement.
describe('databricks, on Spark with Delta', { timeout: 300_000 }, () => {
  it.each(oneIn(3, casesWithGaps(databricksGaps)).map((one) => [one.title, one] as const))(
    '%s',
    async (_title, { run }) => {
      await run(fresh())
    },
  )

  it('a string in a statement is read as it was', async () => {
    expect(await readBack(fresh(), databricksDialect)).toEqual(untrusted)
  })

  it('each table changes by one statement, and nothing is left but the data', async () => {
    const { destination, dataset } = fresh()
    const loading = pipeline({ name: 'one', dataset, destination })
    const options = { tableName: 'rows', writeDisposition: 'merge', primaryKey: 'id' } as const
    await loading.run(rows, options)
    server.statements.length = 0
    await loading.run(rows, options)
    const changes = server.statements.filter((sql) => /^(INSERT|MERGE|DELETE|UPDATE)/.test(sql))
    const changed = changes.map((sql) => /`\.`(\w+)`/.exec(sql)![1])
    expect(changed.filter((table) => table!.startsWith('rows'))).toEqual(['rows__l', 'rows'])
    const tables = await loading.dataset().query(`show tables in ${dataset}`).toArray()
    expect(tables.map((row) => row.tableName).sort()).toEqual([
      '_dlt_loads',
      '_dlt_pipeline_state',
      '_dlt_version',
      '_sluice_undo',
      'rows',
      'rows__l',
    ])
    expect(await loading.dataset().query(`select * from ${dataset}._sluice_undo`).toArray()).toEqual([])
  })

  it('rows go through an external location', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-location-'))
    const bucketUrl = Object.assign(Object.create(localStore(folder)), { location: pathToFileURL(folder).href })
    const { destination, dataset } = fresh({ staging: { bucketUrl } })
    const loading = pipeline({ name: 'location', dataset, destination })
    await loading.run(rows, { tableName: 'rows' })
    expect(await loading.dataset().query(`select count(*) as n from ${dataset}.rows__l`).toArray()).toEqual([{ n: 3 }])
    expect(await localStore(folder).list('')).toEqual([])
  })

  const dying = (at: number) => breaking(databricksParts(server.options), at, 'died')

  /** The last statement before the ledger says that the rows are in: what a process that dies here did is taken back. */
  const beforeLedger = ({ sent }: { sent: readonly string[] }): number =>
    sent.findLastIndex((sql) => /^INSERT INTO .*_dlt_loads/.test(sql))

  it(
    'a process may die after any change of a load: the next one ends exactly right',
    { timeout: 900_000 },
    async () => {
      const load = (destination: Destination, dataset: string) =>
        pipeline({ name: 'dies', dataset, destination }).run(rows, { tableName: 't' })
      let undone = 0
      // From the first claim to the last row of the ledger; before it nothing that counts is touched.
      const whole = dying(Number.POSITIVE_INFINITY)
      await load(whole.destination, emptyFolders())
      const last = Array.from({ length: 10 }, (_, at) => whole.count() - at)
      for (const at of new Set([beforeLedger(whole), ...someOf(last, 1)])) {
        const dataset = emptyFolders()
        const died = await load(dying(at).destination, dataset).then(
          () => false,
          () => true,
        )
        server.statements.length = 0
        const data = pipeline({ name: 'dies', dataset, destination: databricks(server.options) })
        if (died) await data.run([], { tableName: 't' })
        undone += server.statements.filter((sql) => sql.startsWith('RESTORE')).length
        const read = (sql: string) => data.dataset().query(sql).toArray()
        expect(await read(`select id from ${dataset}.t order by id`), `statement ${at}`).toEqual([{ id: 1 }, { id: 2 }])
        expect(await read(`select x from ${dataset}.t__l order by x`), `statement ${at}`).toHaveLength(3)
        expect(await read(`select count(*) as n from ${dataset}._dlt_loads`), `statement ${at}`).toEqual([{ n: 1 }])
      }
      expect(undone).toBeGreaterThan(0)
    },
  )

  /** Three loads, and a fourth whose process has died when its rows were in, and nothing yet said so. */
  async function halfLoaded() {
    const { destination, dataset } = fresh()
    const first = (into: Destination) => pipeline({ name: 'first', dataset, destination: into })
    const load = (id: number, into = destination) => first(into).run([{ id }], { tableName: 't' })
    for (const id of [1, 2]) await load(id)
    const whole = dying(Number.POSITIVE_INFINITY)
    await load(3, whole.destination)
    await expect(load(4, dying(beforeLedger(whole)).destination)).rejects.toThrow()
    expect(await first(destination).dataset().table('t').count()).toBe(4)
    return { destination, dataset, load }
  }

  it('a load waits for tables that another one is changing, and takes them back when that is dead', async () => {
    const { destination, dataset } = await halfLoaded()
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-other-'))
    const other = pipeline({ name: 'other', dataset, destination })
    const busy = other.run([{ id: 5 }], { tableName: 't' })
    await expect(busy).rejects.toMatchObject({
      recovery: 'retry',
      message: expect.stringContaining('is being changed by load'),
    })
    vi.useFakeTimers({ now: Date.now() + 2 * 60 * 60_000, toFake: ['Date'] })
    try {
      await other.run([], { tableName: 't' })
    } finally {
      vi.useRealTimers()
    }
    expect(await other.dataset().query(`select id from ${dataset}.t order by id`).toArray()).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
      { id: 5 },
    ])
  })

  it('a statement of a dead process that is still at work does not come through after its load was taken back', async () => {
    const { destination, dataset, load } = await halfLoaded()
    const { connection } = await databricksParts(server.options).connect({ pipeline: 'first', dataset })
    const columns = "99, '0', 'x', CAST(reflect('java.lang.Thread', 'sleep', CAST(15000 AS bigint)) AS string)"
    const late = connection
      .run(
        `INSERT INTO ${dataset}.t (id, _dlt_load_id, _dlt_id) SELECT a, b, c FROM (SELECT ${columns} AS s) AS v(a, b, c, s) WHERE s IS NULL OR s = 'null'`,
      )
      .then(
        () => 'came through',
        (error: Error) => error.message,
      )
    await sleep(1000)
    await load(5)
    expect(await late).toMatch(/METADATA_CHANGED|MetadataChanged/)
    await connection.close()
    const data = pipeline({ name: 'first', dataset, destination }).dataset()
    const found = await data.query(`select id from ${dataset}.t order by id`).toArray()
    expect(found).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }, { id: 5 }])
  })

  it('is checked from its settings to a row that is taken back', async () => {
    const steps = []
    for await (const step of pipeline({ name: 'doc', destination: fresh().destination }).check()) steps.push(step)
    expect(steps.filter(({ error }) => error !== undefined)).toEqual([])
    expect(steps).toHaveLength(4)
  })

  it.each(someOf(platformNames, 1, 2))('%s, unchanged but for its destination', { timeout: 600_000 }, async (name) => {
    await loadsLikeDuckdb(name, () => fresh().destination, { loads: 1 })
  })
})
