import { parseJson, resource, source, withHints, type Resource, type ResourceContext, type Source } from '../index.ts'
import type { WebhookTable } from '../sources/chats/platform.ts'
import { platformByName } from '../sources/chats/registry.ts'
import { entriesAfter, forgetLoaded } from './inbox-store.ts'

export interface InboxOptions {
  /** The table of a payload. @default by platform, else `webhook_payload` */
  tableName?: WebhookTable
  /** Loaded payloads stay on disk for so many days. @default 30 */
  keepDays?: number
}

/**
 * What was received under a name, each payload once: sent again by its sender, it is the same row. Tables are merged by
 * `payload_id`.
 */
export function inbox(name: string, { tableName, keepDays = 30 }: InboxOptions = {}): Resource {
  return resource(
    standardTable,
    async function* (context: ResourceContext) {
      const tableOf = tableName ?? (await platformByName(name))?.webhookTable ?? (() => undefined)
      const loaded = Number(context.state.loaded ?? 0)
      // What this run is told was loaded is in the destination already.
      forgetLoaded(name, loaded, new Date(Date.now() - keepDays * 86_400_000))
      for (const entries of entriesAfter(name, loaded, parseJson)) {
        const rows = entries.flatMap(({ payload, payloadId, receivedAt }) =>
          [payload].flat().map((one, at) => rowOf(one, at === 0 ? payloadId : `${payloadId}-${at}`, receivedAt)),
        )
        for (const [table, own] of Map.groupBy(rows, (row) => tableOf(row) ?? standardTable))
          yield withHints(own, { tableName: table, primaryKey: 'payload_id', writeDisposition: 'merge' })
        context.state.loaded = Number(entries.at(-1)!.sequence)
      }
    },
    { primaryKey: 'payload_id', writeDisposition: 'merge' },
  )
}

/** The inbox of a name as a source of its own: `chatlio_inbox`. */
export const inboxSource = (name: string, options: InboxOptions = {}): Source =>
  source(`${name.replaceAll('-', '_')}_inbox`, [inbox(name, options)])

const standardTable = 'webhook_payload'

const rowOf = (payload: unknown, payloadId: string, receivedAt: string): Record<string, unknown> => ({
  ...(typeof payload === 'object' && payload !== null ? payload : { value: payload }),
  payload_id: payloadId,
  received_at: receivedAt,
})
