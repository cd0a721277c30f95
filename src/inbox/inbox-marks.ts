import type { InboxId } from './inbox-id.ts'

/** The last entry of an inbox that was loaded. */
export interface LoadedMark {
  /** 0 before the first. */
  sequence: number
  /** What its line begins with. Absent in a mark of an earlier version of Sluice. */
  entry?: string
}

/** The state of a resource. Inboxes of several machines, or of several names, may share it. */
export interface InboxState {
  /** By the id of the inbox. */
  inboxes?: Record<string, LoadedMark>
  /** The mark of an earlier version: of whichever inbox was loaded last. */
  loaded?: number
}

/** So that new machines do not make the state grow. The oldest is dropped: loaded again, it changes no row. */
const mostInboxes = 100

/**
 * How far an inbox was loaded. It takes over the mark of an earlier version if that mark can only be its own: no other inbox
 * shared it, and the inbox had as many entries at that time. The state then has that mark no more. Otherwise it starts at 0.
 */
export function takeMark(state: InboxState, { id, before }: InboxId, isShared: boolean): LoadedMark {
  const { inboxes = {}, loaded = 0 } = state
  if (Object.hasOwn(inboxes, id)) return { ...inboxes[id], sequence: Number(inboxes[id]!.sequence) }
  const earlier = Number(loaded)
  if (isShared || earlier > before) return { sequence: 0 }
  // One inbox takes it over.
  delete state.loaded
  return { sequence: earlier }
}

export function keepMark(state: InboxState, { id }: InboxId, mark: LoadedMark): void {
  const marks = Object.entries({ ...state.inboxes, [id]: mark })
  state.inboxes = Object.fromEntries(marks.slice(-mostInboxes))
}
