import {
  columnsWith,
  completeColumn,
  contentId,
  digestId,
  keyId,
  nestedRowId,
  randomRowId,
  system,
  type Column,
  type Table,
} from '../schema/index.ts'
import { cellIndex, rawValue, refreshKinds, type TableWalker } from './table-walker.ts'

/** Adds id and links to the row's cells and returns its id; a row that only links has no value. */
export function linkRow(
  walker: TableWalker,
  row: unknown,
  parentId: string,
  rootId: string,
  listIndex: number,
): string {
  const links = (walker.links ??= declareLinks(walker))
  const { cells } = walker
  if (links.rootId >= 0) cells[links.rootId] = rootId
  if (links.parentId >= 0) {
    cells[links.parentId] = parentId
    cells[links.listIndex] = String(listIndex)
  }
  const own = cells[links.id] === undefined ? undefined : ownId(row)
  const id = own ?? newId(walker, row, parentId, listIndex)
  cells[links.id] = id
  return id
}

/** The id that the data brought. */
function ownId(row: unknown): string | undefined {
  const own = (row as Record<string, unknown>)[system.id]
  return own === undefined || own === null ? undefined : String(own)
}

function newId(walker: TableWalker, row: unknown, parentId: string, listIndex: number): string {
  switch (walker.rowId) {
    case 'content':
      return contentId(row)
    case 'key':
      return unusedId(walker, keyId(keyOf(walker, row)))
    case 'nested':
      return nestedRowId(parentId, walker.table.name, listIndex)
    default:
      return randomRowId()
  }
}

/** A further row of a key in one package gets another id, fixed as well, or its nested rows would be taken for the first one's. */
function unusedId({ usedIds }: TableWalker, id: string): string {
  if (usedIds === undefined) return id
  let own = id
  while (usedIds.has(own)) own = digestId(`${own} again`)
  usedIds.add(own)
  return own
}

function keyOf(walker: TableWalker, row: unknown): Record<string, unknown> {
  const key: Record<string, unknown> = {}
  for (const name of columnsWith(walker.table, 'primaryKey')) {
    const slots = walker.sharedBy.get(walker.indexOf.get(name) ?? -1) ?? []
    key[name] = slots.map((slot) => rawValue(row, slot)).find((value) => value !== undefined && value !== null)
  }
  return key
}

/** The most columns that `declareLinks` adds to one table. */
export const mostLinks = 4
const linkNames = [system.id, system.loadId, system.parentId, system.listIndex, system.rootId]

/** Columns that the data or its hints brought. */
export const ownColumns = ({ columns }: Table): number =>
  columns.size - linkNames.filter((name) => columns.has(name)).length

/** Declares the columns that link rows, in dlt's order; the file does not carry the load's id. */
function declareLinks(walker: TableWalker): NonNullable<TableWalker['links']> {
  const nested = walker.table.parent !== undefined
  const declare = (name: string, hints: Partial<Column>): number => {
    declareColumn(walker.table, { name, dataType: 'text', nullable: false, ...hints })
    return cellIndex(walker, name)
  }
  const rootId = nested && walker.withRootId ? declare(system.rootId, { rootKey: true }) : -1
  const linked = nested && !walker.rootLike
  if (nested && !linked) unlink(walker.table)
  const parentId = linked ? declare(system.parentId, { parentKey: true }) : -1
  const listIndex = linked ? declare(system.listIndex, { dataType: 'bigint' }) : -1
  // The same for every row of a package, so the loader adds it and the files do not carry it.
  if (!linked) declareColumn(walker.table, { name: system.loadId, dataType: 'text', nullable: false })
  const versioned = walker.rowId === 'content'
  const id = declare(
    system.id,
    versioned ? { rowVersion: true, unique: false, rowKey: false } : { unique: true, rowKey: true },
  )
  refreshKinds(walker)
  return { rootId, parentId, listIndex, id }
}

/** A nested table that gets a key of its own: its rows no longer say where in which list they were. */
function unlink(table: Table): void {
  for (const name of [system.parentId, system.listIndex]) {
    const column = table.columns.get(name)
    if (column === undefined) continue
    delete column.parentKey
    Object.assign(column, { nullable: true, wasRequired: true })
  }
}

function declareColumn(table: Table, column: Column): void {
  const existing = table.columns.get(column.name)
  // A key that the data brought keeps its place and gains dlt's hints.
  if (existing?.dataType !== undefined) Object.assign(existing, column)
  else completeColumn(table, column)
}
