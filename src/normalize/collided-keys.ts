import { completeColumn, formOf, identifierTag, inferType, isDocument, type NamingConvention } from '../schema/index.ts'
import { cellText, placeValue, refuse } from './column-cell.ts'
import { cellIndex, isKeptWhole, keyPath, rawValue, type Slot, type TableWalker } from './table-walker.ts'

/**
 * Keys of one row that normalise to one column. The later value takes it, as in dlt; the earlier one moves to a column of its
 * own, named after its key, where dlt would lose it.
 */
export class CollidedKeys {
  private readonly naming: NamingConvention

  constructor(naming: NamingConvention) {
    this.naming = naming
  }

  /** Moves the value that the row already has in the cell, before the value of `slot` takes its place. */
  move(walker: TableWalker, slot: Slot, index: number, value: unknown, row: object | undefined): void {
    const earlier = walker.cells[index]
    const column = walker.table.columns.get(walker.columnNames[index]!)!
    // It moved itself when an even later key was taken for an earlier one.
    const own = walker.indexOf.get(this.ownName(slot))
    if (own !== undefined) walker.cells[own] = undefined
    for (const other of walker.sharedBy.get(index) ?? []) {
      if (other === slot) continue
      const moved = formOf(rawValue(row, other))
      if (moved === null || moved === undefined) continue
      const apart = (Array.isArray(moved) || isDocument(moved)) && !isKeptWhole(walker, other)
      const isThere = !apart && cellText(walker, column, moved) === earlier
      const same = typeof value === 'object' ? cellText(walker, column, value) === earlier : moved === value
      if (isThere && !same) this.moveToOwn(walker, other, moved)
    }
  }

  /** The column that a key has for itself. */
  private ownName(slot: Slot): string {
    return this.naming.join(`${slot.name}_${identifierTag(keyPath(slot))}`)
  }

  private moveToOwn(walker: TableWalker, slot: Slot, value: unknown): void {
    const { table } = walker
    const name = this.ownName(slot)
    let column = table.columns.get(name)
    if (column?.dataType === undefined) {
      if (refuse(walker, 'columns', name, value) !== undefined) return
      walker.notice({ kind: 'keys-collide', table: table.name, column: slot.name, keptAs: name })
      column = completeColumn(table, { name, dataType: inferType(value)!, nullable: true })
    }
    const placed = placeValue(walker, column, value)
    if (typeof placed === 'object') walker.cells[cellIndex(walker, placed.column.name)] = placed.text
  }
}
