import { deflateSync, inflateSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { incremental, pipeline, resource, source } from '../../src/index.ts'

/** A dataset as dlt leaves it: its tables, its schema with all of its keys, its state with a cursor. */
async function recordedByDlt(path: string, boundaryHash: string): Promise<void> {
  const column = (name: string, data_type: string, more: object = {}) => ({
    [name]: { name, data_type, nullable: true, ...more },
  })
  const schema = {
    version: 2,
    version_hash: 'ZbVzd8cTzkv/xW0cbXAvr7HNmRuWwkRmXkVgpKoLWL8=',
    engine_version: 11,
    name: 'shop',
    tables: {
      _dlt_version: {
        name: '_dlt_version',
        columns: {},
        write_disposition: 'skip',
        resource: '_dlt_version',
        description: 'Created by DLT. Tracks schema updates',
      },
      events: {
        name: 'events',
        columns: {
          ...column('id', 'bigint', { nullable: false, primary_key: true }),
          ...column('ts', 'bigint', { incremental: true }),
          ...column('amount', 'decimal', { precision: 10, scale: 2, 'x-note': 'kept' }),
          ...column('_dlt_load_id', 'text', { nullable: false }),
          ...column('_dlt_id', 'text', { nullable: false, unique: true, row_key: true }),
        },
        write_disposition: 'append',
        resource: 'events',
        'x-normalizer': { 'seen-data': true },
        references: [{ columns: ['id'], referenced_table: 'other', referenced_columns: ['id'] }],
      },
      events__tags: {
        name: 'events__tags',
        columns: {
          ...column('value', 'text'),
          ...column('_dlt_parent_id', 'text', { nullable: false, parent_key: true }),
          ...column('_dlt_list_idx', 'bigint', { nullable: false }),
          ...column('_dlt_id', 'text', { nullable: false, unique: true, row_key: true }),
        },
        parent: 'events',
        'x-normalizer': { 'seen-data': true },
      },
    },
    settings: { detections: ['iso_timestamp'], default_hints: { not_null: ['_dlt_id'], unique: ['_dlt_id'] } },
    normalizers: {
      names: 'snake_case',
      json: { module: 'dlt.common.normalizers.json.relational' },
      use_break_path_on_normalize: true,
    },
    previous_hashes: ['a6hWz6qWHbXS8FLCMOCqvX7VCJkXdSnHz2l/B3LZuo0='],
  }
  const state = {
    _state_version: 1,
    _state_engine_version: 4,
    pipeline_name: 'shop',
    dataset_name: 'shop_data',
    default_schema_name: 'shop',
    schema_names: ['shop'],
    destination_type: 'dlt.destinations.duckdb',
    sources: {
      shop: {
        since: '\uf0272024-01-15T10:30:00Z',
        resources: {
          events: {
            incremental: {
              ts: { initial_value: null, last_value: 20, unique_hashes: [boundaryHash], start_value: null },
            },
          },
        },
      },
    },
  }
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  const text = (value: unknown): string =>
    `'${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll("'", "''")}'`
  for (const sql of [
    'CREATE SCHEMA shop_data',
    'CREATE TABLE shop_data.events (id BIGINT NOT NULL, ts BIGINT, amount DECIMAL(10,2), _dlt_load_id VARCHAR NOT NULL, _dlt_id VARCHAR NOT NULL)',
    'CREATE TABLE shop_data.events__tags ("value" VARCHAR, _dlt_parent_id VARCHAR NOT NULL, _dlt_list_idx BIGINT NOT NULL, _dlt_id VARCHAR NOT NULL)',
    'CREATE TABLE shop_data._dlt_loads (load_id VARCHAR NOT NULL, schema_name VARCHAR, status BIGINT NOT NULL, inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_version_hash VARCHAR)',
    'CREATE TABLE shop_data._dlt_version (version BIGINT NOT NULL, engine_version BIGINT NOT NULL, inserted_at TIMESTAMP WITH TIME ZONE NOT NULL, schema_name VARCHAR NOT NULL, version_hash VARCHAR NOT NULL, "schema" VARCHAR NOT NULL)',
    'CREATE TABLE shop_data._dlt_pipeline_state (version BIGINT NOT NULL, engine_version BIGINT NOT NULL, pipeline_name VARCHAR NOT NULL, state VARCHAR NOT NULL, created_at TIMESTAMP WITH TIME ZONE NOT NULL, version_hash VARCHAR, _dlt_load_id VARCHAR NOT NULL, _dlt_id VARCHAR NOT NULL)',
    `INSERT INTO shop_data.events VALUES (1, 10, 1.50, '1700000000.123', 'aaaaaaaaaaaaaa'), (2, 20, 2.50, '1700000000.123', 'bbbbbbbbbbbbbb')`,
    `INSERT INTO shop_data.events__tags VALUES ('x', 'aaaaaaaaaaaaaa', 0, 'cccccccccccccc')`,
    `INSERT INTO shop_data._dlt_loads VALUES ('1700000000.123', 'shop', 0, '2023-11-14 22:13:20+00', ${text(schema.version_hash)})`,
    `INSERT INTO shop_data._dlt_version VALUES (2, 11, '2023-11-14 22:13:20+00', 'shop', ${text(schema.version_hash)}, ${text(schema)})`,
    `INSERT INTO shop_data._dlt_pipeline_state VALUES (1, 4, 'shop', ${text(deflateSync(JSON.stringify(state)).toString('base64'))}, '2023-11-14 22:13:20+00', 'h', '1700000000.123', 'dddddddddddddd')`,
  ]) {
    await connection.run(sql)
  }
  connection.closeSync()
  instance.closeSync()
}

/** The recorded hashes of the row with the key 2, declared as `primary_key="id"` and as `primary_key=["id"]`. */
const boundaryHashes = [
  ['dlt 1.31', 'Tp44cKMYfAuJ'],
  ['dlt 1.31, key as a list', 'y/yGik6NApHV'],
  ['dlt 1.26', 'Tp44cKMYfAuJiBfxLAqu'],
  ['dlt 1.26, key as a list', 'y/yGik6NApHVti/+cWcf'],
] as const

it.each(boundaryHashes)('a dataset that %s loaded goes on loading here', async (_version, boundaryHash) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dlt-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const path = join(folder, 'shop.duckdb')
  await recordedByDlt(path, boundaryHash)
  const shop = pipeline({ name: 'shop', dataset: 'shop_data', destination: duckdb({ path }) })
  const events = resource(
    'events',
    [
      { id: 1, ts: 10, amount: 9 },
      { id: 2, ts: 20, amount: 9 },
      { id: 3, ts: 20, amount: 3.5, tags: ['y'] },
      { id: 4, ts: 30, amount: 4.25, note: 'new column' },
    ],
    { incremental: incremental('ts'), primaryKey: 'id' },
  )
  const info = await shop.run(source('shop', [events]))
  // What dlt's cursor had passed is left out, the known row at its boundary too.
  expect(info.rows).toEqual({ events: 2, events__tags: 1 })
  const rows = await shop.dataset().query('select id, ts, amount, note from shop_data.events order by id').toArray()
  expect(rows).toEqual([
    { id: 1, ts: 10, amount: '1.50', note: null },
    { id: 2, ts: 20, amount: '2.50', note: null },
    { id: 3, ts: 20, amount: '3.50', note: null },
    { id: 4, ts: 30, amount: '4.25', note: 'new column' },
  ])

  // And the way back: rows that dlt understands, with everything it had stored.
  const [version] = await shop
    .dataset()
    .query<{ version: number; engine_version: number; schema: string }>(
      'select * from shop_data._dlt_version order by version desc limit 1',
    )
    .toArray()
  expect(version).toMatchObject({ version: 3, engine_version: 11 })
  expect(JSON.parse(version!.schema)).toMatchObject({
    name: 'shop',
    previous_hashes: ['ZbVzd8cTzkv/xW0cbXAvr7HNmRuWwkRmXkVgpKoLWL8=', 'a6hWz6qWHbXS8FLCMOCqvX7VCJkXdSnHz2l/B3LZuo0='],
    settings: { default_hints: { not_null: ['_dlt_id'] } },
    normalizers: { use_break_path_on_normalize: true },
    tables: {
      _dlt_version: { description: 'Created by DLT. Tracks schema updates' },
      events: {
        references: [{ referenced_table: 'other' }],
        columns: { amount: { precision: 10, scale: 2, 'x-note': 'kept' }, note: { data_type: 'text' } },
      },
    },
  })
  const [row] = await shop
    .dataset()
    .query<{ state: string; version: number; engine_version: number }>(
      'select * from shop_data._dlt_pipeline_state order by version desc limit 1',
    )
    .toArray()
  expect(row).toMatchObject({ version: 2, engine_version: 4 })
  expect(JSON.parse(inflateSync(Buffer.from(row!.state, 'base64')).toString())).toMatchObject({
    _state_version: 2,
    _state_engine_version: 4,
    pipeline_name: 'shop',
    sources: {
      shop: {
        since: '\uf0272024-01-15T10:30:00.000Z',
        resources: { events: { incremental: { ts: { last_value: 30 } } } },
      },
    },
  })
})
