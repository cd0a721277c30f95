import { describe, expect, it } from 'vitest'
import { bigqueryDialect } from '../../src/destinations/bigquery/dialect.ts'
import { databricksDialect } from '../../src/destinations/databricks/dialect.ts'
import { duckdbDialect } from '../../src/destinations/duckdb/dialect.ts'
import { postgresDialect } from '../../src/destinations/postgres/dialect.ts'
import { onlyQueries } from '../../src/destinations/read-only.ts'
import { redshiftDialect } from '../../src/destinations/redshift/dialect.ts'
import { snowflakeDialect } from '../../src/destinations/snowflake/dialect.ts'

const dialects = {
  duckdb: duckdbDialect,
  postgres: postgresDialect,
  redshift: redshiftDialect,
  snowflake: snowflakeDialect,
  bigquery: bigqueryDialect,
  databricks: databricksDialect,
}

/** What a connection is asked, when it is asked at all. */
async function asked(name: keyof typeof dialects, sql: string): Promise<string[]> {
  const seen: string[] = []
  const connection = { query: async (text: string) => ({ columns: [], pages: (seen.push(text), []) }) }
  await onlyQueries(connection as never, dialects[name].refusedFunctions).query(sql, [])
  return seen
}

describe('functions that do more than to look never reach the database', () => {
  it.each([
    ['postgres', "select pg_read_file('/etc/passwd')"],
    ['postgres', "select pg_catalog.pg_read_binary_file('/etc/passwd')"],
    ['postgres', "select PG_READ_FILE ('/etc/passwd')"],
    ['postgres', 'select "pg_read_file"(\'/etc/passwd\')'],
    ['postgres', "select pg_read_file/* */('/etc/passwd')"],
    ['postgres', "select pg_read_file/* /* */ */('/etc/passwd')"],
    ['postgres', "select pg_read_file --\n('/etc/passwd')"],
    ['postgres', 'select U&"pg\\005fread_file"(\'/etc/passwd\')'],
    ['postgres', "select query_to_xml('select pg_re' || 'ad_file(1)', true, true, '')"],
    ['postgres', "select * from ts_stat('select 1')"],
    ['postgres', "select set_config('role', 'postgres', false)"],
    ['postgres', 'select pg_terminate_backend(1)'],
    ['postgres', "select lo_import('/etc/passwd')"],
    ['postgres', "select * from dblink('host=evil', 'select 1') as t(a int)"],
    ['postgres', 'select pg_try_advisory_lock(1)'],
    ['redshift', "select set_config('x', 'y', false)"],
    ['snowflake', 'select system$cancel_all_queries(1)'],
    ['snowflake', 'select SYSTEM$ABORT_SESSION(1)'],
    ['bigquery', "select * from external_query('us.x', 'select 1')"],
    ['databricks', "select reflect('java.lang.System', 'getenv', 'TOKEN')"],
    ['databricks', "select java_method('java.lang.System', 'exit', 1)"],
    ['databricks', "select secret('scope', 'key')"],
    ['databricks', "select * from read_files('/tmp')"],
  ] as const)('%s: %s', async (name, sql) => {
    await expect(asked(name, sql)).rejects.toMatchObject({ code: 'READ_ONLY' })
  })

  it.each([
    ['postgres', 'select secret, reflect, pg_read_file from t'],
    ['postgres', "select count(*) from t where text like '%pg_read_file%'"],
    ['postgres', 'select lower(name), coalesce(low, high) from t'],
    ['databricks', 'select secret, max(secret) from t group by secret'],
    ['snowflake', 'select system, value from systems'],
    ['duckdb', 'select * from range(10)'],
  ] as const)('%s: %s is asked', async (name, sql) => {
    expect(await asked(name, sql)).toEqual([sql])
  })
})
