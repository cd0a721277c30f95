import { PipelineError } from '../../errors/index.ts'
import { ExactNumber } from '../../schema/index.ts'
import { checkedPath } from './path-segments.ts'
import type { NestedParams } from './spec.ts'

/** A request to be: changed by templates and paginators, then sent by the client. */
export interface RestRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers: Record<string, string>
  body: Record<string, unknown> | undefined
  /** Where the source's author sends it by a full address in place of a path: another origin than the client's. */
  home?: string | undefined
  /** It trades credentials for a token: it and its answer hold secrets, and it may go to the `home` that the source names. */
  isLogin?: true
  /** A body that is no JSON: a form, written out, or any text. */
  data?: { text: string; contentType: string | undefined } | undefined
  /** Values that paging writes into the path: `/items/{page}`. */
  pathValues?: { template: string; values: Record<string, string> }
}

/** An answer, parsed. */
export interface RestResponse {
  status: number
  headers: Headers
  body: unknown
  /** The answer as it came. */
  text: string
  url: URL
  /** Rows of a format that is read piece by piece; `body` is undefined then. */
  rows?: AsyncIterable<unknown[]>
}

/** Closes the download of a response whose rows nobody reads. */
export async function discardRows({ rows }: Pick<RestResponse, 'rows'>): Promise<void> {
  await rows?.[Symbol.asyncIterator]().return?.()
}

/** Joins as dlt does: a full address stays, everything else is appended to the base. */
export function joinUrl(baseUrl: string, path: string): URL {
  const text = /^https?:\/\//i.test(path)
    ? path
    : path === ''
      ? baseUrl
      : `${baseUrl.replace(/(?<!\/)\/+$/, '')}/${path.replace(/^\/+/, '')}`
  try {
    return new URL(text)
  } catch (error) {
    throw new PipelineError(`"${text}" is not a URL`, {
      code: 'SOURCE_INVALID',
      fix: 'check baseUrl and path of the endpoint; a base URL begins with https://',
      cause: error,
    })
  }
}

/** The origin of a path that is a full address, when its author wrote it and no data does. */
export const authoredOrigin = (path: string): string | undefined => {
  const start = /^https?:\/\/[^/?#{}\s]+(?=[/?#]|$)/i.exec(path)?.[0]
  return start !== undefined && URL.canParse(start) ? new URL(start).origin : undefined
}

/** Writes query parameters: null is left out, lists repeat the name, objects are written in the API's style. */
export function setParams(url: URL, params: Record<string, unknown>, style?: NestedParams): void {
  for (const [name, value] of Object.entries(params)) {
    url.searchParams.delete(name)
    for (const [key, text] of flattened(name, value, style)) url.searchParams.append(key, text)
  }
}

function flattened(name: string, value: unknown, style: NestedParams | undefined): [string, string][] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value) && style !== 'json') return value.flatMap((item) => flattened(name, item, style))
  const isNested =
    typeof value === 'object' && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value))
  if (!isNested || style === undefined) return [[name, String(value)]]
  if (style === 'json') return [[name, jsonText(value)]]
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(style === 'brackets' ? `${name}[${key}]` : `${name}.${key}`, inner, style),
  )
}

/** JSON with every number exact. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return rawJSON(String(inner))
    return inner instanceof ExactNumber ? rawJSON(inner.text) : inner
  })
// Not in TypeScript's library yet; Node has it since 21.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }

/** What goes over the wire as the body. */
export const bodyText = ({ data, body }: RestRequest): string | null =>
  data?.text ?? (body === undefined ? null : jsonText(body))

const slot = (name: string): string => `%7B${name}%7D`
const withSlots = (path: string): string => path.replaceAll('%7B', '{').replaceAll('%7D', '}')

/** Says which `{name}`s of the path are to be written by `setPathValue`. */
export function keepPathSlots(request: RestRequest, names: readonly string[]): void {
  const { pathname } = request.url
  if (names.some((name) => pathname.includes(slot(name)))) request.pathValues = { template: pathname, values: {} }
}

/** Writes into the path; false when it has no such place. */
export function setPathValue(request: RestRequest, name: string, value: unknown): boolean {
  const { pathValues } = request
  if (pathValues === undefined || !pathValues.template.includes(slot(name))) return false
  pathValues.values[name] = encodeURIComponent(String(value))
  const filled = Object.entries(pathValues.values).reduce(
    (path, [key, text]) => path.replace(slot(key), () => text),
    pathValues.template,
  )
  request.url.pathname = checkedPath(withSlots(pathValues.template), filled)
  return true
}

/** A form, `a=1&b=2`, from names and values or from pairs, which may repeat a name; other text is sent as it is. */
export function formData(data: unknown): RestRequest['data'] {
  if (data === undefined || data === null) return undefined
  if (typeof data !== 'object') return { text: String(data), contentType: undefined }
  const pairs = (Array.isArray(data) ? data : Object.entries(data)) as readonly (readonly [unknown, unknown])[]
  if (pairs.length === 0) return undefined
  const form = new URLSearchParams()
  for (const [name, value] of pairs) {
    if (value === null || value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) form.append(String(name), String(item))
  }
  return { text: form.toString(), contentType: 'application/x-www-form-urlencoded' }
}

/** Writes into a body by a dotted path, creating what is missing. */
export function setBodyValue(request: RestRequest, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let current = (request.body ??= {})
  for (const key of keys) current = (current[key] ??= {}) as Record<string, unknown>
  current[last] = value
}

/** A request that can be changed without touching the original. */
export const copyRequest = (request: RestRequest): RestRequest => ({
  ...request,
  url: new URL(request.url),
  headers: { ...request.headers },
  body: copyBody(request.body) as RestRequest['body'],
  ...(request.pathValues === undefined
    ? {}
    : { pathValues: { ...request.pathValues, values: { ...request.pathValues.values } } }),
})

/** Numbers that are kept as text are objects too, and stay what they are. */
function copyBody(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyBody)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyBody(inner)]))
}
