import type { ConfigReference } from '../../config/index.ts'
import type { IncrementalOptions, Resource } from '../../extract/index.ts'
import type { TableHints } from '../../normalize/index.ts'
import type { SchemaContract } from '../../schema/index.ts'
import type { CustomPaginator } from './paginate/paginator.ts'

/** A literal value, or one that is looked up when the run starts. */
export type Setting = string | ConfigReference

export type AuthSpec =
  | { type: 'bearer'; token?: Setting }
  | { type: 'http_basic'; username?: Setting; password?: Setting }
  | {
      type: 'api_key'
      apiKey?: Setting
      /** Name of the header, parameter or cookie. @default 'Authorization' */
      name?: string
      /** @default 'header' */
      location?: 'header' | 'query' | 'param' | 'cookie'
      /** A word before the key, as in `Chatra.Simple PUBLIC:SECRET`. */
      scheme?: string
    }
  | {
      /** A request that trades the key for a token, which then goes with every other request. */
      type: 'jwt_exchange'
      url: string
      params?: Record<string, Setting>
      /** @default 'GET' */
      method?: 'GET' | 'POST'
      /** Where the token stands in the answer. @default 'jwt' */
      tokenPath?: string
      /** @default 'bearer' */
      sendAs?: 'bearer' | 'cookie'
      /** Name of the cookie. @default 'jwt' */
      cookieName?: string
    }
  | {
      type: 'oauth2_client_credentials'
      /** May be at another host than the API. */
      accessTokenUrl: Setting
      clientId?: Setting
      clientSecret?: Setting
      /** More fields of the token request, such as `scope` and `audience`. */
      accessTokenRequestData?: Record<string, unknown>
      /** Seconds a token lasts when the answer does not say. @default 3600 */
      defaultTokenExpiration?: number
    }

/** Where paging values are written: one of the two. */
interface OffsetOptions {
  limit?: number
  offset?: number
  offsetParam?: string
  limitParam?: string
  offsetBodyPath?: string
  limitBodyPath?: string
  totalPath?: string | null
  maximumOffset?: number
  stopAfterEmptyPage?: boolean
  hasMorePath?: string
}
interface PageNumberOptions {
  basePage?: number
  page?: number
  pageParam?: string
  pageBodyPath?: string
  totalPath?: string | null
  maximumPage?: number
  stopAfterEmptyPage?: boolean
  hasMorePath?: string
}
interface CursorOptions {
  cursorPath?: string
  cursorParam?: string
  cursorBodyPath?: string
  stopAfterEmptyPage?: boolean
  hasMorePath?: string
  /** A page with fewer rows than this is the last one. */
  pageSize?: number
}

export type PaginatorSpec =
  | { type: 'auto' }
  | { type: 'single_page' }
  | { type: 'json_link'; nextUrlPath?: string }
  | { type: 'json_response'; nextUrlPath?: string }
  | { type: 'header_link'; linksNextKey?: string }
  | { type: 'header_cursor'; cursorKey?: string; cursorParam?: string }
  | ({ type: 'cursor' } & CursorOptions)
  | ({ type: 'offset' } & OffsetOptions)
  | ({ type: 'page_number' } & PageNumberOptions)
  /** The first answer lists the addresses of all others: Chaport's `links.more`. */
  | { type: 'link_list'; linksPath: string }
  | CustomPaginator
export type PaginatorName = Exclude<PaginatorSpec, CustomPaginator>['type']

export interface ResponseAction {
  statusCode?: number | string
  content?: string
  action: 'ignore'
}

export interface RestIncremental extends IncrementalOptions {
  cursorPath: string
  /** Query parameter that takes the start value. */
  startParam?: string
  endParam?: string
  /** Changes the value before it goes into a request. */
  convert?: (value: unknown) => unknown
}

/** For APIs that serve only the first rows of a query: the range of days is halved until every part fits. */
export interface DaySplit {
  startParam: string
  endParam: string
  /** Rows of a query that can be reached. */
  maxRows: number
  totalPath: string
  /** Begin at the day of the stored cursor. @default true */
  fromCursor?: boolean
  /** First day to ask for when nothing was loaded yet, `YYYY-MM-DD`. */
  earliest: string
}

export interface EndpointSpec {
  path?: string
  method?: 'GET' | 'POST'
  params?: Record<string, unknown>
  json?: Record<string, unknown> | null
  /** A form, from names and values or from pairs; or text that is sent as it is. Not together with `json`. */
  data?: Record<string, unknown> | readonly (readonly [string, unknown])[] | string
  headers?: Record<string, string>
  paginator?: PaginatorSpec | PaginatorName | null
  dataSelector?: string | null
  responseActions?: ResponseAction[]
  incremental?: RestIncremental
  auth?: AuthSpec | null
  splitByDay?: DaySplit
}

export interface RestResourceSpec extends TableHints {
  name: string
  endpoint?: string | EndpointSpec
  /** Fields of the parent row for each child row: as `_parent_field`, or under the names given. */
  includeFromParent?: readonly string[] | Record<string, string>
  processingSteps?: {
    filter?: (row: never) => boolean
    map?: (row: never) => unknown
    /** One row becomes many, or none. */
    yieldMap?: (row: never) => Iterable<unknown>
  }[]
  selected?: boolean
  tableName?: string
  maxTableNesting?: number
}

export interface RateLimit {
  requests: number
  perSeconds: number
}

export interface ClientSpec {
  baseUrl: Setting
  headers?: Record<string, Setting>
  auth?: AuthSpec
  paginator?: PaginatorSpec | PaginatorName
  /** Shared by all resources of the source. */
  rateLimit?: RateLimit
  /** Requests in flight at once. @default 6 */
  concurrency?: number
  /** @default 60_000 */
  timeoutMs?: number
  /** @default 5 */
  maxAttempts?: number
  /** Wait before the second attempt; doubles each time. @default 1000 */
  backoffMs?: number
  /** Hosts beside the API's own that links and redirects may lead to; they get no credentials. */
  allowedHosts?: string[]
  /** Decoded bytes one answer may have. @default 256 MiB */
  maxResponseBytes?: number
  /** A status that the API uses for "slow down" beside 429 and 5xx. */
  retryStatuses?: number[]
}

/** dlt's REST configuration in camelCase. */
export interface RestSourceSpec {
  name: string
  /** dlt's section for settings. @default the name */
  section?: string
  client: ClientSpec
  resourceDefaults?: Omit<RestResourceSpec, 'name' | 'endpoint'> & { endpoint?: EndpointSpec }
  resources: readonly (string | RestResourceSpec | Resource)[]
  maxTableNesting?: number
  rootKey?: boolean
  schemaContract?: SchemaContract
}
