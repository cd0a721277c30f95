import { Config } from '../../src/config/index.ts'
import {
  extract,
  MarkedRows,
  rowsOf,
  source,
  type ExtractEvent,
  type Resource,
  type ResourceState,
  type Source,
} from '../../src/extract/index.ts'
import { emptyState, resourceState, setResourceState, stateFromRow, stateRow } from '../../src/pipeline/state.ts'

/**
 * Takes extracted rows as a destination does, in memory: rows and states count from a checkpoint or the end on, and the state
 * goes through its stored form. For thousands of runs a second.
 */
export class MemoryTarget {
  /** Rows by table; the table of marked rows is the one that they name. */
  readonly tables = new Map<string, unknown[]>()
  readonly events: ExtractEvent[] = []
  /** How many rows were written at once, each time. */
  readonly written: number[] = []
  private stored = emptyState('p', 'd')

  async run(given: Source | Resource): Promise<void> {
    const reading = 'resources' in given ? given : source('s', [given as Resource])
    const { written } = this
    let pending: { table: string; rows: readonly unknown[] }[] = []
    const keep = (states: Map<string, ResourceState>): void => {
      for (const { table, rows } of pending) this.tables.set(table, [...(this.tables.get(table) ?? []), ...rows])
      for (const [name, state] of states) setResourceState(this.stored, reading.name, name, state)
      pending = []
    }
    try {
      await extract(reading, {
        signal: AbortSignal.timeout(20_000),
        config: new Config({ env: {} }),
        stateOf: (name) => resourceState(this.stored, reading.name, name),
        sourceState: {},
        write(resource, page) {
          written.push(rowsOf(page).length)
          const marked = page instanceof MarkedRows ? page.hints.tableName : undefined
          pending.push({ table: marked ?? resource.name, rows: rowsOf(page) })
        },
        discard: () => undefined,
        checkpoint: keep,
        pageDone: async () => undefined,
        rootFailed: async (_tree, error) => {
          throw error
        },
        rootDone: (_root, tree, states) => {
          for (const { name, options } of tree) if (options.writeDisposition === 'replace') this.tables.delete(name)
          keep(states)
        },
        emit: (event) => void this.events.push(event),
      })
    } finally {
      const row = stateRow(this.stored)
      if (row !== undefined) this.stored = stateFromRow(row)
    }
  }

  state(resource: string, sourceName = 's'): ResourceState {
    return resourceState(this.stored, sourceName, resource)
  }

  setState(resource: string, state: ResourceState, sourceName = 's'): void {
    setResourceState(this.stored, sourceName, resource, state)
  }

  /** The `id`s of a table, in the order in which they came. */
  ids(table: string): number[] {
    return (this.tables.get(table) ?? []).map((row) => (row as { id: number }).id)
  }
}
