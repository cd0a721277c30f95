import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { filesystem } from '../src/destinations/filesystem/filesystem.ts'
import { pipeline } from '../src/index.ts'
import { expected, type Shape } from './data.ts'

type Query = (sql: string) => Promise<Record<string, unknown>>

/** Compares what a tool has loaded with what the pages hold: rows and, column by column, sums. Throws at a difference. */
export async function check(destination: string, target: string, shape: Shape, rows: number): Promise<void> {
  const { query, close } = await openers[destination]!(target)
  try {
    const facts = expected(shape, rows)
    for (const [table, sums] of Object.entries(facts.sums)) {
      const columns = Object.entries(sums).map(([name, { of }], at) =>
        of === 'number' ? `sum(${name}) AS c${at}` : `sum(length(${name})) AS c${at}`,
      )
      const found = await query(`SELECT count(*) AS n, ${columns.join(', ')} FROM bench.${table}`)
      same(`rows of ${table}`, found.n, facts.rows[table]!)
      for (const [at, [name, { sum }]] of Object.entries(sums).entries()) {
        same(`sum of ${table}.${name}`, found[`c${at}`], sum)
      }
    }
  } finally {
    await close()
  }
}

function same(what: string, found: unknown, wanted: number): void {
  // Doubles are summed in another order.
  if (Math.abs(Number(found) - wanted) <= 1e-9 * Math.abs(wanted)) return
  throw new Error(`${what}: expected ${wanted}, found ${String(found)}`)
}

const openers: Record<string, (target: string) => Promise<{ query: Query; close(): Promise<void> }>> = {
  async duckdb(path) {
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    return {
      query: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS()[0]!,
      async close() {
        connection.closeSync()
        instance.closeSync()
      },
    }
  },
  async postgres(url) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return {
      query: async (sql) => (await client.query(sql)).rows[0] as Record<string, unknown>,
      close: () => client.end(),
    }
  },
  async parquet(bucketUrl) {
    const reader = pipeline({ name: 'check', dataset: 'bench', destination: filesystem({ bucketUrl }) })
    return { query: async (sql) => (await reader.dataset().query(sql).toArray())[0]!, close: async () => undefined }
  },
}
