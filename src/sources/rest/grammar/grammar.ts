import { ConfigReference } from '../../../config/index.ts'
import { Resource } from '../../../extract/index.ts'
import type { TableHints } from '../../../normalize/index.ts'
import type {
  ClientSpec,
  CsvOptions,
  XmlOptions,
  EndpointSpec,
  GraphqlSpec,
  ParentRows,
  RangeSplit,
  RateLimit,
  ReportSpec,
  ResponseRule,
  RestIncremental,
  RestResourceSpec,
  RestSourceSpec,
} from '../spec.ts'
import { auth } from './auth.ts'
import { paginator } from './paginator.ts'
import {
  anything,
  code,
  either,
  flag,
  keys,
  list,
  named,
  names,
  number,
  object,
  oneOf,
  orNull,
  setting,
  text,
  whole,
  type KeysOf,
  type Shape,
} from './shape.ts'

// The keys of a source. Types in `spec.ts` and shapes here are held together by the compiler: a key that is in one alone
// does not compile.

const textOrTexts = either(text, list(text))
const getOrPost = oneOf('GET', 'POST')

const actionName = oneOf('accept', 'ignore', 'retry', 'fail', 'refresh_auth', 'skip_parent')
const responseActions = list(
  either(
    object<ResponseRule>(
      {
        statusCode: either(whole, text),
        content: text,
        when: text,
        action: either(actionName, code),
        message: text,
      },
      ['action'],
    ),
    code,
  ),
)

const cursorValue = either(text, number)
const incremental = object<RestIncremental>(
  {
    cursorPath: text,
    initialValue: orNull(cursorValue),
    endValue: orNull(cursorValue),
    lastValueFunc: either(oneOf('max', 'min'), code),
    rowOrder: orNull(oneOf('asc', 'desc')),
    lag: orNull(number),
    format: oneOf('iso', 'date', 'seconds', 'milliseconds'),
    onCursorValueMissing: oneOf('raise', 'include', 'exclude'),
    rangeStart: oneOf('closed', 'open'),
    rangeEnd: oneOf('open', 'closed'),
    window: object<{ size: number; lookback?: number }>({ size: number, lookback: number }, ['size']),
    allowExternalSchedulers: flag,
    primaryKey: orNull(textOrTexts),
    startParam: orNull(text),
    endParam: orNull(text),
    convert: code,
  },
  ['cursorPath'],
)

const endpoint = object<EndpointSpec>({
  path: text,
  method: getOrPost,
  params: orNull(names()),
  nestedParams: oneOf('brackets', 'dots', 'json'),
  json: orNull(names()),
  data: either(names(), list(anything), text),
  headers: names(either(setting, number, flag)),
  paginator: orNull(named('paginator', () => paginator)),
  maxPages: whole,
  dataSelector: orNull(text),
  requireSelector: flag,
  responseActions,
  incremental: orNull(incremental),
  auth: orNull(named('auth', () => auth)),
  parentRows: object<ParentRows>({ batch: whole, separator: text, distinct: flag, onNull: oneOf('fail', 'skip') }),
  splitRange: object<RangeSplit>(
    {
      startParam: text,
      endParam: text,
      unit: oneOf('day', 'second', 'millisecond', 'number'),
      format: oneOf('date', 'iso', 'seconds', 'milliseconds'),
      maxRows: whole,
      totalPath: text,
      fromCursor: flag,
      earliest: cursorValue,
      latest: cursorValue,
    },
    ['startParam', 'endParam', 'maxRows', 'totalPath', 'earliest'],
  ),
  format: oneOf('auto', 'json', 'jsonl', 'csv', 'xml'),
  csv: object<CsvOptions>({ delimiter: text, quote: text, columns: list(text), skipLines: whole }),
  xml: object<XmlOptions>({ lists: list(text) }),
  charset: text,
  graphql: object<GraphqlSpec>({ query: text, variables: names(), connectionPath: text, afterVariable: text }, [
    'query',
  ]),
  report: object<ReportSpec>(
    {
      pollPath: text,
      pollEvery: number,
      pollFor: number,
      doneWhen: text,
      failedWhen: text,
      downloadPath: text,
      downloadUrlPath: text,
    },
    ['pollPath', 'doneWhen'],
  ),
})

const schemaContract = either(
  oneOf('evolve', 'freeze', 'discard_row', 'discard_value'),
  object<{ tables?: unknown; columns?: unknown; dataType?: unknown }>({
    tables: text,
    columns: text,
    dataType: text,
  }),
)
const tableHints: KeysOf<Omit<TableHints, 'nestedHints'>> = {
  writeDisposition: either(oneOf('append', 'replace', 'merge', 'skip'), keys),
  primaryKey: textOrTexts,
  mergeKey: textOrTexts,
  columns: either(names(keys), list(keys)),
  schemaContract,
  description: text,
  quarantine: flag,
  checks: list(keys),
}

const defaults: KeysOf<Omit<RestResourceSpec, 'name' | 'endpoint' | 'rows' | 'nestedHints'>> = {
  ...tableHints,
  includeFromParent: either(list(text), names(text)),
  processingSteps: code,
  onError: oneOf('fail', 'continue'),
  allowEmpty: flag,
  selected: flag,
  parallelized: flag,
  tableName: text,
  maxTableNesting: whole,
  maxTableColumns: whole,
  resumable: flag,
}
const nestedHints = names(object<Omit<TableHints, 'nestedHints'>>(tableHints))

const resourceShape = object<RestResourceSpec>(
  {
    ...defaults,
    nestedHints,
    name: text,
    endpoint: orNull(
      either(
        text,
        named('endpoint', () => endpoint),
      ),
    ),
    rows: either(list(anything), setting),
  },
  ['name'],
)

const client = object<ClientSpec>(
  {
    baseUrl: setting,
    headers: names(either(setting, number, flag)),
    auth: orNull(named('auth', () => auth)),
    paginator: orNull(named('paginator', () => paginator)),
    responseActions,
    nestedParams: oneOf('brackets', 'dots', 'json'),
    rateLimit: object<RateLimit>({ requests: number, perSeconds: number }, ['requests', 'perSeconds']),
    concurrency: whole,
    timeoutMs: whole,
    connectTimeoutMs: whole,
    headersTimeoutMs: whole,
    bodyTimeoutMs: whole,
    maxAttempts: whole,
    backoffMs: whole,
    allowedHosts: list(text),
    maxResponseBytes: whole,
    retryStatuses: list(whole),
    proxy: setting,
  },
  ['baseUrl'],
)

export const sourceShape = object<RestSourceSpec>(
  {
    name: text,
    section: text,
    client,
    resourceDefaults: object<NonNullable<RestSourceSpec['resourceDefaults']>>({
      ...defaults,
      nestedHints,
      endpoint: named('endpoint', () => endpoint),
    }),
    resources: list(
      either(
        text,
        named('resource', () => resourceShape),
        code,
      ),
    ),
    maxTableNesting: whole,
    maxTableColumns: whole,
    rootKey: flag,
    schemaContract,
  },
  ['client', 'resources'],
)

/** Made in code; the grammar has no say in it. */
export const isNative = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    (value instanceof Resource ||
      (Object.getPrototypeOf(value) !== Object.prototype && !(value instanceof ConfigReference))))

export const shapeOf = (shape: Shape): Shape => (shape.kind === 'named' ? shapeOf(shape.shape()) : shape)
