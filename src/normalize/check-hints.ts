import { PipelineError } from '../errors/index.ts'
import { columnsWith, wrongValue, type Table } from '../schema/index.ts'

/** Refuses hints of a root table that do not go together. */
export function checkHints(table: Table): void {
  const { name, writeDisposition } = table
  const columns = [...table.columns.values()]
  const { disposition, strategy } = writeDisposition!
  const needsKey = disposition === 'merge' && (strategy === 'upsert' || strategy === 'insert-only')
  if (needsKey && columnsWith(table, 'primaryKey').length === 0) {
    throw wrongHints(
      `table "${name}": the merge strategy '${strategy}' needs a primary key, and none is declared`,
      `declare primaryKey, or use writeDisposition: 'append'`,
    )
  }
  for (const hint of ['hardDelete', 'dedupSort'] as const) {
    const named = columns.filter((column) => column[hint] !== undefined && column[hint] !== false)
    if (named.length < 2) continue
    throw wrongHints(
      `table "${name}": ${named.map((column) => `"${column.name}"`).join(' and ')} have the hint ${hint}, expected one column`,
      `leave ${hint} on one of them`,
    )
  }
  const order = columns.find(({ dedupSort }) => dedupSort !== undefined)?.dedupSort
  if (order !== undefined && order !== 'asc' && order !== 'desc') {
    throw wrongValue(`table "${name}": dedupSort`, order, ['asc', 'desc'])
  }
}

/** A merge without any key finds no stored row: as in dlt, its rows are appended. */
export const appendsForWantOfKeys = (table: Table): boolean =>
  table.writeDisposition?.strategy === 'delete-insert' &&
  columnsWith(table, 'primaryKey').length + columnsWith(table, 'mergeKey').length === 0

/** Rows of a nested table with a key have no link to the version of their parent. */
export const keyedUnderVersions = (table: string): PipelineError =>
  wrongHints(
    `nested table "${table}" has a key of its own, which the merge strategy 'scd2' of its root table cannot take`,
    'leave primaryKey and mergeKey out of its nestedHints',
  )

const wrongHints = (message: string, fix: string): PipelineError =>
  new PipelineError(message, { code: 'WRONG_USE', fix })
