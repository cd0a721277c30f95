import type { DestinationSession } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'

/**
 * Refuses to replace the rows of tables by nothing: an API that answers a question wrongly with an empty list looks like one that
 * has no rows any more. Throws `NOTHING_CAME`.
 */
export async function requireEmptyTables(
  { reader }: DestinationSession,
  resource: string,
  tables: readonly string[],
): Promise<void> {
  const known = await reader.tables()
  for (const table of tables) {
    // Somebody may have dropped it.
    if (!known.has(table)) continue
    const [row] = await reader.rows(`SELECT 1 AS one FROM ${reader.tableName(table)} LIMIT 1`)
    if (row !== undefined) throw nothingCame(resource, table)
  }
}

const nothingCame = (resource: string, table: string): PipelineError =>
  new PipelineError(`resource "${resource}": no rows came, and replace would empty table "${table}", which has rows`, {
    code: 'NOTHING_CAME',
    recovery: 'retry',
    resource,
    fix: 'run again later. If it may have no rows, say so: allowEmpty: true on the resource, allow_empty in a source file, or --allow-empty',
  })
