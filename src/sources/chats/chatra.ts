import type { Resource, Source } from '../../extract/index.ts'
import { restSource, type RestResourceSpec } from '../rest/index.ts'
import {
  PlatformParts,
  requireText,
  secret,
  type ActionOptions,
  type Platform,
  type PlatformDocs,
  type PlatformOptions,
} from './platform.ts'

export interface ChatraOptions extends PlatformOptions {
  /** Ids to load; Chatra cannot list anything. @default the settings of the same names in snake_case */
  messageIds?: readonly string[]
  pushedMessageIds?: readonly string[]
  clientIds?: readonly string[]
}

export interface ChatraMessage {
  clientId: string
  /** 1 to 5,000 characters. */
  text: string
  agentId?: string
  groupId?: string
}

const docs: PlatformDocs = {
  name: 'chatra',
  title: 'Chatra',
  about: 'Chatra is a live chat: messages, messages pushed by programs, and the clients who wrote them.',
  baseUrl: 'https://app.chatra.io/api',
  auth: 'Requests carry Authorization: Chatra.Simple PUBLIC:SECRET; HTTP Basic with the same pair works, too.',
  credentials: [
    'Log in at https://app.chatra.io.',
    'Open Settings → Preferences and find the API keys.',
    'Join the public and the secret key with a colon: PUBLIC:SECRET.',
  ],
  troubleshooting: [
    {
      topic: 'Authentication',
      text: '401 means that one of the two keys is missing or wrong, or that the colon between them is. Both belong into api_key_pair.',
    },
    {
      topic: 'Rate limits',
      text: '60 requests a minute for each account. Requests are spread so that the limit is kept; 429 is waited out as Retry-After says.',
    },
    {
      topic: 'Pagination',
      text: 'There is none, because nothing can be listed: give the ids to load. Ids that were loaded once are not asked for again.',
    },
    {
      topic: 'Errors',
      text: '404 for an id that does not exist is passed over and counted; other errors come as {"status", "message"}.',
    },
  ],
  resources: [
    { name: 'message', reads: 'GET /messages/{id}', note: 'by the ids in message_ids' },
    { name: 'pushed_message', reads: 'GET /pushedMessages/{id}', note: 'by the ids in pushed_message_ids' },
    { name: 'client', reads: 'GET /clients/{id}', note: 'by the ids in client_ids and those of loaded messages' },
  ],
  corrections: [
    'Nothing can be listed: the page reads messages/ and pushedMessages/ as lists, but only single ids exist.',
    'The page writes auth as { type: "api_key", token_pair }; the header is Authorization: Chatra.Simple PUBLIC:SECRET.',
    'send_message and push_message write: they are actions, not resources.',
  ],
  settings: [
    { key: 'api_key_pair', secret: true, note: 'PUBLIC:SECRET from Settings → Preferences' },
    { key: 'message_ids', secret: false, note: 'messages to load' },
    { key: 'pushed_message_ids', secret: false, note: 'pushed messages to load' },
    { key: 'client_ids', secret: false, note: 'clients to load' },
  ],
  actions: [
    { name: 'sendMessage', note: 'sends a message to a client as an agent' },
    { name: 'pushMessage', note: 'pushes a message to a client' },
  ],
}

const parts = new PlatformParts(docs, (options, { baseUrl, rateLimit }) => ({
  baseUrl: baseUrl(options, docs.baseUrl),
  auth: { type: 'api_key', scheme: 'Chatra.Simple', apiKey: secret('api_key_pair') },
  paginator: 'single_page',
  ...rateLimit(options, 60),
}))

function byId(name: string, path: string, parent: string, field: string): RestResourceSpec {
  return {
    name,
    endpoint: {
      path: `${path}/{resources.${parent}.${field}}`,
      // A missing id is reported and does not stop the others.
      responseActions: [{ statusCode: 404, action: 'ignore' }],
    },
  }
}

/** Ids that no earlier run loaded. Messages do not change, and every request counts at 60 a minute. */
function onlyNew(ids: Resource): Resource {
  return ids.remembering('id')
}

function chatraSource(options: ChatraOptions = {}): Source {
  return restSource({
    ...parts.spec(options),
    resourceDefaults: { primaryKey: 'id', writeDisposition: 'merge' },
    resources: [
      onlyNew(parts.ids('configured_messages', 'id', 'message_ids', options.messageIds)),
      onlyNew(parts.ids('configured_pushed_messages', 'id', 'pushed_message_ids', options.pushedMessageIds)),
      parts.ids('configured_clients', 'id', 'client_ids', options.clientIds),
      byId('message', 'messages', 'configured_messages', 'id'),
      byId('pushed_message', 'pushedMessages', 'configured_pushed_messages', 'id'),
      byId('client', 'clients', 'configured_clients', 'id'),
      { ...byId('client_of_message', 'clients', 'message', 'clientId'), tableName: 'client' },
      { ...byId('client_of_pushed_message', 'clients', 'pushed_message', 'clientId'), tableName: 'client' },
    ],
  })
}

function write(path: string, action: string) {
  return (message: ChatraMessage, options: ActionOptions = {}): Promise<unknown> => {
    requireText(action, { ...message }, ['clientId', 'text'])
    return parts.post(path, { ...message }, options)
  }
}

const webhookTables: Record<string, string> = {
  chatStarted: 'chat_started',
  chatFragment: 'chat_fragment',
  chatTranscript: 'chat_transcript',
}
const webhookTable = ({ eventName }: Record<string, unknown>): string | undefined =>
  typeof eventName === 'string' && Object.hasOwn(webhookTables, eventName) ? webhookTables[eventName] : undefined

/** Chatra: messages, pushed messages and clients by id. */
export const chatra: Platform<
  ChatraOptions,
  {
    sendMessage(message: ChatraMessage, options?: ActionOptions): Promise<unknown>
    pushMessage(message: ChatraMessage, options?: ActionOptions): Promise<unknown>
  }
> = Object.assign(chatraSource, {
  docs,
  webhookTable,
  actions: {
    sendMessage: write('messages/', 'sendMessage'),
    pushMessage: write('pushedMessages/', 'pushMessage'),
  },
})
