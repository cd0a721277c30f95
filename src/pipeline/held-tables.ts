import type { Resource } from '../extract/index.ts'
import { dispositionOf, type TableHints } from '../normalize/index.ts'
import { keyColumns, withNames } from '../schema/index.ts'

interface Held {
  tables: Set<string>
  atCheckpoint: boolean
  /** A checkpoint does not end the hold. */
  isWhole: boolean
}

/** Root tables whose rows must not be packaged yet, because their resource is still being read. */
export class HeldTables {
  private readonly byResource = new Map<string, Held>()

  /** Holds a table until its resource is read, or with rows that `mayBeCut`, until the next checkpoint. */
  hold(resource: string, table: string, { hasRows, isWhole = false }: { hasRows: boolean; isWhole?: boolean }): void {
    const held = this.byResource.get(resource) ?? { tables: new Set(), atCheckpoint: false, isWhole: false }
    held.tables.add(table)
    held.isWhole ||= isWhole
    // The last checkpoint does not cover these rows.
    if (hasRows) held.atCheckpoint = false
    this.byResource.set(resource, held)
  }

  /** Rows and states of the resources agree. */
  checkpoint(resources: Iterable<string>): void {
    for (const resource of resources) {
      const held = this.byResource.get(resource)
      if (held !== undefined && !held.isWhole) held.atCheckpoint = true
    }
  }

  /** Ends the hold of a resource, which is read or left out. Returns its tables. */
  release(resource: string): ReadonlySet<string> {
    const tables = this.byResource.get(resource)?.tables ?? new Set()
    this.byResource.delete(resource)
    return tables
  }

  isHeld(resource: string): boolean {
    return this.byResource.get(resource)?.atCheckpoint === false
  }

  tables(): ReadonlySet<string> {
    const open = [...this.byResource.values()].filter(({ atCheckpoint }) => !atCheckpoint)
    return new Set(open.flatMap(({ tables }) => [...tables]))
  }
}

/** Whether only all rows of a resource together decide what replaces the stored ones: a second package would delete the first one's rows. */
export function isWhole(hints: TableHints): boolean {
  const { disposition, strategy } = dispositionOf(hints)
  if (disposition === 'replace' || strategy === 'scd2') return true
  return disposition === 'merge' && [hints, ...Object.values(hints.nestedHints ?? {})].some(meetsInOneLoad)
}

/** All rows of a merge key replace what is stored under it, and of rows with one key `dedupSort` chooses among all. */
const meetsInOneLoad = ({ mergeKey, columns }: TableHints): boolean =>
  keyColumns(mergeKey).length > 0 ||
  withNames(columns).some((column) => column.mergeKey === true || column.dedupSort !== undefined)

/** Whether a second reading of the rows would only write them again in place. */
export function mayBeCut({ options }: Resource, hints: TableHints): boolean {
  if (isWhole(hints)) return false
  if (options.resumable !== undefined) return options.resumable
  return dispositionOf(hints).disposition === 'merge' && keyColumns(hints.primaryKey).length > 0
}
