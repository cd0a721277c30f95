import { expect, it } from 'vitest'
import type { MergePlan, SqlConnection, SqlDialect } from '../../src/destinations/destination.ts'
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
      stream: async function* () {},
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
    "
  `)
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
    "
  `)
})

it('rows are merged by their key', async () => {
  const merged = await statements(({ connection, dialect }) => {
    const plan: MergePlan = {
      root: { table, staging: dialect.quote('staged') },
      nested: [],
      primaryKey: ['id'],
      mergeKey: ['at'],
      hardDelete: undefined,
      dedupSort: undefined,
      deduplicated: false,
      scd2: undefined,
    }
    return sqlPublisher(connection, sqlNames(dialect, 'shop')).merge('delete-insert', plan)
  })
  expect(merged).toMatchInlineSnapshot(`
    "
    duckdb
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY rowid DESC) AS _sluice_rank FROM "staged") AS ranked WHERE _sluice_rank = 1 AND NOT (FALSE)) AS kept
    postgres
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY ctid DESC) AS _sluice_rank FROM "staged") AS ranked WHERE _sluice_rank = 1 AND NOT (FALSE)) AS kept
    redshift
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."id" = "shop"."events"."id")
      DELETE FROM "shop"."events" WHERE EXISTS (SELECT 1 FROM "staged" AS s WHERE s."at" = "shop"."events"."at")
      INSERT INTO "shop"."events" ("id", "at", "price", "data", "raw", "_dlt_id") SELECT "id", "at", "price", "data", "raw", "_dlt_id" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_sluice_row" DESC) AS _sluice_rank FROM "staged") AS ranked WHERE _sluice_rank = 1 AND NOT (FALSE)) AS kept
    snowflake
      DELETE FROM "SHOP"."EVENTS" WHERE EXISTS (SELECT 1 FROM "STAGED" AS s WHERE s."ID" = "SHOP"."EVENTS"."ID")
      DELETE FROM "SHOP"."EVENTS" WHERE EXISTS (SELECT 1 FROM "STAGED" AS s WHERE s."AT" = "SHOP"."EVENTS"."AT")
      INSERT INTO "SHOP"."EVENTS" ("ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID") SELECT "ID", "AT", "PRICE", "DATA", "RAW", "_DLT_ID" FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "ID" ORDER BY "_SLUICE_ROW" DESC) AS _sluice_rank FROM "STAGED") AS ranked WHERE _sluice_rank = 1 AND NOT (FALSE)) AS kept
    "
  `)
})
