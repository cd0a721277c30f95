import { completeColumn, system, type Column, type Table } from '../schema/index.ts'
import { cellIndex, type TableWalker } from './table-walker.ts'

/** Declares the columns that link rows, in dlt's order; the file does not carry the load's id. */
export function declareLinks(walker: TableWalker): NonNullable<TableWalker['links']> {
  const nested = walker.table.parent !== undefined
  const declare = (name: string, hints: Partial<Column>): number => {
    declareColumn(walker.table, { name, dataType: 'text', nullable: false, ...hints })
    return cellIndex(walker, name)
  }
  const rootId = nested && walker.withRootId ? declare(system.rootId, { rootKey: true }) : -1
  const linked = nested && !walker.rootLike
  const parentId = linked ? declare(system.parentId, { parentKey: true }) : -1
  const listIndex = linked ? declare(system.listIndex, { dataType: 'bigint' }) : -1
  // The same for every row of a package, so the loader adds it and the files do not carry it.
  if (!linked) declareColumn(walker.table, { name: system.loadId, dataType: 'text', nullable: false })
  const versioned = walker.rowId === 'content'
  const id = declare(
    system.id,
    versioned ? { rowVersion: true, unique: false, rowKey: false } : { unique: true, rowKey: true },
  )
  return { rootId, parentId, listIndex, id }
}

function declareColumn(table: Table, column: Column): void {
  const existing = table.columns.get(column.name)
  // A key that the data brought keeps its place and gains dlt's hints.
  if (existing?.dataType !== undefined) Object.assign(existing, column)
  else completeColumn(table, column)
}
