import { expect, it } from 'vitest'
import type { MergePlan, SqlConnection, SqlDialect } from '../../src/destinations/destination.ts'
import { bigqueryDialect } from '../../src/destinations/bigquery/dialect.ts'
import { databricksDialect } from '../../src/destinations/databricks/dialect.ts'
import { duckdbDialect } from '../../src/destinations/duckdb/dialect.ts'
import { postgresDialect } from '../../src/destinations/postgres/dialect.ts'
import { redshiftDialect } from '../../src/destinations/redshift/dialect.ts'
import { snowflakeDialect } from '../../src/destinations/snowflake/dialect.ts'
import { sqlCatalog } from '../../src/destinations/sql/catalog.ts'
import { sqlPublisher } from '../../src/destinations/sql/publisher.ts'
import { sqlNames } from '../../src/destinations/sql/statements.ts'
import type { Column, Table } from '../../src/schema/index.ts'

// What every database is told, side by side: a difference that is not meant shows here first.

const dialects: Record<string, SqlDialect> = {
  duckdb: duckdbDialect,
  postgres: postgresDialect,
  redshift: redshiftDialect,
  snowflake: snowflakeDialect,
  bigquery: bigqueryDialect,
  databricks: databricksDialect,
}

const column = (name: string, dataType: Column['dataType'], more: Partial<Column> = {}): [string, Column] => [
  name,
  { name, dataType, ...more } as Column,
]
const table: Table = {
  name: 'events',
  seenData: true,
  columns: new Map([
    column('id', 'bigint', { nullable: false, primaryKey: true, cluster: true }),
    column('at', 'timestamp', { sort: true }),
    column('price', 'decimal', { precision: 10, scale: 2 }),
    column('data', 'json'),
    column('raw', 'binary'),
    column('_dlt_id', 'text', { nullable: false, rowKey: true }),
  ]),
}

const planOf = (root: Table, dialect: SqlDialect, more: Partial<MergePlan>): MergePlan => ({
  root: { table: root, staging: dialect.quote('staged') },
  nested: [],
  primaryKey: [],
  mergeKey: [],
  hardDelete: undefined,
  dedupSort: undefined,
  deduplicated: false,
  scd2: undefined,
  ...more,
})

/** The statements that some work sends, by database. */
async function statements(
  work: (parts: { connection: SqlConnection; dialect: SqlDialect }) => Promise<unknown>,
): Promise<string> {
  const texts = []
  for (const [name, dialect] of Object.entries(dialects)) {
    const sent: string[] = []
    const connection: SqlConnection = {
      run: async (sql) => void sent.push(sql),
      rows: async () => [],
      query: async () => ({ columns: [], pages: (async function* () {})() }),
      close: async () => undefined,
    }
    await work({ connection, dialect })
    texts.push(`${name}\n${sent.map((sql) => `  ${sql}`).join('\n')}`)
  }
  return `\n${texts.join('\n')}\n`
}

it('a table is made', async () => {
  const made = await statements(({ connection, dialect }) =>
    sqlCatalog(connection, sqlNames(dialect, 'shop'), 'shop').createTable(table),
  )
  expect(made).toMatchInlineSnapshot(`
    "
    duckdb
      CREATE TABLE "shop"."events" ("id" BIGINT NOT NULL, "at" TIMESTAMP WITH TIME ZONE, "price" DECIMAL(10,2), "data" JSON, "raw" BLOB, "_dlt_id" VARCHAR NOT NULL)
    postgres
      CREATE TABLE "shop"."events" ("id" bigint NOT NULL, "at" timestamp with time zone, "price" numeric(10,2), "data" jsonb, "raw" bytea, "_dlt_id" character varying NOT NULL)
    redshift
      CREATE TABLE "shop"."events" ("id" bigint NOT NULL DISTKEY, "at" timestamp with time zone SORTKEY, "price" numeric(10,2), "data" super, "raw" binary varying(1024000), "_dlt_id" character varying(65535) NOT NULL)
    snowflake
      CREATE TABLE "SHOP"."EVENTS" ("ID" NUMBER(19,0) NOT NULL, "AT" TIMESTAMP_TZ, "PRICE" NUMBER(10,2), "DATA" VARIANT, "RAW" BINARY, "_DLT_ID" VARCHAR NOT NULL)
    bigquery
      CREATE TABLE \`shop\`.\`events\` (\`id\` INT64 NOT NULL, \`at\` TIMESTAMP, \`price\` NUMERIC(10, 2), \`data\` JSON, \`raw\` BYTES, \`_dlt_id\` STRING NOT NULL) CLUSTER BY \`id\`
    databricks
      CREATE TABLE \`shop\`.\`events\` (\`id\` bigint NOT NULL, \`at\` timestamp, \`price\` decimal(10,2), \`data\` string, \`raw\` binary, \`_dlt_id\` string NOT NULL) USING DELTA CLUSTER BY (\`id\`)
    "
  `)
})

