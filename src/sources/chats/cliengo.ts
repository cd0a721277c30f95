import type { Source } from '../../extract/index.ts'
import { restSource } from '../rest/index.ts'
import { PlatformParts, secret, type Platform, type PlatformDocs, type PlatformOptions } from './platform.ts'

export interface CliengoOptions extends PlatformOptions {
  /** First day to load from, `YYYY-MM-DD`. @default '2012-01-01' */
  since?: string
  /** `jwt` trades the key for a token first. @default 'api_key' */
  auth?: 'api_key' | 'jwt'
}

const docs: PlatformDocs = {
  name: 'cliengo',
  title: 'Cliengo',
  about: 'Cliengo is a chatbot for sales: contacts, conversations with their messages, users and sites.',
  baseUrl: 'https://api.cliengo.com/1.0',
  auth: 'Requests carry the key as the parameter api_key; the option auth: "jwt" trades it for a token first.',
  credentials: ['Log in to Cliengo.', 'Open Account → Integrations → API.', 'Copy the apiKey that is shown.'],
  troubleshooting: [
    {
      topic: 'Authentication',
      text: '401 and 403 mean a key that is missing, wrong or of another account. The parameter is hidden in logs and errors.',
    },
    {
      topic: 'Rate limits',
      text: 'Cliengo names no number. 429 is waited out as Retry-After says; requestsPerMinute sets a limit of your own.',
    },
    {
      topic: 'Pagination',
      text: 'offset and limit, but no row beyond an offset of 1,000 is served: queries are cut into ranges of days until each one fits.',
    },
    {
      topic: 'Errors',
      text: 'A day with more rows than can be reached ends the run and says which day it is; nothing is left out in silence.',
    },
  ],
  resources: [
    { name: 'contacts', reads: 'GET /contacts by days', note: 'complete, however many; by creationDate' },
    { name: 'conversations', reads: 'GET /conversations', note: 'new and changed ones, by lastMessageDate' },
    {
      name: 'conversation_messages',
      reads: 'GET /conversations/{id}/messages',
      note: 'of new and changed conversations',
    },
    { name: 'users', reads: 'GET /users', note: 'all users' },
    { name: 'sites', reads: 'GET /sites', note: 'all sites' },
    { name: 'account', reads: 'GET /account', note: 'the account' },
  ],
  corrections: [
    'An offset beyond 1,000 is refused, so the paging of the page stops early: queries are split into ranges of days.',
    'Rows stand under results, their number under paging.total; the page names no selector.',
    'The single contact and conversation of the page bring nothing that the lists do not have.',
    'A change of an older contact cannot be asked for: its row is read again only together with its day.',
  ],
  settings: [{ key: 'api_key', secret: true, note: 'key from Account → Integrations → API' }],
  actions: [],
}

const parts = new PlatformParts(docs, (options: CliengoOptions, { baseUrl, rateLimit }) => ({
  baseUrl: baseUrl(options, docs.baseUrl),
  auth:
    options.auth === 'jwt'
      ? { type: 'jwt_exchange', url: 'jwt', params: { api_key: secret('api_key') } }
      : { type: 'api_key', name: 'api_key', location: 'query', apiKey: secret('api_key') },
  ...rateLimit(options),
}))

const limit = 100
/** The highest offset that is served, and the page that begins there. */
const reachableRows = 1000 + limit

function cliengoSource(options: CliengoOptions = {}): Source {
  const splitRange = {
    startParam: 'since',
    endParam: 'until',
    maxRows: reachableRows,
    totalPath: 'paging.total',
    earliest: options.since ?? '2012-01-01',
  }
  return restSource({
    ...parts.spec(options),
    resourceDefaults: {
      primaryKey: 'id',
      writeDisposition: 'merge',
      endpoint: { dataSelector: 'results', paginator: { type: 'offset', limit, totalPath: 'paging.total' } },
    },
    resources: [
      {
        name: 'contacts',
        endpoint: { splitRange, incremental: { cursorPath: 'creationDate' } },
      },
      {
        name: 'conversations',
        endpoint: {
          splitRange: { ...splitRange, fromCursor: false },
          // The API filters by creation; what was said since shows only in the rows.
          incremental: { cursorPath: 'lastMessageDate', onCursorValueMissing: 'include' },
        },
      },
      {
        name: 'conversation_messages',
        primaryKey: ['conversationId', 'id'],
        endpoint: { path: 'conversations/{resources.conversations.id}/messages' },
        includeFromParent: { id: 'conversationId' },
      },
      'users',
      'sites',
      { name: 'account', endpoint: { dataSelector: '$', paginator: 'single_page' } },
    ],
  })
}

/** Cliengo: contacts, conversations with messages, users, sites, account. */
export const cliengo: Platform<CliengoOptions> = Object.assign(cliengoSource, { docs, actions: {} })
