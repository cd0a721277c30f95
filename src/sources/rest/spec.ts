import type { IncrementalOptions, Resource } from '../../extract/index.ts'
import type { TableHints } from '../../normalize/index.ts'
import type { SchemaContract } from '../../schema/index.ts'
import type { AuthSpec, Setting } from './auth/auth-spec.ts'
import type { PaginatorName, PaginatorSpec } from './paginate/paginator-spec.ts'
import type { RestResponse } from './request.ts'

export type { AuthSpec, Setting } from './auth/auth-spec.ts'
export type { CustomPaginator, PaginatorName, PaginatorSpec } from './paginate/paginator-spec.ts'

/**
 * What to do with an answer. `accept`: take it as a page of rows, whatever its status and content. `ignore`: go on without this
 * page and those after it. `retry`: ask again, with growing waits.
 * `fail`: end the run with `message`. `refresh_auth`: get a new token, ask once more. `skip_parent`: leave out this parent's
 * rows altogether.
 */
export type ResponseActionName = 'accept' | 'ignore' | 'retry' | 'fail' | 'refresh_auth' | 'skip_parent'

export interface ResponseRule {
  /** `404`, or a class such as `4xx`. */
  statusCode?: number | string
  /** A text within the answer. */
  content?: string
  /** A condition on `status`, `body`, `headers`, such as `body.error.code == 'RATE_LIMITED'`. */
  when?: string
  action: ResponseActionName | ResponseFunction
  /** Said when the action is `fail`. */
  message?: string
}

/** Looks at an answer; returns an action, a changed answer, or nothing to take it as it is. */
export type ResponseFunction = (response: RestResponse) => ResponseActionName | RestResponse | void
export type ResponseAction = ResponseRule | ResponseFunction

export interface RestIncremental extends IncrementalOptions {
  cursorPath: string
  /** Query parameter that takes the start value. */
  startParam?: string
  endParam?: string
  /** Changes the value before it goes into a request. */
  convert?: (value: unknown) => unknown
}

/** For APIs that serve only the first rows of a query: its range is halved until every part fits. */
export interface RangeSplit {
  startParam: string
  endParam: string
  /** What the range is made of. @default 'day' */
  unit?: 'day' | 'second' | 'millisecond' | 'number'
  /** How moments are written. @default 'date' for days, 'iso' for the others */
  format?: 'date' | 'iso' | 'seconds' | 'milliseconds'
  /** Rows of a query that can be reached. */
  maxRows: number
  /** Where an answer tells how many rows a query has. */
  totalPath: string
  /** Begin at the stored cursor. @default true */
  fromCursor?: boolean
  /** Where to begin when nothing was loaded yet. */
  earliest: string | number
  /** Where to end. @default now; needed for numbers */
  latest?: string | number
}

/** How the rows of a parent become requests. */
export interface ParentRows {
  /** So many parent rows in one request: a placeholder gives all their values. */
  batch?: number
  /** Between the values of a batch in a text. @default ',' */
  separator?: string
  /** Ask once for parent rows whose values are equal. @default true where rows are merged by `mergeKey` alone */
  distinct?: boolean
  /** A parent row without a value for a placeholder. @default 'fail' */
  onNull?: 'fail' | 'skip'
}

/** A query with a connection, paged by `pageInfo`. Its text is sent as it is; placeholders go into the variables. */
export interface GraphqlSpec {
  query: string
  variables?: Record<string, unknown>
  /** Where the connection stands. @default the first object with `pageInfo` */
  connectionPath?: string
  /** The variable that takes the cursor. @default 'after' */
  afterVariable?: string
}

/** A report that the API makes in its own time: the endpoint's request creates it, then it is asked for until done. */
export interface ReportSpec {
  /** Where the report's progress is asked: `exports/{report.id}`. */
  pollPath: string
  /** Seconds between two looks. @default 5 */
  pollEvery?: number
  /** Seconds after which waiting ends. @default 3600 */
  pollFor?: number
  /** `body.status == 'done'`; about the answer to a poll. */
  doneWhen: string
  failedWhen?: string
  /** Path of the file: `exports/{report.id}/file`. */
  downloadPath?: string
  /** Where the last poll's answer holds the address of the file. Neither: that answer is the file. */
  downloadUrlPath?: string
}

export interface CsvOptions {
  /** @default what the first lines have: a comma, a tab, `;` or `|` */
  delimiter?: string
  /** Empty where quotes are characters like others. @default '"' */
  quote?: string
  /** Names of the columns, for files without a first line that names them. */
  columns?: readonly string[]
  /** Lines above the one with the names, or with `columns` above the first row. @default 0 */
  skipLines?: number
}

export interface XmlOptions {
  /** Elements that are lists also where they come only once. */
  lists?: readonly string[]
}

