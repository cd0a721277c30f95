import {
  parseJson,
  PipelineError,
  resource,
  source,
  withHints,
  type Resource,
  type ResourceContext,
  type Source,
} from '../index.ts'
import type { WebhookTable } from '../sources/chats/platform.ts'
import { platformByName } from '../sources/chats/registry.ts'
import { keepMark, takeMark, type InboxState, type LoadedMark } from './inbox-marks.ts'
import {
  entriesAfter,
  forgetLoaded,
  identityOfInbox,
  inboxNames,
  markOf,
  validMark,
  type InboxEntry,
} from './inbox-store.ts'
import { shapeProblem } from './payload-shape.ts'

export interface InboxOptions {
  /** The table of a payload. @default by platform, else `webhook_payload` */
  tableName?: WebhookTable
  /** Loaded payloads stay on disk for so many days. @default 30 */
  keepDays?: number
}

/**
 * What was received under a name, each payload once: sent again by its sender, it is the same row. Tables are merged by
 * `payload_id`. A payload that cannot become rows is a row of `webhook_payload` with all of it as text, in `raw_payload`.
 */
export const inbox = (name: string, options: InboxOptions = {}): Resource => inboxResource(name, options, () => true)

/** `mayShare`: whether an earlier version kept one mark for this inbox and for another one. */
function inboxResource(
  name: string,
  { tableName, keepDays = 30 }: InboxOptions,
  mayShare: (other: string) => boolean,
): Resource {
  return resource(
    standardTable,
    async function* (context: ResourceContext) {
      const tableOf = tableName ?? (await platformByName(name))?.webhookTable ?? (() => undefined)
      const identity = identityOfInbox(name)
      if (identity === undefined) return
      const isShared = inboxNames().some((other) => other !== name && mayShare(other))
      const state = context.state as InboxState
      const known = takeMark(state, identity, isShared)
      keepMark(state, identity, known)
      const loaded = validMark(name, known)
      // What this run is told was loaded is in the destination already.
      forgetLoaded(name, loaded, new Date(Date.now() - keepDays * 86_400_000))
      let mark: LoadedMark = loaded === 0 ? { sequence: 0 } : known
      for (const entries of entriesAfter(name, loaded)) {
        const rows: PayloadRow[] = []
        const raw: PayloadRow[] = []
        const entryOfRow = new Map<unknown, InboxEntry>()
        for (const entry of entries) {
          const payload = payloadOf(entry)
          const own = 'problem' in payload ? [] : [payload.value].flat().map((one, at) => rowOf(one, entry, at))
          if (own.length === 0)
            raw.push(rawRow(entry, 'problem' in payload ? payload.problem : 'the payload is an empty list'))
          for (const row of own) entryOfRow.set(row.payload_id, entry)
          rows.push(...own)
        }
        for (const [table, own] of Map.groupBy(rows, (row) => tableOf(row) ?? standardTable)) {
          const otherwise = (row: unknown, error: Error) => {
            const { payload_id: id } = row as PayloadRow
            return withHints([{ ...rawRow(entryOfRow.get(id)!, summaryOf(error)), payload_id: id }], rawHints)
          }
          yield withHints(own, { ...keyed, tableName: table, otherwise })
        }
        if (raw.length > 0) yield withHints(raw, rawHints)
        for (const entry of entries) if (isWhole(entry) && entry.sequence > mark.sequence) mark = markOf(entry)
        keepMark(state, identity, mark)
      }
    },
    keyed,
  )
}

/** The inbox of a name as a source of its own: `chatlio_inbox`. */
export const inboxSource = (name: string, options: InboxOptions = {}): Source =>
  source(inboxSourceName(name), [
    inboxResource(name, options, (other) => inboxSourceName(other) === inboxSourceName(name)),
  ])

/** Names that differ in `-` and `_` alone have one source. */
export const inboxSourceName = (name: string): string => `${name.replaceAll('-', '_')}_inbox`

const isWhole = (entry: InboxEntry): entry is InboxEntry & { sequence: number } => entry.sequence !== undefined

const standardTable = 'webhook_payload'

const keyed = {
  primaryKey: 'payload_id',
  writeDisposition: 'merge',
  // Typed here, because a payload may come first whose keys become the same columns, with values of another type.
  columns: { payload_id: { dataType: 'text' }, received_at: { dataType: 'timestamp' } },
} as const
const rawHints: Parameters<typeof withHints>[1] = {
  ...keyed,
  tableName: standardTable,
  // Named here, because a table that has all the columns it can have still has room for these. Without a type, because a
  // payload may have such keys itself, of another type.
  columns: { ...keyed.columns, raw_payload: {}, raw_reason: {} },
}

type PayloadRow = Record<string, unknown>

/** The payload, or why it cannot become rows. */
function payloadOf({ sequence, text }: InboxEntry): { value: unknown } | { problem: string } {
  if (sequence === undefined) return { problem: 'the line on disk is damaged' }
  try {
    const value = parseJson(text)
    const problem = shapeProblem(value)
    return problem === undefined ? { value } : { problem: `the payload ${problem}` }
  } catch (error) {
    return { problem: summaryOf(error as Error) }
  }
}

const summaryOf = (error: Error): string => (error instanceof PipelineError ? error.summary : error.message)

/** Of a list, each item is a row; the first has the id of the payload. */
function rowOf(payload: unknown, { payloadId, receivedAt }: InboxEntry, at: number): PayloadRow {
  const row: PayloadRow = typeof payload === 'object' && payload !== null ? { ...payload } : { value: payload }
  // They go last: of keys that become one column, such as `payload_id` and `Payload-ID`, the last one takes it.
  delete row.payload_id
  delete row.received_at
  row.payload_id = at === 0 ? payloadId : `${payloadId}-${at}`
  row.received_at = receivedAt
  return row
}

const rawRow = ({ payloadId, receivedAt, text }: InboxEntry, reason: string): PayloadRow => ({
  payload_id: payloadId,
  received_at: receivedAt,
  raw_payload: text,
  raw_reason: reason,
})