it('a text stays inside of its literal', () => {
  const text = "O'Hare \\' or 1 = 1 --"
  const literals = Object.fromEntries(Object.entries(dialects).map(([name, { literal }]) => [name, literal(text)]))
  // With a backslash as escape, and without.
  const [standard, escaped] = [`'O''Hare \\'' or 1 = 1 --'`, `'O\\'Hare \\\\\\' or 1 = 1 --'`]
  const doubled = `'O''Hare \\\\'' or 1 = 1 --'`
  expect(literals).toEqual({
    duckdb: standard,
    postgres: standard,
    redshift: doubled,
    snowflake: doubled,
    bigquery: escaped,
    databricks: escaped,
  })
})

it('a name stays inside of its quotes', () => {
  const quoted = Object.fromEntries(Object.entries(dialects).map(([name, { quote }]) => [name, quote('a" `b\\')]))
  const standard = '"a"" `b\\"'
  expect(quoted).toEqual({
    duckdb: standard,
    postgres: standard,
    redshift: standard,
    snowflake: '"A"" `B\\"',
    bigquery: '`a" \\`b\\\\`',
    databricks: '`a" ``b\\`',
  })
})

it('a column is widened', async () => {
  const widened = await statements(({ connection, dialect }) =>
    sqlCatalog(connection, sqlNames(dialect, 'shop'), 'shop').changeType(table, { name: 'price', dataType: 'double' }),
  )
  expect(widened).toMatchInlineSnapshot(`
    "
    duckdb
      ALTER TABLE "shop"."events" ALTER COLUMN "price" TYPE DOUBLE
    postgres
      ALTER TABLE "shop"."events" ALTER COLUMN "price" TYPE double precision
    redshift
      ALTER TABLE "shop"."events" ADD COLUMN "price_sluice_wider" double precision
      UPDATE "shop"."events" SET "price_sluice_wider" = CAST("price" AS double precision)
      ALTER TABLE "shop"."events" DROP COLUMN "price"
      ALTER TABLE "shop"."events" RENAME COLUMN "price_sluice_wider" TO "price"
    snowflake
      CREATE OR REPLACE TABLE "SHOP"."EVENTS" COPY GRANTS AS SELECT * REPLACE (CAST("PRICE" AS FLOAT) AS "PRICE") FROM "SHOP"."EVENTS"
    bigquery
      ALTER TABLE \`shop\`.\`events\` ALTER COLUMN \`price\` SET DATA TYPE FLOAT64
    databricks
      CREATE OR REPLACE TABLE \`shop\`.\`events\` USING DELTA CLUSTER BY (\`id\`) AS SELECT * EXCEPT (\`price\`), CAST(\`price\` AS double) AS \`price\` FROM \`shop\`.\`events\`
    "
  `)
})

