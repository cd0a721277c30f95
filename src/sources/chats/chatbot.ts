import type { Source } from '../../extract/index.ts'
import { restSource, type CustomPaginator, type RestResourceSpec } from '../rest/index.ts'
import { PlatformParts, secret, type Platform, type PlatformDocs, type PlatformOptions } from './platform.ts'

export interface ChatbotOptions extends PlatformOptions {
  /** Days before the newest known chat that are read again, because chats go on after they are listed. @default 2 */
  chatOverlapDays?: number
}

const reports = ['conversations', 'conversations.paid', 'conversations.messages', 'conversations.avg']

const docs: PlatformDocs = {
  name: 'chatbot',
  title: 'ChatBot',
  about:
    'ChatBot lets teams build chatbots; its API tells users, chats, stories, entities, training phrases and reports.',
  baseUrl: 'https://api.chatbot.com',
  auth: 'Requests carry a developer access token: Authorization: Bearer TOKEN.',
  credentials: [
    'Log in at https://app.chatbot.com.',
    'Open Settings → Developers.',
    'Create an access token, or copy the one that is there.',
  ],
  troubleshooting: [
    { topic: 'Authentication', text: '401 means that the token is missing, mistyped or revoked.' },
    {
      topic: 'Rate limits',
      text: 'ChatBot names no number. 429 is waited out as Retry-After says; requestsPerMinute sets a limit of your own.',
    },
    {
      topic: 'Pagination',
      text: 'Users go on after the last id, chats after the creation of the last one, training phrases page by page; the other lists come whole.',
    },
    {
      topic: 'Errors',
      text: '404 for a story without a welcome or fallback interaction, and for a report that the plan lacks, is passed over and counted.',
    },
  ],
  resources: [
    { name: 'users', reads: 'GET /users?limit&after', note: 'new users and those seen since, by lastSeen' },
    { name: 'users_single', reads: 'GET /users/{id}', note: 'each of them with session and conversations' },
    { name: 'stories', reads: 'GET /v2/stories', note: 'all stories' },
    { name: 'welcome_interaction', reads: 'GET /stories/{id}/interactions/welcome', note: 'with story_id' },
    { name: 'fallback_interaction', reads: 'GET /stories/{id}/interactions/fallback', note: 'with story_id' },
    { name: 'chats', reads: 'GET /v2/chats?after', note: 'newest first, with messages; by createdAt' },
    { name: 'segments', reads: 'GET /users/segments', note: 'all segments' },
    { name: 'entities', reads: 'GET /entities', note: 'with entries and synonyms' },
    { name: 'training_phrases', reads: 'GET /training?page=N', note: 'what users said and the bot did not match' },
    ...reports.map((report) => ({
      name: reportName(report),
      reads: `GET /reports/${report}`,
      note: 'one row a day of the last 30 days',
    })),
  ],
  corrections: [
    'stories is a bare list in the docs, { data: […] } on the page: both are accepted.',
    'Welcome and fallback interactions exist in the first version of the API only, and have no id: story_id is their key.',
    'users and users/:id are two tables: conversations is a number in one and a list in the other.',
  ],
  settings: [{ key: 'api_key', secret: true, note: 'access token from Settings → Developers' }],
  actions: [],
}

function reportName(report: string): string {
  return `report_${report.replace('.', '_')}`
}

const parts = new PlatformParts(docs, (options, { baseUrl, rateLimit }) => ({
  baseUrl: baseUrl(options, docs.baseUrl),
  auth: { type: 'bearer', token: secret('api_key') },
  paginator: 'single_page',
  ...rateLimit(options),
}))

const chatsPerPage = 40

/** `after` is the creation of the page's last chat in milliseconds; whether that chat counts is not documented. */
const chatPages: CustomPaginator = {
  type: 'custom',
  create() {
    let last: number | undefined
    return {
      first: () => undefined,
      next({ url }, { rows }) {
        const oldest = Date.parse(String((rows.at(-1) as { createdAt?: unknown } | undefined)?.createdAt))
        if (rows.length < chatsPerPage || Number.isNaN(oldest)) return false
        // One millisecond more reads chats of the same moment again rather than losing them; the key merges them.
        last = last === oldest + 1 ? oldest : oldest + 1
        url.searchParams.set('after', String(last))
        return true
      },
    }
  },
}

function interaction(kind: string): RestResourceSpec {
  return {
    name: `${kind}_interaction`,
    primaryKey: 'story_id',
    includeFromParent: { id: 'story_id' },
    endpoint: {
      path: `stories/{resources.stories.id}/interactions/${kind}`,
      dataSelector: '$',
      responseActions: [{ statusCode: 404, action: 'ignore' }],
    },
  }
}

function chatbotSource(options: ChatbotOptions = {}): Source {
  const overlap = (options.chatOverlapDays ?? 2) * 86_400
  return restSource({
    ...parts.spec(options),
    resourceDefaults: { primaryKey: 'id', writeDisposition: 'merge' },
    resources: [
      {
        name: 'users',
        endpoint: {
          params: { limit: 40, 'sort[field]': 'lastSeen', 'sort[order]': 'desc' },
          dataSelector: 'data',
          paginator: { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'after', pageSize: 40 },
          // An hour of overlap: a user seen while the last run was paging may have slipped from page to page.
          incremental: { cursorPath: 'lastSeen', rowOrder: 'desc', lag: 3600, onCursorValueMissing: 'include' },
        },
      },
      { name: 'users_single', endpoint: { path: 'users/{resources.users.id}' } },
      { name: 'stories', endpoint: { path: 'v2/stories' } },
      interaction('welcome'),
      interaction('fallback'),
      {
        name: 'chats',
        endpoint: {
          path: 'v2/chats',
          paginator: chatPages,
          incremental: { cursorPath: 'createdAt', rowOrder: 'desc', lag: overlap },
        },
      },
      { name: 'segments', endpoint: { path: 'users/segments', dataSelector: '$' } },
      { name: 'entities', endpoint: { dataSelector: '$' } },
      {
        name: 'training_phrases',
        endpoint: {
          path: 'training',
          dataSelector: 'items',
          paginator: { type: 'page_number', basePage: 1, totalPath: null },
        },
      },
      ...reports.map((report) => ({
        name: reportName(report),
        primaryKey: 'date',
        endpoint: {
          path: `reports/${report}`,
          params: { period: 'last30days', dimension: 'day' },
          dataSelector: 'data',
          responseActions: [{ statusCode: 404, action: 'ignore' as const }],
        },
      })),
    ],
  })
}

/** ChatBot: users, stories and interactions, chats with messages, entities, training, reports. */
export const chatbot: Platform<ChatbotOptions> = Object.assign(chatbotSource, { docs, actions: {} })
