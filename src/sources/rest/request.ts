import { PipelineError } from '../../errors/index.ts'

/** A request to be: changed by templates and paginators, then sent by the client. */
export interface RestRequest {
  method: 'GET' | 'POST'
  url: URL
  headers: Record<string, string>
  body: Record<string, unknown> | undefined
  /** A body that is no JSON: a form, written out, or any text. */
  data?: { text: string; contentType: string | undefined } | undefined
}

/** An answer, parsed. */
export interface RestResponse {
  status: number
  headers: Headers
  body: unknown
  /** The answer as it came. */
  text: string
  url: URL
}

/** Joins as dlt does: a full address stays, everything else is appended to the base. */
export function joinUrl(baseUrl: string, path: string): URL {
  const text = /^https?:\/\//i.test(path)
    ? path
    : path === ''
      ? baseUrl
      : `${baseUrl.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
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

/** Writes query parameters: null is left out, lists repeat the name. */
export function setParams(url: URL, params: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(params)) {
    url.searchParams.delete(name)
    if (value === null || value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(item))
  }
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
  body: request.body === undefined ? undefined : structuredClone(request.body),
})
