import type { DestinationSession } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'

/**
 * Refuses to replace the rows of tables by nothing: an empty list that an API sends by mistake looks like the end of all rows.
 * Throws `NOTHING_CAME`.
 */
export async function requireEmptyTables(
  { reader }: DestinationSession,
  resource: string,
  tables: readonly string[],
): Promise<void> {
  const known = await reader.tables()
  for (const table of tables) {
    // It may have been dropped by hand.
    if (!known.has(table)) continue
    const [row] = await reader.rows(`SELECT 1 AS one FROM ${reader.tableName(table)} LIMIT 1`)
    if (row !== undefined) throw nothingCame(resource, table)
  }
}

const nothingCame = (resource: string, table: string): PipelineError =>
  new PipelineError(`resource "${resource}" returned no rows; replace would delete all rows of table "${table}"`, {
    code: 'NOTHING_CAME',
    recovery: 'retry',
    resource,
    fix: 'run again later. If an empty result is valid, set allowEmpty: true on the resource, allow_empty in a source file, or --allow-empty',
  })
