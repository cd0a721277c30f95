import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { manifestFormat } from '../../src/destinations/filesystem/manifest.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { attach, incremental, pipeline, resource, type Pipeline } from '../../src/index.ts'
import { packageFormat } from '../../src/package/package-store.ts'

/**
 * What Sluice of that day has left: three rows loaded to files, and a package of the rows 4 to 6 that was sealed when its
 * process was killed. Written by the code of that day, from `orders` below; only paths are changed.
 */
const days = readdirSync(import.meta.dirname).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name))

function left(day: string): { folder: string; target: Pipeline } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-upgrade-'))
  cpSync(join(import.meta.dirname, day), folder, { recursive: true })
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const destination = filesystem({ bucketUrl: join(folder, 'lake') })
  return { folder, target: pipeline({ name: 'shop', dataset: 'shop_data', destination }) }
}

const order = (id: number) => ({
  id,
  price: id + 0.25,
  big: 9007199254740993n + BigInt(id),
  at: `2024-01-0${id}T10:00:00Z`,
  name: `order "${id}"\nä`,
  items: [{ sku: `s${id}`, tags: ['a', 'b'] }],
})
const orders = (last: number) =>
  resource('orders', () => Array.from({ length: last }, (_, at) => order(at + 1)), {
    incremental: incremental('id'),
    writeDisposition: 'merge',
    primaryKey: 'id',
  })

describe.each(days)('of %s', (day) => {
  it('a dataset, its state and a package that waited go on', async () => {
    const { target } = left(day)
    expect(target.packages().pending()).toHaveLength(1)
    const info = await target.run(orders(6))
    // The package brings rows 4 to 6; what is read after it is nothing new.
    expect(info.rows.orders).toBe(3)
    const rows = await target.dataset().query('select * from shop_data.orders order by id').toArray()
    expect(rows.map(({ id, price, big, name }) => [Number(id), price, String(big), name])).toEqual(
      [1, 2, 3, 4, 5, 6].map((id) => [id, id + 0.25, String(9007199254740993n + BigInt(id)), `order "${id}"\nä`]),
    )
    const tags = await target
      .dataset()
      .query(
        'select sku, value from shop_data.orders__items as i join shop_data.orders__items__tags as t on t._dlt_parent_id = i._dlt_id order by 1, t._dlt_list_idx',
      )
      .toArray()
    expect(tags).toHaveLength(12)
    expect((await target.state())?.sources.shop?.resources?.orders?.incremental?.id?.last_value).toEqual(6)
    expect((await target.run(orders(6))).rows).toEqual({})
    await target.run(orders(7))
    expect(await target.dataset().table('orders').count()).toBe(7)
    expect(await target.schemas()).not.toEqual([])
  })

  it('what has been run is still told', async () => {
    const { folder } = left(day)
    const kept = readdirSync(join(folder, 'data/pipelines/shop')).includes('runs')
    const path = join(folder, 'data/pipelines/shop/target.json')
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('/home/ada/shop', folder))
    process.env.DESTINATION__FILESYSTEM__BUCKET_URL = join(folder, 'lake')
    const shop = attach('shop')
    delete process.env.DESTINATION__FILESYSTEM__BUCKET_URL
    const runs = shop.runs()
    expect(runs.map(({ status }) => status)).toEqual(kept ? ['died', 'done'] : [])
    for (const run of runs) expect([run.notices, run.settings]).toEqual([[], []])
    expect(shop.packages().loaded()).toHaveLength(1)
  })
})

it('there is something of before', () => {
  expect(days.length).toBeGreaterThan(1)
})

describe('what a newer Sluice has written is refused, and nothing of it is lost', () => {
  /** Gives a file the version right after the one that is known; returns what was in it. */
  const newer = (path: string, known: number): string => {
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(text) as object), format: known + 1 }))
    return text
  }

  it('a package', async () => {
    const { folder, target } = left(days.at(-1)!)
    const sealed = join(folder, 'data/pipelines/shop/packages/sealed')
    const path = join(sealed, readdirSync(sealed)[0]!, 'package.json')
    const before = newer(path, packageFormat)
    await expect(target.run(orders(6))).rejects.toMatchObject({
      code: 'NEWER_FORMAT',
      fix: expect.stringContaining('update'),
    })
    expect(target.failedPackages()).toEqual([])
    writeFileSync(path, before)
    expect((await target.run(orders(6))).rows.orders).toBe(3)
  })

  it('a dataset of files', async () => {
    const { folder, target } = left(days.at(-1)!)
    newer(join(folder, 'lake/shop_data/_sluice/manifest-0000000001.json'), manifestFormat)
    await expect(target.run(orders(6))).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
    await expect(target.dataset().table('orders').toArray()).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
  })

  it('a state and a schema', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-upgrade-'))
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    const path = join(folder, 'shop.duckdb')
    const target = pipeline({ name: 'shop', dataset: 'shop_data', destination: duckdb({ path }) })
    await target.run(orders(2))
    const { duckdbParts } = await import('../../src/destinations/duckdb/duckdb.ts')
    const change = async (sql: string): Promise<void> => {
      const { connection } = await duckdbParts({ path }).connect({ pipeline: 'hand', dataset: 'hand' })
      await connection.run(sql)
      await connection.close()
    }
    await change('update shop_data._dlt_pipeline_state set engine_version = 5')
    await expect(target.run(orders(3))).rejects.toMatchObject({
      code: 'NEWER_FORMAT',
      message: expect.stringContaining('state'),
    })
    await change('update shop_data._dlt_pipeline_state set engine_version = 4')
    await change(
      `update shop_data._dlt_version set schema = replace(schema, '"engine_version":11', '"engine_version":12')`,
    )
    await expect(target.run(orders(3))).rejects.toMatchObject({
      code: 'NEWER_FORMAT',
      message: expect.stringContaining('schema'),
    })
    await change(
      `update shop_data._dlt_version set schema = replace(schema, '"engine_version":12', '"engine_version":11')`,
    )
    await target.run(orders(3))
    expect(await target.dataset().table('orders').count()).toBe(3)
  })
})
