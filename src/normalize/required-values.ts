import { PipelineError } from '../errors/index.ts'
import type { Table } from '../schema/index.ts'
import { sample } from './column-cell.ts'
import type { TableWalker } from './table-walker.ts'

/** Throws `NULL_NOT_ALLOWED` for a row without a value for a column that must have one. A row that asks for deletion needs its key only. */
export function requireValues(walker: TableWalker, row: unknown): void {
  for (const name of walker.required) {
    if (cellOf(walker, name) !== undefined) continue
    if (!asksForDeletion(walker) || walker.tombstone!.key.includes(name)) throw nullNotAllowed(walker, name, row)
  }
}

function cellOf({ indexOf, cells }: TableWalker, column: string): string | undefined {
  const index = indexOf.get(column)
  return index === undefined ? undefined : cells[index]
}

/** The same rows that the load deletes by: `deleted` in `staged-rows.ts`. */
function asksForDeletion(walker: TableWalker): boolean {
  if (walker.tombstone === undefined) return false
  const { flag } = walker.tombstone
  const text = cellOf(walker, flag)
  if (text === undefined) return false
  switch (walker.table.columns.get(flag)!.dataType) {
    case 'bool':
      return text === 'true'
    case 'bigint':
    case 'double':
    case 'decimal':
    case 'wei':
      return Number(text) !== 0
    default:
      return true
  }
}

function nullNotAllowed(walker: TableWalker, column: string, row: unknown): PipelineError {
  return new PipelineError(
    `column "${column}" of table "${walker.table.name}" is ${roleOf(column, walker.table)} but a row has no value for it: ${sample(row)}`,
    { code: 'NULL_NOT_ALLOWED', fix: `filter such rows out, or choose a key that every row has` },
  )
}

function roleOf(name: string, { columns, writeDisposition }: Table): string {
  const column = columns.get(name)
  if (column?.primaryKey === true) return 'the primary key'
  if (column?.mergeKey === true) return 'the merge key'
  return writeDisposition?.rowVersionColumnName === name ? 'the row version' : 'not nullable'
}
