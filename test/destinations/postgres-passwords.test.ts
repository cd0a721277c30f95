import { beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import type { DestinationSession } from '../../src/destinations/index.ts'
import { effort } from '../support/effort.ts'
import { running } from '../support/running.ts'
import { randomFrom } from '../support/seed.ts'

const dataset = 'password_views'

/** Made by the owner of the database; whoever reads through them reads the catalogs of passwords. */
const prepared = [
  `CREATE SCHEMA ${dataset}`,
  `CREATE TABLE ${dataset}.t AS SELECT 1 AS id, 'a' AS name`,
  `CREATE VIEW ${dataset}.roles AS SELECT * FROM pg_authid`,
  `CREATE VIEW ${dataset}.roles_of_roles AS SELECT r.rolpassword AS word FROM ${dataset}.roles AS r`,
  `CREATE FUNCTION ${dataset}.inlined() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT rolpassword FROM pg_authid'`,
  `CREATE FUNCTION ${dataset}.dynamic() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT rolpassword FROM pg_' || 'authid'; END $$`,
]

/** Each gives a column of something that holds passwords. */
const sources = [
  'SELECT rolpassword AS x FROM pg_authid',
  'SELECT a.* FROM pg_catalog."pg_authid" AS a',
  'SELECT row_to_json(a)::text AS x FROM pg_authid AS a',
  'SELECT passwd AS x FROM pg_shadow',
  'SELECT * FROM pg_user',
  'SELECT * FROM pg_roles',
  'TABLE pg_authid',
  'SELECT umoptions AS x FROM pg_user_mapping',
  'SELECT umoptions AS x FROM pg_user_mappings',
  'SELECT option_value AS x FROM information_schema.user_mapping_options',
  'SELECT subconninfo AS x FROM pg_subscription',
  `SELECT rolpassword AS x FROM ${dataset}.roles`,
  `SELECT word AS x FROM ${dataset}.roles_of_roles`,
  `SELECT * FROM ${dataset}.inlined()`,
  `SELECT ${dataset}.dynamic() AS x`,
  "SELECT table_to_xml(('pg_' || 'authid')::regclass, true, false, '')::text AS x",
  "SELECT schema_to_xml('pg_catalog', true, false, '')::text AS x",
]
const wraps: ((sql: string) => string)[] = [
  (sql) => sql,
  (sql) => `SELECT count(*) FROM (${sql}) AS q`,
  (sql) => `WITH a AS MATERIALIZED (${sql}) SELECT * FROM a`,
  (sql) => `SELECT 1 AS one WHERE EXISTS (${sql})`,
  (sql) => `SELECT t.name FROM ${dataset}.t AS t, LATERAL (${sql} LIMIT 1) AS q`,
  (sql) => `(${sql}) UNION ALL (${sql})`,
  (sql) => `SELECT coalesce((SELECT string_agg(q::text, ',') FROM (${sql}) AS q), 'none') AS x`,
]

describe('a superuser that only reads', () => {
  let session: DestinationSession
  const rows = async (sql: string) => (await Array.fromAsync((await session.reader.query(sql)).pages)).flat()
  beforeAll(async () => {
    const url = await running('postgres')
    const { openPostgres } = await import('../../src/destinations/postgres/connection.ts')
    const { connection } = await openPostgres({ url })
    await connection.run(`DROP SCHEMA IF EXISTS ${dataset} CASCADE`)
    for (const sql of prepared) await connection.run(sql)
    await connection.close()
    session = await postgres({ url }).open({ pipeline: 'reader', dataset, readOnly: { timeoutMs: 60_000 } })
    return () => session[Symbol.asyncDispose]()
  })

  it('reads no passwords, whatever leads to them', async () => {
    const random = randomFrom()
    const wrapped = (sql: string): string => wraps[Math.floor(random() * wraps.length)]!(sql)
    const drawn = Array.from({ length: effort(60, 600) }, () => {
      const sql = wrapped(sources[Math.floor(random() * sources.length)]!)
      return random() < 0.5 ? sql : wrapped(sql)
    })
    for (const sql of [...sources, ...drawn]) {
      const found = await rows(sql).catch((error: { code: string }) => error.code)
      // A wrap that never reads its part has no row of it.
      if (found !== 'READ_ONLY') expect(found, sql).toEqual([])
    }
  })

  it('reads its tables and the catalogs of tables', async () => {
    expect(await rows(`SELECT name FROM ${dataset}.t`)).toEqual([{ name: 'a' }])
    const columns = `SELECT count(*) > 0 AS some FROM information_schema.columns WHERE table_schema = '${dataset}'`
    expect(await rows(columns)).toEqual([{ some: true }])
    expect(await rows("SELECT count(*) > 0 AS some FROM pg_catalog.pg_class WHERE relname = 'pg_authid'")).toEqual([
      { some: true },
    ])
    expect((await session.reader.tables()).get('t')?.size).toBe(2)
  })
})
