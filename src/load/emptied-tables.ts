import type { LoadTransaction } from '../destinations/index.ts'
import type { LoadPackage } from '../package/index.ts'
import { rootOf, type Schema } from '../schema/index.ts'
import { atTable } from './failed-table.ts'

/** A table that had rows, and has none after a load that replaces it. */
export interface EmptiedTable {
  table: string
  /** Absent where the destination would have to read them to count them. */
  rowsBefore?: number
}

/** Looks at tables before `replace` empties them; those that get rows again, and those a refresh has named, do not count. */
export async function emptiedTables(
  { checker }: LoadTransaction,
  schema: Schema,
  { manifest }: LoadPackage,
): Promise<EmptiedTable[]> {
  const { replaced, truncated, files } = manifest
  const filled = new Set(files.filter(({ rows }) => rows > 0).map(({ table }) => table))
  const emptied: EmptiedTable[] = []
  for (const table of schema.tables.values()) {
    const root = rootOf(schema, table)
    const isReplaced = root.writeDisposition?.disposition === 'replace' && replaced.includes(root.name)
    if (!isReplaced || !table.seenData || table.columns.size === 0) continue
    if (filled.has(table.name) || truncated.includes(table.name)) continue
    const rowsBefore = await atTable(table.name, () => checker.rowCount(table.name))
    if (rowsBefore === 0) continue
    emptied.push({ table: table.name, ...(rowsBefore === undefined ? {} : { rowsBefore }) })
  }
  return emptied
}
