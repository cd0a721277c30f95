import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { sqlDestination } from '../../src/destinations/sql/sql-destination.ts'
import type { Destination } from '../../src/index.ts'

/** What the database says, by whether trying again can help. */
const messages = {
  refuses: 'Constraint Error: CHECK constraint failed: CSV Error on Line: 1',
  busy: 'Out of Memory Error: failed to allocate data',
  odd: 'something that nobody has seen before',
} as const
export type FaultKind = keyof typeof messages

export interface Fault {
  table: string
  kind: FaultKind
  /** Fails from this load of the table on, counted from 1. */
  from: number
  /** What the database says instead. */
  message?: string
}

/** A DuckDB file that fails to take rows of a table while there is a fault. */
export function faultyDuckdb(path: string, fault: { now: Fault | undefined }): Destination {
  const parts = duckdbParts({ path })
  let loads = 0
  let known: Fault | undefined
  return sqlDestination({
    ...parts,
    async bulkLoad(connection, load) {
      const { now } = fault
      if (known !== now) [known, loads] = [now, 0]
      if (now?.table === load.table.name && ++loads >= now.from) throw new Error(now.message ?? messages[now.kind])
      await parts.bulkLoad(connection, load)
    },
  })
}
