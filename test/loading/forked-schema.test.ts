import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../../src/index.ts'
import { schemaFromStored, type StoredSchema } from '../../src/schema/index.ts'

it('of a schema that two runners have written at the same moment, what both have found is kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-forked-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const path = join(folder, 'data.duckdb')
  const shop = pipeline({ name: 'shop', dataset: 'shop', destination: duckdb({ path }) })
  await shop.run([{ id: 1, a: 1 }], { tableName: 't' })
  const columnsOf = async (): Promise<string[]> => {
    await using session = await shop.openSession()
    const text = (await session.ledger.readSchema('shop'))!
    return [
      ...schemaFromStored(JSON.parse(text) as StoredSchema)
        .tables.get('t')!
        .columns.keys(),
    ]
  }
  const [before] = (await shop.schemas()).toReversed()

  // The other runner has found b, and not a.
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  const [row] = await (await connection.runAndReadAll('SELECT schema FROM shop._dlt_version')).getRowObjects()
  const forked = JSON.parse(String(row!.schema)) as StoredSchema
  const columns = forked.tables.t!.columns
  columns.b = { ...columns.a, name: 'b' }
  delete columns.a
  forked.version_hash = 'of the other'
  await connection.run(
    'INSERT INTO shop._dlt_version SELECT version, engine_version, inserted_at, schema_name, $hash, $schema FROM shop._dlt_version',
    { hash: forked.version_hash, schema: JSON.stringify(forked) },
  )
  await connection.run('ALTER TABLE shop.t ADD COLUMN b BIGINT')
  connection.closeSync()
  instance.closeSync()

  expect((await columnsOf()).filter((name) => name.length === 1).toSorted()).toEqual(['a', 'b'])
  // From there it goes on as one.
  await shop.run([{ id: 2, a: 2, b: 2, c: 2 }], { tableName: 't' })
  expect((await columnsOf()).filter((name) => name.length === 1).toSorted()).toEqual(['a', 'b', 'c'])
  expect((await shop.schemas()).at(-1)!.version).toBeGreaterThan(before!.version)
  expect(await shop.dataset().table('t').count()).toBe(2)
})
