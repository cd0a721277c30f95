/**
 * Writes `source.schema.json`, by which editors complete and check source files: `npm run docs:schema`. Keys and names are
 * those of the validator; a key that it knows and that has no shape here ends the script.
 */
import { writeFileSync } from 'node:fs'
import { grammar } from '../src/sources/rest/validate.ts'

type Schema = Record<string, unknown>

const text: Schema = { type: 'string' }
const whole: Schema = { type: 'integer' }
const flag: Schema = { type: 'boolean' }
const object: Schema = { type: 'object' }
const texts: Schema = { type: 'array', items: text }
const textOrTexts: Schema = { anyOf: [text, texts] }
const oneOf = (...values: string[]): Schema => ({ enum: values })
const reference = (key: 'secret' | 'config'): Schema => ({
  type: 'object',
  properties: { [key]: text },
  required: [key],
  additionalProperties: false,
})
/** A value, or where to look it up. */
const setting: Schema = { anyOf: [text, reference('secret'), reference('config')] }
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
const definition = (name: string): Schema => ({ $ref: `#/$defs/${name}` })

/** The shape of every key, by its name. */
const shapes: Record<string, Schema> = {
  accessTokenRequestData: object,
  accessTokenUrl: setting,
  allowedHosts: texts,
  apiKey: setting,
  auth: orNull(definition('auth')),
  backoffMs: whole,
  basePage: whole,
  baseUrl: setting,
  checks: { type: 'array', items: object },
  client: definition('client'),
  clientId: setting,
  clientSecret: setting,
  columns: { anyOf: [object, { type: 'array', items: object }] },
  concurrency: whole,
  cookieName: text,
  cursorBodyPath: text,
  cursorKey: text,
  cursorParam: text,
  cursorPath: text,
  data: {},
  dataSelector: orNull(text),
  defaultTokenExpiration: whole,
  description: text,
  endpoint: { anyOf: [text, definition('endpoint')] },
  hasMorePath: orNull(text),
  headers: { type: 'object', additionalProperties: { anyOf: [setting, { type: ['number', 'boolean'] }] } },
  includeFromParent: { anyOf: [texts, object] },
  incremental: object,
  json: orNull(object),
  limit: whole,
  limitBodyPath: text,
  limitParam: text,
  linksNextKey: text,
  linksPath: text,
  location: oneOf('header', 'query', 'param', 'cookie'),
  maxAttempts: whole,
  maxResponseBytes: whole,
  maxTableNesting: whole,
  maximumOffset: orNull(whole),
  maximumPage: orNull(whole),
  mergeKey: textOrTexts,
  method: oneOf('GET', 'POST'),
  name: text,
  nestedHints: object,
  nextUrlPath: text,
  offset: whole,
  offsetBodyPath: text,
  offsetParam: text,
  page: whole,
  pageBodyPath: text,
  pageParam: text,
  pageSize: whole,
  paginator: orNull(definition('paginator')),
  params: object,
  password: setting,
  path: text,
  perSeconds: { type: 'number' },
  primaryKey: textOrTexts,
  quarantine: flag,
  rateLimit: definition('rateLimit'),
  requests: { type: 'number' },
  resourceDefaults: definition('defaults'),
  resources: { type: 'array', items: { anyOf: [text, definition('resource')] } },
  responseActions: {
    type: 'array',
    items: {
      type: 'object',
      properties: { status_code: { type: ['integer', 'string'] }, content: text, action: oneOf('ignore') },
      required: ['action'],
      additionalProperties: false,
    },
  },
  resumable: flag,
  retryStatuses: { type: 'array', items: whole },
  rootKey: flag,
  schemaContract: { anyOf: [oneOf('evolve', 'freeze', 'discard_row', 'discard_value'), object] },
  scheme: text,
  section: text,
  selected: flag,
  sendAs: oneOf('bearer', 'cookie'),
  splitByDay: object,
  stopAfterEmptyPage: flag,
  tableName: text,
  timeoutMs: whole,
  token: setting,
  tokenPath: text,
  totalPath: orNull(text),
  url: text,
  username: setting,
  writeDisposition: { anyOf: [oneOf('append', 'replace', 'merge', 'skip'), object] },
}

/** What only code can hold. */
const inCodeOnly = new Set(['processingSteps', 'create'])

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function properties(keys: readonly string[]): Schema {
  const known = keys.filter((key) => key !== '' && !inCodeOnly.has(key))
  return Object.fromEntries(
    known.map((key) => {
      const shape = shapes[key]
      if (shape === undefined) throw new Error(`the key "${key}" has no shape in scripts/source-schema.ts`)
      return [snake(key), shape]
    }),
  )
}

const closed = (keys: readonly string[], required: readonly string[] = []): Schema => ({
  type: 'object',
  properties: properties(keys),
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required: required.map(snake) }),
})

/** An object with a `type`, or the type alone. */
function union(types: Record<string, string>, more: Schema[] = []): Schema {
  const names = Object.keys(types).filter((type) => type !== 'custom')
  const objects = names.map((type) => ({
    type: 'object',
    properties: { type: { const: type }, ...properties(types[type]!.split(' ')) },
    required: ['type'],
    additionalProperties: false,
  }))
  return { anyOf: [{ enum: names }, ...objects, ...more] }
}

const keysOf = (part: keyof typeof grammar.keys): string[] => grammar.keys[part].split(' ')

export const sourceSchema: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Sluice source file',
  ...closed(keysOf('source'), ['client', 'resources']),
  $defs: {
    client: closed(keysOf('client'), ['baseUrl']),
    rateLimit: closed(keysOf('rateLimit'), ['requests', 'perSeconds']),
    endpoint: closed(keysOf('endpoint')),
    resource: closed(keysOf('resource'), ['name']),
    defaults: closed(keysOf('resource')),
    auth: union(grammar.authKeys, [closed(['token'], ['token'])]),
    paginator: union(grammar.paginatorKeys),
  },
}

if (import.meta.main) {
  writeFileSync(new URL('../source.schema.json', import.meta.url), `${JSON.stringify(sourceSchema, null, 1)}\n`)
}
