import { excerpt, PipelineError } from '../errors/index.ts'
import { formOf, type Column, type Table } from '../schema/index.ts'
import type { CellContext } from './column-cell.ts'
import { cellKind, type CellKind, type DelimitedWriter } from './delimited.ts'
import type { RowTarget, TableHints } from './table-hints.ts'

/** One key at one place of the documents: what its values have become so far. Looked up once per value. */
export interface Slot {
  key: string
  /** Normalised name of the whole path inside the table: `visitor__name`, shortened where it is too long. */
  name: string
  /** The same before shortening: names further down are shortened once, over the whole path. */
  path: string
  level: number
  parent: Level
  /** The column, once a scalar came. */
  column: Column | undefined
  columnIndex: number
  /** The keys below, once an object came. */
  below: Level | undefined
  /** The nested table, once a list came. */
  nested: TableWalker | undefined
  /** The table of its lists in rows where another list has the name of the nested table. */
  collided: TableWalker | undefined
}

/** All keys seen at one place. A Map, because keys come from strangers. */
export interface Level {
  slots: Map<string, Slot>
  /** The slot that leads here; none at the top of a table. */
  slot: Slot | undefined
  depth: number
}

/** What a table needs while rows pass: its columns in file order and the cells of the current row. */
export interface TableWalker extends CellContext {
  table: Table
  /** The table's name before shortening. */
  path: string
  /** Names of the columns in the order of the cells; grows, never reorders. */
  columnNames: string[]
  indexOf: Map<string, number>
  cells: (string | undefined)[]
  /** How each cell is written. */
  kinds: CellKind[]
  top: Level
  writer: DelimitedWriter
  /** The contract discards all rows of this table. */
  discarded: boolean
  /** Columns that must not be null. */
  required: string[]
  /** Columns that several keys feed, with those keys. */
  sharedBy: Map<number, Slot[]>
  /** Objects of the current row still to be visited, last in first out as dlt does. */
  pendingObjects: object[]
  pendingLevels: Level[]
  /** Lists of the current row, visited after the row itself. */
  pendingLists: unknown[][]
  pendingListSlots: Slot[]
  /** The last slot that had a list for this table. */
  lastList: Slot | undefined
  /** Cells of the links to other rows; negative where the table has no such column. */
  links: { rootId: number; parentId: number; listIndex: number; id: number } | undefined
  /** How rows of this table get their id. */
  rowId: 'random' | 'key' | 'content' | 'nested'
  /** Nested tables with a key of their own have the links of a root table. */
  rootLike: boolean
  withRootId: boolean
  /** The flag and the key of rows that ask for deletion; such a row needs no other column. */
  tombstone: { flag: string; key: readonly string[] } | undefined
  /** Ids that rows of this package have, where several rows of one key may come and each has nested rows of its own. */
  usedIds: Set<string> | undefined
  /** Where rows go that the contract discards. */
  quarantine: RowTarget | undefined
  /** Why the contract discards the current row. */
  refused: string
  /** Hints for nested tables by table name. */
  nestedHints: Map<string, TableHints>
  maxNesting: number
  maxColumns: number
  /** Keys that rows have had so far, on all levels. */
  keys: number
}

/** dlt's own limit for nesting that nobody limited. */
export const deepestNesting = 1000

/** A database grows slow long before; what has more is data used as keys. */
export const mostColumns = 5000

/** Characters of the keys that lead to a value, from the top of its table, as one name. */
export const longestPath = 10_000

/** Keys of rows for each column that a table may have: keys of objects and of empty lists become none. */
export const keysPerColumn = 4

/** Keys that share one column: each of a row may have to give way to any other. */
const mostSharing = 100

export const newLevel = (slot: Slot | undefined, depth: number): Level => ({ slots: new Map(), slot, depth })

/** Reads again how cells are written, after hints or links have given columns their types. */
export function refreshKinds({ kinds, columnNames, table }: TableWalker): void {
  for (const [index, name] of columnNames.entries()) kinds[index] = cellKind(table.columns.get(name)!.dataType!)
}

/** The index of a column's cell, added at the end when it is new. The column has its type by then. */
export function cellIndex(walker: TableWalker, column: string): number {
  const known = walker.indexOf.get(column)
  if (known !== undefined) return known
  const index = walker.columnNames.push(column) - 1
  walker.indexOf.set(column, index)
  walker.cells.push(undefined)
  walker.kinds.push(cellKind(walker.table.columns.get(column)!.dataType!))
  return index
}

/** The value a slot's key has in a row, by the raw keys from the top. */
export function rawValue(row: unknown, slot: Slot): unknown {
  const above = formOf(slot.parent.slot === undefined ? row : rawValue(row, slot.parent.slot))
  if (typeof above !== 'object' || above === null || !Object.hasOwn(above, slot.key)) return undefined
  return (above as Record<string, unknown>)[slot.key]
}

/** Whether objects and lists at a slot are stored as JSON. */
export const isKeptWhole = ({ maxNesting, table }: TableWalker, slot: Slot): boolean =>
  slot.level > maxNesting || table.columns.get(slot.name)?.dataType === 'json'

/** The raw keys that lead to a slot from the top of its table. */
export const keyPath = ({ key, parent }: Pick<Slot, 'key' | 'parent'>): string =>
  parent.slot === undefined ? key : `${keyPath(parent.slot)}.${key}`

export const tooLongKey = ({ table }: TableWalker, path: string): PipelineError =>
  new PipelineError(
    `a row of table "${table.name}" has a key whose name would have more than ${longestPath.toLocaleString('en')} characters: ${JSON.stringify(excerpt(path, 80))}`,
    {
      code: 'LIMIT_EXCEEDED',
      fix: 'drop or rename the key with .map(), or keep what holds it as JSON, with a hint in columns',
    },
  )

/** Notes that values of a slot go to a column, which other slots may feed too. */
export function shareColumn(walker: TableWalker, slot: Slot, index: number): void {
  const sharing = walker.sharedBy.get(index)
  if (sharing === undefined) walker.sharedBy.set(index, [slot])
  else if (!sharing.includes(slot)) {
    // The key that is the column's name has a place there, whatever other keys came first.
    const isItsName = slot.parent.slot === undefined && slot.key === slot.name
    if (sharing.length >= mostSharing && !isItsName)
      throw tooManyKeys(`has more than ${mostSharing} keys that become the column "${slot.name}"`, walker, slot)
    sharing.push(slot)
  }
}

/** The keys are data: ids, dates, names of things. */
export function tooManyKeys(
  what: string,
  { table }: TableWalker,
  { parent, key }: Pick<Slot, 'parent' | 'key'>,
): PipelineError {
  const shown = JSON.stringify(excerpt(key, 80))
  return new PipelineError(`table "${table.name}" ${what}: the key ${shown} of a row is new`, {
    code: 'TOO_MANY_KEYS',
    fix:
      parent.slot === undefined
        ? 'make rows of such keys with .map() or .yieldMap(), or allow more with maxTableColumns'
        : 'keep what holds such keys as JSON, with a hint in columns, make rows of them with .map(), or allow more with maxTableColumns',
  })
}
