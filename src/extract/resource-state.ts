import { ExactNumber, writeDispositionOptions } from '../schema/index.ts'
import type { CursorState, IncrementalCursor } from './incremental-cursor.ts'
import type { ResourceOptions } from './resource.ts'

/** The part of the pipeline state that belongs to one resource. */
export interface ResourceState extends Record<string, unknown> {
  incremental?: Record<string, CursorState>
  /** Hashes of rows beyond the position of a cursor, which limited runs have loaded. */
  beyond_cursor?: Record<string, string[]>
}

/** Every run of a replaced resource brings all its rows, so it starts without a state, as with dlt. */
export const startState = (options: ResourceOptions, kept: ResourceState): ResourceState =>
  replaces(options) ? {} : (copyOf(kept) as ResourceState)

export const replaces = ({ writeDisposition = 'append' }: ResourceOptions): boolean =>
  writeDispositionOptions(writeDisposition).disposition === 'replace'

/** A copy that stays as it is while the state goes on changing. */
export function copyOf(value: unknown): unknown {
  // Exact numbers never change, and lose their class in a structured clone.
  if (value instanceof ExactNumber) return value
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]))
}

/**
 * How much of its rows a resource has read. `all`: the source ended. `ordered`: all rows up to the cursor's position.
 * `some`: rows before the position may be missing.
 */
export type Progress = 'all' | 'ordered' | 'some'

/** The state with the position of the cursor, which never moves past rows that were not read. */
export function withCursor(
  state: ResourceState,
  path: string,
  { cursor, progress }: { cursor: IncrementalCursor; progress: Progress },
): ResourceState {
  if (cursor.isRange) return state
  const position = progress === 'some' ? cursor.stored : cursor.state()
  // Rows are loaded once, also those beyond a position that stayed where it was.
  const hashes = progress === 'all' && cursor.hasMoved ? [] : cursor.beyondStored(progress === 'some')
  return {
    ...state,
    ...entry('incremental', state.incremental, path, position),
    ...entry('beyond_cursor', state.beyond_cursor, path, hashes.length === 0 ? undefined : hashes),
  }
}

function entry<T>(key: string, entries: Record<string, T> | undefined, path: string, value: T | undefined): object {
  if (value !== undefined) return { [key]: { ...entries, [path]: value } }
  return entries !== undefined && Object.hasOwn(entries, path) ? { [key]: without(entries, path) } : {}
}

function without<T>(entries: Record<string, T>, path: string): Record<string, T> {
  const { [path]: _, ...others } = entries
  return others
}