export type ResponseFormat = 'auto' | 'json' | 'jsonl' | 'csv' | 'xml'
export type NestedParams = 'brackets' | 'dots' | 'json'

export interface EndpointSpec {
  path?: string
  method?: 'GET' | 'POST'
  params?: Record<string, unknown>
  /** How objects among the parameters are written: `filter[a]=1`, `filter.a=1`, or as JSON. */
  nestedParams?: NestedParams
  json?: Record<string, unknown> | null
  /** A form, from names and values or from pairs; or text that is sent as it is. Not together with `json`. */
  data?: Record<string, unknown> | readonly (readonly [string, unknown])[] | string
  headers?: Record<string, string>
  paginator?: PaginatorSpec | PaginatorName | null
  /** More pages than this for one request end the run with `PAGING_LOOP`. */
  maxPages?: number
  dataSelector?: string | null
  /**
   * `true`: a response in which the selector matches nothing ends the run. `false`: the API leaves an empty list out, on any page.
   * @default the first response is reported, a later one ends the run when an earlier one had the list
   */
  requireSelector?: boolean
  responseActions?: readonly ResponseAction[]
  incremental?: RestIncremental
  auth?: AuthSpec | AuthSpec['type'] | null
  parentRows?: ParentRows
  splitRange?: RangeSplit
  /** @default 'auto', by the content type: anything unknown is taken for JSON */
  format?: ResponseFormat
  csv?: CsvOptions
  xml?: XmlOptions
  /** Of the answers, where they do not say it or say it wrongly: `windows-1252`. @default what they say, else UTF-8 */
  charset?: string
  graphql?: GraphqlSpec
  report?: ReportSpec
}

export interface RestResourceSpec extends TableHints {
  name: string
  endpoint?: string | EndpointSpec
  /** Rows that stand here instead of at the API: what it cannot list. A value that is no object becomes `{ value }`. */
  rows?: readonly unknown[] | Setting
  /** Fields of the parent row for each child row: as `_parent_field`, or under the names given. */
  includeFromParent?: readonly string[] | Record<string, string>
  processingSteps?: readonly {
    filter?: (row: never) => boolean
    map?: (row: never) => unknown
    /** One row becomes many, or none. */
    yieldMap?: (row: never) => Iterable<unknown>
  }[]
  /** `continue`: when this resource fails, it is left out with its children, and the others load. @default 'fail' */
  onError?: 'fail' | 'continue'
  /** `replace` may empty a table that has rows because none came. @default false, an error */
  allowEmpty?: boolean
  selected?: boolean
  /** dlt's flag; here children are always read several at a time. */
  parallelized?: boolean
  tableName?: string
  maxTableNesting?: number
  maxTableColumns?: number
  resumable?: boolean
}

export interface RateLimit {
  requests: number
  perSeconds: number
}

export interface ClientSpec {
  baseUrl: Setting
  headers?: Record<string, Setting>
  auth?: AuthSpec | AuthSpec['type'] | { token: Setting }
  paginator?: PaginatorSpec | PaginatorName | null
  /** For every endpoint, after its own. */
  responseActions?: readonly ResponseAction[]
  nestedParams?: NestedParams
  /** Shared by all resources of the source. */
  rateLimit?: RateLimit
  /** Requests in flight at once. @default 6 */
  concurrency?: number
  /** From the first byte sent to the last one received. @default 60_000; an hour for downloads */
  timeoutMs?: number
  /** @default 10_000 */
  connectTimeoutMs?: number
  /** Until the answer begins. @default timeoutMs */
  headersTimeoutMs?: number
  /** Between two parts of an answer. @default 30_000 */
  bodyTimeoutMs?: number
  /** @default 5 */
  maxAttempts?: number
  /** Wait before the second attempt; doubles each time. @default 1000 */
  backoffMs?: number
  /** Hosts beside the API's own that links and redirects may lead to; they get no credentials. */
  allowedHosts?: readonly string[]
  /** Decoded bytes one answer may have. @default 256 MiB; 64 GiB for JSONL and CSV, which are read piece by piece */
  maxResponseBytes?: number
  /** A status that the API uses for "slow down" beside 429 and 5xx. */
  retryStatuses?: readonly number[]
  /** @default HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment */
  proxy?: Setting
}

/** dlt's REST configuration in camelCase. */
export interface RestSourceSpec {
  name: string
  /** dlt's section for settings. @default the name */
  section?: string
  client: ClientSpec
  resourceDefaults?: Omit<RestResourceSpec, 'name' | 'endpoint' | 'rows'> & { endpoint?: EndpointSpec }
  resources: readonly (string | RestResourceSpec | Resource)[]
  maxTableNesting?: number
  maxTableColumns?: number
  rootKey?: boolean
  schemaContract?: SchemaContract
}