it('rows are merged by their key', async () => {
  const merged = await statements(({ connection, dialect }) => {
    const plan = planOf(table, dialect, { primaryKey: ['id'], mergeKey: ['at'] })
    return sqlPublisher(connection, sqlNames(dialect, 'shop')).merge('delete-insert', plan)
  })
  expect(merged).toMatchInlineSnapshot(`
    "
    duckdb
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY rowid DESC) AS _sluice_rank FROM "staged") AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows
    postgres
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY ctid DESC) AS _sluice_rank FROM "staged") AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows
    redshift
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_sluice_row" DESC) AS _sluice_rank FROM "staged") AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows
    snowflake
      DELETE FROM "SHOP"."EVENTS" WHERE EXISTS (SELECT 1 FROM "STAGED" AS _sluice_s WHERE _sluice_s."ID" = "SHOP"."EVENTS"."ID")
      DELETE FROM "SHOP"."EVENTS" WHERE EXISTS (SELECT 1 FROM "STAGED" AS _sluice_s WHERE _sluice_s."AT" = "SHOP"."EVENTS"."AT")
      INSERT INTO "SHOP"."EVENTS" ("ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID") SELECT "ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "_SLUICE_ROW" DESC) AS _sluice_rank FROM "STAGED") AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows
    bigquery
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING (SELECT TRUE AS _sluice_gone, _sluice_key_0, CAST(NULL AS INT64) AS \`id\`, CAST(NULL AS TIMESTAMP) AS \`at\`, CAST(NULL AS NUMERIC(10, 2)) AS \`price\`, CAST(NULL AS STRING) AS \`data\`, CAST(NULL AS BYTES) AS \`raw\`, CAST(NULL AS STRING) AS \`_dlt_id\` FROM (SELECT DISTINCT \`_dlt_id\` AS _sluice_key_0 FROM (SELECT _sluice_t.\`_dlt_id\` FROM \`shop\`.\`events\` AS _sluice_t WHERE EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`id\` = _sluice_t.\`id\`) UNION ALL SELECT _sluice_t.\`_dlt_id\` FROM \`shop\`.\`events\` AS _sluice_t WHERE EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`at\` = _sluice_t.\`at\`)) AS _sluice_rows) AS _sluice_rows UNION ALL SELECT FALSE AS _sluice_gone, CAST(NULL AS STRING) AS _sluice_key_0, \`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\` FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY \`id\` ORDER BY \`_sluice_row\` DESC) AS _sluice_rank FROM \`staged\`) AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows) AS _sluice_s ON _sluice_s._sluice_key_0 = _sluice_t.\`_dlt_id\` WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND NOT _sluice_s._sluice_gone THEN INSERT (\`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\`) VALUES (_sluice_s.\`id\`, _sluice_s.\`at\`, _sluice_s.\`price\`, PARSE_JSON(_sluice_s.\`data\`), _sluice_s.\`raw\`, _sluice_s.\`_dlt_id\`)
    databricks
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING (SELECT TRUE AS _sluice_gone, _sluice_key_0, CAST(NULL AS bigint) AS \`id\`, CAST(NULL AS timestamp) AS \`at\`, CAST(NULL AS decimal(10,2)) AS \`price\`, CAST(NULL AS string) AS \`data\`, CAST(NULL AS binary) AS \`raw\`, CAST(NULL AS string) AS \`_dlt_id\` FROM (SELECT DISTINCT \`_dlt_id\` AS _sluice_key_0 FROM (SELECT _sluice_t.\`_dlt_id\` FROM \`shop\`.\`events\` AS _sluice_t WHERE EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`id\` = _sluice_t.\`id\`) UNION ALL SELECT _sluice_t.\`_dlt_id\` FROM \`shop\`.\`events\` AS _sluice_t WHERE EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`at\` = _sluice_t.\`at\`)) AS _sluice_rows) AS _sluice_rows UNION ALL SELECT FALSE AS _sluice_gone, CAST(NULL AS string) AS _sluice_key_0, \`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\` FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY \`id\` ORDER BY \`_sluice_row\` DESC) AS _sluice_rank FROM \`staged\`) AS _sluice_rows WHERE _sluice_rank = 1 AND NOT (FALSE)) AS _sluice_rows) AS _sluice_s ON _sluice_s._sluice_key_0 = _sluice_t.\`_dlt_id\` WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND NOT _sluice_s._sluice_gone THEN INSERT (\`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\`) VALUES (_sluice_s.\`id\`, _sluice_s.\`at\`, _sluice_s.\`price\`, _sluice_s.\`data\`, _sluice_s.\`raw\`, _sluice_s.\`_dlt_id\`)
    "
  `)
})

