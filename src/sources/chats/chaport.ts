import { transformer, type Source } from '../../extract/index.ts'
import { restSource } from '../rest/index.ts'
import {
  PlatformParts,
  requireText,
  secret,
  type ActionOptions,
  type Platform,
  type PlatformDocs,
  type PlatformOptions,
} from './platform.ts'

interface Chat extends Record<string, unknown> {
  id: number
  visitorId: string
  events?: readonly Record<string, unknown>[]
}

export interface ChaportMessage {
  visitorId: string
  text: string
  /** The operator who speaks. */
  operatorId: string
}

const docs: PlatformDocs = {
  name: 'chaport',
  title: 'Chaport',
  about: 'Chaport is a live chat: operators, visitors, their chats with every event, and webhooks.',
  baseUrl: 'https://app.chaport.com/api/v1',
  auth: 'Requests carry an access token: Authorization: Bearer TOKEN.',
  credentials: [
    'Log in to Chaport.',
    'Open Settings → API: https://app.chaport.com/#/settings/api.',
    'Generate an access token, or copy the one that is there.',
  ],
  troubleshooting: [
    {
      topic: 'Authentication',
      text: '401 means that the token is missing or wrong, 403 that it may not read this.',
    },
    {
      topic: 'Rate limits',
      text: 'Chaport names no number. 429 is waited out as Retry-After says; requestsPerMinute sets a limit of your own.',
    },
    {
      topic: 'Pagination',
      text: 'Visitors follow links.next; the chats of a visitor are the latest one, then all that links.more names.',
    },
    { topic: 'Errors', text: '404 for a visitor who never chatted is passed over and counted.' },
  ],
  resources: [
    { name: 'operators', reads: 'GET /operators', note: 'all operators' },
    { name: 'operator', reads: 'GET /operators/{id}', note: 'each operator on its own' },
    { name: 'visitors', reads: 'GET /visitors?page=N', note: 'new and changed visitors, by lastSeen' },
    { name: 'visitor', reads: 'GET /visitors/{id}', note: 'each new or changed visitor on its own' },
    {
      name: 'visitor_chats',
      reads: 'GET /visitors/{id}/chats, links.more',
      note: 'the latest chat and all older ones',
    },
    { name: 'chat', reads: 'the same answers', note: 'chats with their events nested' },
    { name: 'chat_events', reads: 'the same answers', note: 'one row an event, with visitor_id and chat_id' },
    { name: 'webhooks', reads: 'GET /events/subscriptions', note: 'webhook subscriptions' },
  ],
  corrections: [
    'visitors come in pages: links.next leads on. The page shows no paging for them.',
    'visitors/{id}/chats answers with one chat, the latest; links.more lists the addresses of the others.',
    'messages is a POST that reaches a real visitor: it is an action, not a resource.',
    'Chat ids are small numbers, unique for a visitor only: keys are visitor_id with id.',
  ],
  settings: [{ key: 'token', secret: true, note: 'access token from Settings → API' }],
  actions: [{ name: 'sendMessage', note: 'sends a message to a visitor as an operator' }],
}

const parts = new PlatformParts(docs, (options, { baseUrl, rateLimit }) => ({
  baseUrl: baseUrl(options, docs.baseUrl),
  auth: { type: 'bearer', token: secret('token') },
  paginator: 'single_page',
  ...rateLimit(options),
}))

function chaportSource(options: PlatformOptions = {}): Source {
  const declared = restSource({
    ...parts.spec(options),
    resourceDefaults: { primaryKey: 'id', writeDisposition: 'merge', endpoint: { dataSelector: 'result' } },
    resources: [
      'operators',
      { name: 'operator', endpoint: { path: 'operators/{resources.operators.id}' } },
      {
        name: 'visitors',
        endpoint: {
          paginator: { type: 'json_link', nextUrlPath: 'links.next' },
          // The order is by latest chat and there is no filter, so all pages are read and known visitors left out.
          incremental: { cursorPath: 'lastSeen', onCursorValueMissing: 'include' },
        },
      },
      { name: 'visitor', endpoint: { path: 'visitors/{resources.visitors.id}' } },
      {
        name: 'chat',
        primaryKey: ['visitor_id', 'id'],
        includeFromParent: { id: 'visitor_id' },
        endpoint: {
          path: 'visitors/{resources.visitors.id}/chats',
          paginator: { type: 'link_list', linksPath: 'links.more' },
          // A visitor who never chatted has no chats to show.
          responseActions: [{ statusCode: 404, action: 'ignore' }],
        },
      },
      { name: 'webhooks', endpoint: { path: 'events/subscriptions' } },
    ],
  })
  const chats = declared.resources.find((one) => one.name === 'chat')!
  const visitorChats = transformer(
    'visitor_chats',
    (page: readonly Chat[]) => [page.map(({ events: _, ...chat }) => chat)],
    { from: chats as never, primaryKey: ['visitor_id', 'id'], writeDisposition: 'merge' },
  )
  const chatEvents = transformer(
    'chat_events',
    (page: readonly Chat[]) => [
      page.flatMap((chat) =>
        (chat.events ?? []).map((event) => ({ ...event, visitor_id: chat.visitor_id, chat_id: chat.id })),
      ),
    ],
    { from: chats as never, primaryKey: ['visitor_id', 'chat_id', 'id'], writeDisposition: 'merge' },
  )
  return declared.adding(visitorChats, chatEvents)
}

/** Chaport: operators, visitors, chats with events, webhooks. */
export const chaport: Platform<
  PlatformOptions,
  { sendMessage(message: ChaportMessage, options?: ActionOptions): Promise<unknown> }
> = Object.assign(chaportSource, {
  docs,
  actions: {
    /** Sends a message to a real visitor. */
    sendMessage(message: ChaportMessage, options: ActionOptions = {}): Promise<unknown> {
      requireText('sendMessage', { ...message }, ['visitorId', 'text', 'operatorId'])
      const { visitorId, text, operatorId } = message
      const chatEvent = { type: 'operator-message', params: { text, operatorId } }
      return parts.post('messages', { visitorId, chatEvent }, options)
    },
  },
})
