import type { DuckDBConnection } from '@duckdb/node-api'
import { literal } from './dialect.ts'

/** What one query may take: memory in DuckDB's own accounting, and disk for what it spills. */
const memoryLimit = '1GB'
const spillLimit = '2GB'

/** Restricts the whole instance to queries: no file but those named can be opened, and no setting changed. */
export async function lockDown(connection: DuckDBConnection, files: readonly string[]): Promise<void> {
  await connection.run(`SET memory_limit = '${memoryLimit}'`)
  await connection.run(`SET max_temp_directory_size = '${spillLimit}'`)
  await connection.run(`SET allowed_paths = [${files.map(literal).join(', ')}]`)
  await connection.run('SET enable_external_access = false')
  await connection.run('SET lock_configuration = true')
}

/** Interrupts whatever the connection runs after the time. Returns a function that ends the watch. */
export function interruptAfter(connection: DuckDBConnection, timeoutMs: number): () => void {
  const deadline = performance.now() + timeoutMs
  // An interruption ends only the statement that runs at that instant, so it is repeated for later ones.
  const watch = setInterval(() => performance.now() > deadline && connection.interrupt(), 50).unref()
  return () => clearInterval(watch)
}
