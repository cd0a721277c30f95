import type { Source } from '../extract/index.ts'
import { tableWithNested, type Schema } from '../schema/index.ts'
import type { PipelineState } from './state.ts'

/**
 * What is thrown away before a run: all tables and state of the sources, those of the selected resources, or only the
 * rows of the selected resources with their state.
 */
export type RefreshMode = 'drop_sources' | 'drop_resources' | 'drop_data'
export const refreshModes: readonly RefreshMode[] = ['drop_sources', 'drop_resources', 'drop_data']

/** Done in the transaction of the run's first package: readers see the old tables until the new rows are there. */
export interface Refresh {
  dropped: string[]
  truncated: string[]
}

/** Takes tables out of the schema and resets state, in memory; returns what the destination has to do. */
export function applyRefresh(mode: RefreshMode, source: Source, schema: Schema, state: PipelineState): Refresh {
  if (mode === 'drop_sources') {
    const dropped = [...schema.tables.keys()]
    schema.tables.clear()
    delete state.sources[source.name]
    return { dropped, truncated: [] }
  }
  const tables = tablesOf(schema, source.selected)
  resetResources(state, source.name, source.selected)
  if (mode === 'drop_data') return { dropped: [], truncated: tables }
  for (const table of tables) schema.tables.delete(table)
  return { dropped: tables, truncated: [] }
}

/** The tables that resources made, nested ones included. */
export const tablesOf = (schema: Schema, resources: readonly string[]): string[] =>
  [...schema.tables.values()]
    .filter((table) => table.resource !== undefined && resources.includes(table.resource))
    .flatMap((root) => tableWithNested(schema, root.name))
    .filter((table) => table.seenData)
    .map((table) => table.name)

export function resetResources(state: PipelineState, source: string, resources: readonly string[]): void {
  const known = state.sources[source]?.resources
  if (known !== undefined) for (const resource of resources) delete known[resource]
}
