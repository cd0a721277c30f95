import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bigqueryDialect } from '../../src/destinations/bigquery/dialect.ts'
import { databricksDialect } from '../../src/destinations/databricks/dialect.ts'
import type { SqlDialect } from '../../src/destinations/destination.ts'
import { duckdbDialect } from '../../src/destinations/duckdb/dialect.ts'
import { parseUrl } from '../../src/destinations/postgres/connection.ts'
import { postgresDialect } from '../../src/destinations/postgres/dialect.ts'
import { redshiftDialect } from '../../src/destinations/redshift/dialect.ts'
import { snowflakeDialect } from '../../src/destinations/snowflake/dialect.ts'
import { effort } from '../support/effort.ts'
import { running } from '../support/running.ts'
import { fc } from '../support/seed.ts'
import { untrusted } from '../support/untrusted-strings.ts'

const piece = fc.constantFrom("'", '\\', '"', '`', '$', '{', '}', 'n', '0', 'u0041', 'x41', '\n', '\r', ' ', '%', 'é')
const strings = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

let duckdb: DuckDBInstance
let clients: Record<'on' | 'off', pg.Client>
beforeAll(async () => {
  duckdb = await DuckDBInstance.create(':memory:')
  const opened = async (setting: string): Promise<pg.Client> => {
    const client = new pg.Client(parseUrl(await running('postgres')) as pg.ClientConfig)
    await client.connect()
    await client.query(`SET standard_conforming_strings = ${setting}; SET escape_string_warning = off`)
    return client
  }
  clients = { on: await opened('on'), off: await opened('off') }
})
afterAll(async () => {
  duckdb.closeSync()
  await Promise.all(Object.values(clients).map((client) => client.end()))
})

const byPostgres =
  (setting: 'on' | 'off') =>
  async (sql: string): Promise<unknown> => {
    const { rows } = await clients[setting].query<{ value: unknown }>(`SELECT ${sql} AS value`)
    return rows[0]!.value
  }

async function byDuckdb(sql: string): Promise<unknown> {
  const connection = await duckdb.connect()
  const result = await connection.runAndReadAll(`SELECT ${sql}`)
  return result.getRows()[0]![0]
}

/** A string as the manual of a database says that it is read; `undefined` where it does not end at the end of the text. */
function reading({ doubled, ends, multiline }: { doubled: boolean; ends: Record<string, string>; multiline: boolean }) {
  return (sql: string): string | undefined => {
    let value = ''
    for (let at = 1; at < sql.length; at++) {
      const [char, next] = [sql[at]!, sql[at + 1]]
      if (char === '\\' && next !== undefined) {
        if (/[xuU0-7]/.test(next)) throw new Error(`an escape by number: ${sql}`)
        value += ends[next] ?? next
        at += 1
      } else if (char === "'" && doubled && next === "'") {
        value += "'"
        at += 1
      } else if (char === "'") return at === sql.length - 1 ? value : undefined
      else if (!multiline && /[\n\r]/.test(char)) return undefined
      else value += char
    }
    return undefined
  }
}
const controls = { n: '\n', r: '\r', t: '\t', b: '\b' }
const byGoogleSql = reading({ doubled: false, ends: controls, multiline: false })
const bySnowflake = reading({ doubled: true, ends: controls, multiline: true })
const inSpark = reading({ doubled: false, ends: { ...controls, Z: '\x1a', '%': '\\%', _: '\\_' }, multiline: true })
/** Spark puts values of variables into the text of a statement before it reads it. */
const bySpark = (sql: string): string | undefined =>
  inSpark(sql.replaceAll(/\$\{[^}$ ]+\}/g, 'the value of a variable'))

const dialects: [name: string, dialect: SqlDialect, read: (sql: string) => unknown][] = [
  ['DuckDB', duckdbDialect, byDuckdb],
  ['PostgreSQL', postgresDialect, byPostgres('on')],
  ['Redshift', redshiftDialect, byPostgres('off')],
  ['Snowflake', snowflakeDialect, bySnowflake],
  ['BigQuery', bigqueryDialect, byGoogleSql],
  ['Databricks', databricksDialect, bySpark],
]

describe('a string in a statement', () => {
  it.each(dialects)('is read as it was: %s', async (_name, { literal }, read) => {
    for (const value of untrusted) expect(await read(literal(value)), value).toBe(value)
    await fc.assert(
      fc.asyncProperty(strings, async (value) => {
        expect(await read(literal(value))).toBe(value)
      }),
      { numRuns: effort(100, 1000) },
    )
  })

  it.each(dialects)('is written by one function: %s', (_name, dialect) => {
    const { literal, timestampLiteral, lock } = dialect
    const name = "a\\'b"
    expect(timestampLiteral(name)).toContain(literal(name))
    if (lock !== undefined) expect(lock(name)).toContain(literal(name))
    const row = dialect.rowAsJson('t', [{ name, dataType: 'text' }])
    if (/OBJECT/.test(row)) expect(row).toContain(`${literal(name)}, `)
  })
})
