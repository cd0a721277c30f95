import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { faultsOf, leftInLake, leftInWorkingData, leftOnServer, onServer } from './faults.ts'
import { loadRound } from './loader.ts'
import { Trial } from './trial.ts'
import { World } from './world.ts'
import { running } from '../support/running.ts'

// What the crash tests find must be found: each fault is made by hand here.

const world = new World()
beforeAll(() => world.start())
afterAll(() => world[Symbol.asyncDispose]())

describe('a fault is seen', () => {
  // One load; each fault is made in a copy of it.
  let loaded: Trial
  beforeAll(async () => {
    const name = `seen_${process.pid}`
    loaded = new Trial(world, { name, scenario: 'merge', destination: 'duckdb', postgresUrl: '' })
    expect(await loaded.finish()).toEqual({ lost: 0, doubled: 0, others: [] })
  })
  afterAll(() => loaded[Symbol.asyncDispose]())

  const faults: [what: string, sql: string, counts: object][] = [
    ['a row lost', 'delete from d.rows where id = 7', { lost: 1, doubled: 0 }],
    ['a row doubled', 'insert into d.rows select * from d.rows where id = 7', { lost: 0, doubled: 1 }],
    ['a row that was changed', "update d.rows set text = 'x' where id = 7", { lost: 1, doubled: 1 }],
    ['a child lost', "delete from d.rows__items where sku like '7-%'", { lost: 1, doubled: 1 }],
    [
      'a child without a parent',
      "update d.rows__items set _dlt_parent_id = 'nobody' where sku like '7-%'",
      { lost: 1 },
    ],
    ['a load twice in the ledger', 'insert into d._dlt_loads select * from d._dlt_loads limit 1', { lost: 0 }],
    ['a load that is not in the ledger', 'delete from d._dlt_loads', { lost: 0 }],
    ['a state twice', 'insert into d._dlt_pipeline_state select * from d._dlt_pipeline_state limit 1', { lost: 0 }],
  ]
  it.each(faults)('%s', async (_what, sql, counts) => {
    const load = { ...loaded.load, place: join(mkdtempSync(join(tmpdir(), 'sluice-seen-')), 'crash.duckdb') }
    copyFileSync(loaded.load.place, load.place)
    const { connection } = await duckdbParts({ path: load.place }).connect({ pipeline: 'hand', dataset: 'd' })
    await connection.run(sql.replaceAll('d.', `${load.dataset}.`))
    await connection.close()
    const found = await faultsOf(load)
    expect(found).toMatchObject(counts)
    expect(found.lost + found.doubled + found.others.length).toBeGreaterThan(0)
  })

  it('files, tables and packages left behind', async () => {
    await using files = new Trial(world, {
      name: `left_${process.pid}`,
      scenario: 'replace',
      destination: 'filesystem',
      postgresUrl: '',
    })
    const lake = files.load.place
    process.env.SLUICE_DATA_DIR = join(lake, '..', 'data')
    await loadRound(files.load)
    expect(leftInLake(lake, files.load.dataset)).toEqual([])
    writeFileSync(join(lake, files.load.dataset, 'rows', 'orphan.parquet'), '')
    mkdirSync(join(lake, '.drafts'), { recursive: true })
    appendFileSync(join(lake, '.drafts', 'x.1.1'), '')
    expect(leftInLake(lake, files.load.dataset)).toEqual(['rows/orphan.parquet', 'x.1.1'])
    const folder = join(lake, '..', 'data', 'pipelines', 'crash')
    expect(leftInWorkingData(join(lake, '..', 'data'))).toEqual([])
    mkdirSync(join(folder, 'packages', 'sealed', '1.2'))
    writeFileSync(join(folder, 'lock'), '')
    expect(leftInWorkingData(join(lake, '..', 'data'))).toEqual(['packages/sealed/1.2', 'lock'])

    const dataset = `left_${process.pid}`
    await onServer(await running('postgres'), async (client) => {
      await client.query(`create schema ${dataset}; create table ${dataset}.rows (); create table ${dataset}.stage ()`)
    })
    expect(await leftOnServer(await running('postgres'), dataset)).toEqual(['stage'])
  })
})