it('rows are merged by upsert, with deletion', async () => {
  const merged = await statements(({ connection, dialect }) => {
    const asks: Table = { ...table, columns: new Map([...table.columns, column('gone', 'bool')]) }
    const plan = planOf(asks, dialect, { primaryKey: ['id'], hardDelete: 'gone' })
    return sqlPublisher(connection, sqlNames(dialect, 'shop')).merge('upsert', plan)
  })
  expect(merged).toMatchInlineSnapshot(`
    "
    duckdb
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM (SELECT * FROM "staged" WHERE COALESCE("gone", FALSE)) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      UPDATE "shop"."events" SET "id" = _sluice_s."id", "at" = _sluice_s."at", "price" = _sluice_s."price", "data" = _sluice_s."data", "raw" = _sluice_s."raw", "_dlt_id" = _sluice_s."_dlt_id", "gone" = _sluice_s."gone" FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id"
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id", "gone") SELECT "id", "at", "price", "data", "raw", "_dlt_id", "gone" FROM (SELECT * FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."id" = _sluice_t."id")) AS _sluice_rows
    postgres
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM (SELECT * FROM "staged" WHERE COALESCE("gone", FALSE)) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      UPDATE "shop"."events" SET "id" = _sluice_s."id", "at" = _sluice_s."at", "price" = _sluice_s."price", "data" = _sluice_s."data", "raw" = _sluice_s."raw", "_dlt_id" = _sluice_s."_dlt_id", "gone" = _sluice_s."gone" FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id"
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id", "gone") SELECT "id", "at", "price", "data", "raw", "_dlt_id", "gone" FROM (SELECT * FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."id" = _sluice_t."id")) AS _sluice_rows
    redshift
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM (SELECT * FROM "staged" WHERE COALESCE("gone", FALSE)) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id")
      UPDATE "shop"."events" SET "id" = _sluice_s."id", "at" = _sluice_s."at", "price" = _sluice_s."price", "data" = _sluice_s."data", "raw" = _sluice_s."raw", "_dlt_id" = _sluice_s."_dlt_id", "gone" = _sluice_s."gone" FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE _sluice_s."id" = "shop"."events"."id"
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id", "gone") SELECT "id", "at", "price", "data", "raw", "_dlt_id", "gone" FROM (SELECT * FROM (SELECT * FROM "staged" WHERE NOT (COALESCE("gone", FALSE))) AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."id" = _sluice_t."id")) AS _sluice_rows
    snowflake
      DELETE FROM "SHOP"."EVENTS" WHERE EXISTS (SELECT 1 FROM (SELECT * FROM "STAGED" WHERE COALESCE("GONE", FALSE)) AS _sluice_s WHERE _sluice_s."ID" = "SHOP"."EVENTS"."ID")
      UPDATE "SHOP"."EVENTS" SET "ID" = _sluice_s."ID", "AT" = _sluice_s."AT", "PRICE" = _sluice_s."PRICE", "DATA" = _sluice_s."DATA", "RAW" = _sluice_s."RAW", "_DLT_ID" = _sluice_s."_DLT_ID", "GONE" = _sluice_s."GONE" FROM (SELECT * FROM "STAGED" WHERE NOT (COALESCE("GONE", FALSE))) AS _sluice_s WHERE _sluice_s."ID" = "SHOP"."EVENTS"."ID"
      INSERT INTO "SHOP"."EVENTS" ("ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID", "GONE") SELECT "ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID", "GONE" FROM (SELECT * FROM (SELECT * FROM "STAGED" WHERE NOT (COALESCE("GONE", FALSE))) AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "SHOP"."EVENTS" AS _sluice_t WHERE _sluice_s."ID" = _sluice_t."ID")) AS _sluice_rows
    bigquery
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING \`staged\` AS _sluice_s ON _sluice_s.\`id\` = _sluice_t.\`id\` WHEN MATCHED AND COALESCE(_sluice_s.\`gone\`, FALSE) THEN DELETE WHEN MATCHED THEN UPDATE SET \`id\` = _sluice_s.\`id\`, \`at\` = _sluice_s.\`at\`, \`price\` = _sluice_s.\`price\`, \`data\` = PARSE_JSON(_sluice_s.\`data\`), \`raw\` = _sluice_s.\`raw\`, \`_dlt_id\` = _sluice_s.\`_dlt_id\`, \`gone\` = _sluice_s.\`gone\` WHEN NOT MATCHED AND NOT (COALESCE(_sluice_s.\`gone\`, FALSE)) THEN INSERT (\`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\`, \`gone\`) VALUES (_sluice_s.\`id\`, _sluice_s.\`at\`, _sluice_s.\`price\`, PARSE_JSON(_sluice_s.\`data\`), _sluice_s.\`raw\`, _sluice_s.\`_dlt_id\`, _sluice_s.\`gone\`)
    databricks
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING \`staged\` AS _sluice_s ON _sluice_s.\`id\` = _sluice_t.\`id\` WHEN MATCHED AND COALESCE(_sluice_s.\`gone\`, FALSE) THEN DELETE WHEN MATCHED THEN UPDATE SET \`id\` = _sluice_s.\`id\`, \`at\` = _sluice_s.\`at\`, \`price\` = _sluice_s.\`price\`, \`data\` = _sluice_s.\`data\`, \`raw\` = _sluice_s.\`raw\`, \`_dlt_id\` = _sluice_s.\`_dlt_id\`, \`gone\` = _sluice_s.\`gone\` WHEN NOT MATCHED AND NOT (COALESCE(_sluice_s.\`gone\`, FALSE)) THEN INSERT (\`id\`, \`at\`, \`price\`, \`data\`, \`raw\`, \`_dlt_id\`, \`gone\`) VALUES (_sluice_s.\`id\`, _sluice_s.\`at\`, _sluice_s.\`price\`, _sluice_s.\`data\`, _sluice_s.\`raw\`, _sluice_s.\`_dlt_id\`, _sluice_s.\`gone\`)
    "
  `)
})

