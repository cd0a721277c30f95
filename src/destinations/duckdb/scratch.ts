import type { SqlConnection } from '../destination.ts'

/** A connection to a warehouse with the DuckDB that makes the files it takes. */
export type WithScratch<Connection extends SqlConnection = SqlConnection> = Connection & { scratch: SqlConnection }

/** The same connection with a DuckDB of its own, which ends with it. */
export async function withScratch<Connection extends SqlConnection>(
  connection: Connection,
): Promise<WithScratch<Connection>> {
  const { openDuckdb } = await import('./connection.ts')
  const scratch = await openDuckdb(':memory:', {})
  return {
    ...connection,
    scratch,
    async close() {
      await scratch.close()
      await connection.close()
    },
  }
}
