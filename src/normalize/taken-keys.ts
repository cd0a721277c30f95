import { cellIndex, newLevel, type Level, type Slot, type TableWalker } from './table-walker.ts'

/**
 * Lets a walker of a copied schema go on where another walker of the same table is: a key that one of them knows is new to
 * neither, and both reach the limits of keys with the same row. Columns and nested tables are found again by the first values.
 */
export function takeOverKeys(walker: TableWalker, from: TableWalker): void {
  const copies = new Map<Slot, Slot>()
  copyLevel(from.top, walker.top, copies)
  walker.keys = from.keys
  walker.newTable = from.newTable
  for (const [index, slots] of from.sharedBy) {
    const own = cellIndex(walker, from.columnNames[index]!)
    walker.sharedBy.set(
      own,
      slots.map((slot) => copies.get(slot)!),
    )
  }
}

function copyLevel(from: Level, to: Level, copies: Map<Slot, Slot>): void {
  for (const [key, slot] of from.slots) {
    const unbound = { column: undefined, columnIndex: -1, below: undefined, nested: undefined, collided: undefined }
    const copy: Slot = { ...slot, ...unbound, parent: to }
    if (slot.below !== undefined) {
      copy.below = newLevel(copy, slot.below.depth)
      copyLevel(slot.below, copy.below, copies)
    }
    to.slots.set(key, copy)
    copies.set(slot, copy)
  }
}