it('versions end and begin', async () => {
  const merged = await statements(({ connection, dialect }) => {
    const kept: Table = {
      ...table,
      columns: new Map([
        column('id', 'bigint'),
        column('_dlt_id', 'text'),
        column('f', 'timestamp'),
        column('t', 'timestamp'),
      ]),
    }
    const plan = planOf(kept, dialect, {
      scd2: { boundary: '2026-01-01T00:00:00Z', active: null, from: 'f', to: 't', version: ['_dlt_id'] },
    })
    return sqlPublisher(connection, sqlNames(dialect, 'shop')).merge('scd2', plan)
  })
  expect(merged).toMatchInlineSnapshot(`
    "
    duckdb
      UPDATE "shop"."events" SET "t" = TIMESTAMPTZ '2026-01-01T00:00:00Z' WHERE "t" IS NULL AND NOT EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."_dlt_id" = "shop"."events"."_dlt_id")
      INSERT INTO "shop"."events" ("f", "t", "id", "_dlt_id") SELECT TIMESTAMPTZ '2026-01-01T00:00:00Z', CAST(NULL AS TIMESTAMP WITH TIME ZONE), "id", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "_dlt_id" ORDER BY rowid DESC) AS _sluice_rank FROM "staged" AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."_dlt_id" = _sluice_t."_dlt_id" AND _sluice_t."t" IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows
    postgres
      UPDATE "shop"."events" SET "t" = TIMESTAMPTZ '2026-01-01T00:00:00Z' WHERE "t" IS NULL AND NOT EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."_dlt_id" = "shop"."events"."_dlt_id")
      INSERT INTO "shop"."events" ("f", "t", "id", "_dlt_id") SELECT TIMESTAMPTZ '2026-01-01T00:00:00Z', CAST(NULL AS timestamp with time zone), "id", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "_dlt_id" ORDER BY ctid DESC) AS _sluice_rank FROM "staged" AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."_dlt_id" = _sluice_t."_dlt_id" AND _sluice_t."t" IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows
    redshift
      UPDATE "shop"."events" SET "t" = TIMESTAMPTZ '2026-01-01T00:00:00Z' WHERE "t" IS NULL AND NOT EXISTS (SELECT 1 FROM "staged" AS _sluice_s WHERE _sluice_s."_dlt_id" = "shop"."events"."_dlt_id")
      INSERT INTO "shop"."events" ("f", "t", "id", "_dlt_id") SELECT TIMESTAMPTZ '2026-01-01T00:00:00Z', CAST(NULL AS timestamp with time zone), "id", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "_dlt_id" ORDER BY "_sluice_row" DESC) AS _sluice_rank FROM "staged" AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "shop"."events" AS _sluice_t WHERE _sluice_s."_dlt_id" = _sluice_t."_dlt_id" AND _sluice_t."t" IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows
    snowflake
      UPDATE "SHOP"."EVENTS" SET "T" = CAST('2026-01-01T00:00:00Z' AS TIMESTAMP_TZ) WHERE "T" IS NULL AND NOT EXISTS (SELECT 1 FROM "STAGED" AS _sluice_s WHERE _sluice_s."_DLT_ID" = "SHOP"."EVENTS"."_DLT_ID")
      INSERT INTO "SHOP"."EVENTS" ("F", "T", "ID", "_DLT_ID") SELECT CAST('2026-01-01T00:00:00Z' AS TIMESTAMP_TZ), CAST(NULL AS TIMESTAMP_TZ), "ID", "_DLT_ID" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "_DLT_ID" ORDER BY "_SLUICE_ROW" DESC) AS _sluice_rank FROM "STAGED" AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM "SHOP"."EVENTS" AS _sluice_t WHERE _sluice_s."_DLT_ID" = _sluice_t."_DLT_ID" AND _sluice_t."T" IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows
    bigquery
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING (SELECT TRUE AS _sluice_gone, _sluice_key_0, CAST(NULL AS INT64) AS \`id\`, CAST(NULL AS STRING) AS \`_dlt_id\`, CAST(NULL AS TIMESTAMP) AS \`f\`, CAST(NULL AS TIMESTAMP) AS \`t\` FROM (SELECT DISTINCT \`_dlt_id\` AS _sluice_key_0 FROM (SELECT * FROM \`shop\`.\`events\` AS _sluice_t WHERE \`t\` IS NULL AND NOT EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`_dlt_id\` = _sluice_t.\`_dlt_id\`)) AS _sluice_rows) AS _sluice_rows UNION ALL SELECT FALSE AS _sluice_gone, CAST(NULL AS STRING) AS _sluice_key_0, \`id\`, \`_dlt_id\`, \`f\`, \`t\` FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY \`_dlt_id\` ORDER BY \`_sluice_row\` DESC) AS _sluice_rank FROM \`staged\` AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM \`shop\`.\`events\` AS _sluice_t WHERE _sluice_s.\`_dlt_id\` = _sluice_t.\`_dlt_id\` AND _sluice_t.\`t\` IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows) AS _sluice_s ON _sluice_s._sluice_key_0 = _sluice_t.\`_dlt_id\` AND _sluice_t.\`t\` IS NULL WHEN MATCHED THEN UPDATE SET \`t\` = TIMESTAMP '2026-01-01T00:00:00Z' WHEN NOT MATCHED AND NOT _sluice_s._sluice_gone THEN INSERT (\`f\`, \`t\`, \`id\`, \`_dlt_id\`) VALUES (TIMESTAMP '2026-01-01T00:00:00Z', CAST(NULL AS TIMESTAMP), _sluice_s.\`id\`, _sluice_s.\`_dlt_id\`)
    databricks
      MERGE INTO \`shop\`.\`events\` AS _sluice_t USING (SELECT TRUE AS _sluice_gone, _sluice_key_0, CAST(NULL AS bigint) AS \`id\`, CAST(NULL AS string) AS \`_dlt_id\`, CAST(NULL AS timestamp) AS \`f\`, CAST(NULL AS timestamp) AS \`t\` FROM (SELECT DISTINCT \`_dlt_id\` AS _sluice_key_0 FROM (SELECT * FROM \`shop\`.\`events\` AS _sluice_t WHERE \`t\` IS NULL AND NOT EXISTS (SELECT 1 FROM \`staged\` AS _sluice_s WHERE _sluice_s.\`_dlt_id\` = _sluice_t.\`_dlt_id\`)) AS _sluice_rows) AS _sluice_rows UNION ALL SELECT FALSE AS _sluice_gone, CAST(NULL AS string) AS _sluice_key_0, \`id\`, \`_dlt_id\`, \`f\`, \`t\` FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY \`_dlt_id\` ORDER BY \`_sluice_row\` DESC) AS _sluice_rank FROM \`staged\` AS _sluice_s WHERE NOT EXISTS (SELECT 1 FROM \`shop\`.\`events\` AS _sluice_t WHERE _sluice_s.\`_dlt_id\` = _sluice_t.\`_dlt_id\` AND _sluice_t.\`t\` IS NULL)) AS _sluice_rows WHERE _sluice_rank = 1 AND TRUE) AS _sluice_rows) AS _sluice_s ON _sluice_s._sluice_key_0 = _sluice_t.\`_dlt_id\` AND _sluice_t.\`t\` IS NULL WHEN MATCHED THEN UPDATE SET \`t\` = TIMESTAMP '2026-01-01T00:00:00Z' WHEN NOT MATCHED AND NOT _sluice_s._sluice_gone THEN INSERT (\`f\`, \`t\`, \`id\`, \`_dlt_id\`) VALUES (TIMESTAMP '2026-01-01T00:00:00Z', CAST(NULL AS timestamp), _sluice_s.\`id\`, _sluice_s.\`_dlt_id\`)
    "
  `)
})

