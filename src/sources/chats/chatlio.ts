import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  parseJson,
  resource,
  transformer,
  type Resource,
  type ResourceContext,
  type Source,
} from '../../extract/index.ts'
import { PipelineError } from '../../errors/index.ts'
import { restSource } from '../rest/index.ts'
import { config, PlatformParts, secret, type Platform, type PlatformDocs, type PlatformOptions } from './platform.ts'

export interface ChatlioOptions extends PlatformOptions {
  /** Widgets to read one by one; Chatlio cannot list them. @default the setting `widget_ids` */
  widgetIds?: readonly string[]
  /** A JSON or JSONL file, or a folder of them, with recorded webhook payloads. @default the setting `webhook_files` */
  webhookFiles?: string
}

interface Conversation extends Record<string, unknown> {
  conversationUUID?: string
  widgetId?: string
  visitor?: { UUID?: string } & Record<string, unknown>
}

const docs: PlatformDocs = {
  name: 'chatlio',
  title: 'Chatlio',
  about: 'Chatlio brings the live chat of a website into Slack; its API tells the conversations that are going on.',
  baseUrl: 'https://api.chatlio.com/v1/api',
  auth: 'Requests carry the key as Authorization: Bearer KEY; HTTP Basic with the key as user name works, too.',
  credentials: [
    'Log in at https://app.chatlio.com.',
    'Open Settings from your profile, then API.',
    'Generate a key, or copy the one that is there.',
  ],
  troubleshooting: [
    { topic: 'Authentication', text: '401 means a wrong key, 403 one that may not read this account.' },
    {
      topic: 'Rate limits',
      text: 'Chatlio names no number. 429 is waited out as Retry-After says; requestsPerMinute sets a limit of your own.',
    },
    { topic: 'Pagination', text: 'None is documented: an answer holds all conversations that are going on now.' },
    {
      topic: 'Errors',
      text: '404 for a widget that does not exist is passed over and counted. Closed conversations leave the answer, and stay in the table as last seen.',
    },
  ],
  resources: [
    {
      name: 'conversation_summary',
      reads: 'GET /chat_endpoints/all/conversation_summary',
      note: 'conversations that are going on now; closed ones stay in the table as last seen',
    },
    {
      name: 'chat_endpoints_widget_id',
      reads: 'GET /chat_endpoints/{widget_id}/conversation_summary',
      note: 'the same for each configured widget',
    },
    { name: 'chat_endpoints', reads: 'the answers and the settings', note: 'the widgets that are known' },
    { name: 'visitor_info', reads: 'the visitor data of the answers', note: 'one row a visitor' },
    { name: 'webhook_payload', reads: 'recorded files', note: 'transcripts and messages that Chatlio sent' },
  ],
  corrections: [
    'The base URL is https://api.chatlio.com/v1/api; the page leaves out /api.',
    'conversation_summary and chat_endpoints/:widget-id are two halves of one path.',
    'chat_endpoints alone is no path of the API: the widgets are taken from what is known of them.',
    'visitor_info is a command in Slack; visitors come with visitor_data=true instead.',
    'webhook_payload is sent by Chatlio and cannot be read; recorded payloads are loaded from files.',
    'No paging is documented; the page speaks of page or cursor.',
  ],
  settings: [
    { key: 'api_key', secret: true, note: 'API key of the account' },
    { key: 'widget_ids', secret: false, note: 'ids of widgets, from the embed code' },
    { key: 'webhook_files', secret: false, note: 'file or folder of recorded webhook payloads' },
  ],
  actions: [],
}

const parts = new PlatformParts(docs, (options, { baseUrl, rateLimit }) => ({
  baseUrl: baseUrl(options, docs.baseUrl),
  auth: { type: 'bearer', token: secret('api_key') },
  paginator: 'single_page',
  ...rateLimit(options),
}))

/** What an answer may be: a list, a list under some name, lists by widget, or one conversation. */
function conversationsIn(answer: Record<string, unknown>, loadedAt: string): Conversation[] {
  const isConversation = Object.hasOwn(answer, 'conversationUUID')
  const lists = Object.values(answer).filter((value) => Array.isArray(value))
  const rows = isConversation ? [answer] : lists.flat()
  return rows.map((row) => ({ ...(row as Conversation), loaded_at: loadedAt }))
}