it('columns are added', async () => {
  const added = await statements(({ connection, dialect }) =>
    sqlCatalog(connection, sqlNames(dialect, 'shop'), 'shop').addColumns(table, [
      { name: 'a', dataType: 'text' },
      { name: 'b', dataType: 'wei' },
    ]),
  )
  expect(added).toMatchInlineSnapshot(`
    "
    duckdb
      ALTER TABLE "shop"."events" ADD COLUMN "a" VARCHAR
      ALTER TABLE "shop"."events" ADD COLUMN "b" DECIMAL(38,0)
    postgres
      ALTER TABLE "shop"."events" ADD COLUMN "a" character varying
      ALTER TABLE "shop"."events" ADD COLUMN "b" numeric(156,78)
    redshift
      ALTER TABLE "shop"."events" ADD COLUMN "a" character varying(65535)
      ALTER TABLE "shop"."events" ADD COLUMN "b" numeric(38,0)
    snowflake
      ALTER TABLE "SHOP"."EVENTS" ADD COLUMN "A" VARCHAR
      ALTER TABLE "SHOP"."EVENTS" ADD COLUMN "B" NUMBER(38,0)
    bigquery
      ALTER TABLE \`shop\`.\`events\` ADD COLUMN IF NOT EXISTS \`a\` STRING, ADD COLUMN IF NOT EXISTS \`b\` BIGNUMERIC(38)
    databricks
      ALTER TABLE \`shop\`.\`events\` ADD COLUMNS (\`a\` string, \`b\` decimal(38,0))
    "
  `)
})