function conversationRows(rows: Resource, name: string): Resource {
  const loadedAt = new Date().toISOString()
  return transformer(
    name,
    (page) => [page.flatMap((answer) => conversationsIn(answer as Record<string, unknown>, loadedAt))],
    { from: rows, primaryKey: 'conversationUUID', writeDisposition: 'merge' },
  )
}

function chatlioSource(options: ChatlioOptions = {}): Source {
  const widgets = parts.ids('configured_widgets', 'widget_id', 'widget_ids', options.widgetIds)
  const endpoint = { params: { visitor_data: 'true' }, dataSelector: '$' }
  const declared = restSource({
    ...parts.spec(options),
    resources: [
      widgets,
      {
        name: 'all_conversations',
        selected: false,
        endpoint: { ...endpoint, path: 'chat_endpoints/all/conversation_summary' },
      },
      {
        name: 'widget_conversations',
        selected: false,
        endpoint: {
          ...endpoint,
          path: 'chat_endpoints/{resources.configured_widgets.widget_id}/conversation_summary',
          responseActions: [{ statusCode: 404, action: 'ignore' }],
        },
      },
    ],
  })
  const [, all, byWidget] = declared.resources
  const summary = conversationRows(all!, 'conversation_summary')
  const visitors = transformer(
    'visitor_info',
    (page) => [(page as Conversation[]).flatMap(({ visitor }) => (visitor?.UUID === undefined ? [] : [visitor]))],
    { from: summary, primaryKey: 'UUID', writeDisposition: 'merge' },
  )
  const known = transformer(
    'chat_endpoints',
    async function* (_page, context) {
      const ids = await Promise.all([context.rowsOf(widgets.name), context.rowsOf(summary.name)])
      yield [...new Set(ids.flat().filter((id) => id !== undefined))].map((widget_id) => ({ widget_id }))
    },
    {
      alongside: [
        { resource: widgets, keep: (row) => (row as { widget_id: string }).widget_id },
        { resource: summary, keep: (row) => (row as Conversation).widgetId },
      ],
      primaryKey: 'widget_id',
      writeDisposition: 'merge',
    },
  )
  return declared.adding(
    summary,
    conversationRows(byWidget!, 'chat_endpoints_widget_id'),
    known,
    visitors,
    webhookPayloads(options.webhookFiles),
  )
}

/** Recorded payloads. A file that was loaded and has not changed since is not read again. */
function webhookPayloads(given: string | undefined): Resource {
  return resource(
    'webhook_payload',
    function* (context: ResourceContext) {
      const setting = given ?? parts.setting(context, config('webhook_files', { optional: true }))
      if (setting === undefined) return
      const known = (context.state.files ??= {}) as Record<string, string>
      for (const path of payloadFiles(String(setting))) {
        const { size, mtimeMs } = statSync(path)
        const version = `${size} ${mtimeMs}`
        if (Object.hasOwn(known, path) && known[path] === version) continue
        yield payloadsOf(path)
        known[path] = version
      }
    },
    { writeDisposition: 'append' },
  )
}

function payloadFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
  } catch (error) {
    throw new PipelineError(`webhook_files: there is no file or folder ${path}`, {
      code: 'CONFIG_INVALID',
      fix: 'correct the path, or remove the setting',
      cause: error,
    })
  }
  return readdirSync(path)
    .filter((name) => /\.jsonl?$/.test(name))
    .sort()
    .map((name) => join(path, name))
}

/** A payload, a list of payloads, or one payload a line. */
function payloadsOf(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, 'utf8')
  const parsed = path.endsWith('.jsonl')
    ? text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(parseJson)
    : [parseJson(text)].flat()
  const file = path.split(/[\\/]/).at(-1)!
  return parsed.map((payload, at) => ({ ...(payload as object), payload_file: file, payload_index: at }))
}

function webhookTable({ conversationUUID, messages, email, message }: Record<string, unknown>): string | undefined {
  if (typeof conversationUUID === 'string') return Array.isArray(messages) ? 'chat_transcript' : undefined
  return typeof email === 'string' && message !== undefined ? 'offline_message' : undefined
}

/** Chatlio: ongoing conversations, their visitors and widgets, recorded webhooks. */
export const chatlio: Platform<ChatlioOptions> = Object.assign(chatlioSource, {
  docs,
  actions: {},
  webhookTable,
})
