import { ConfigReference, settingText } from '../../config/index.ts'
import { inRequest, type CursorValue } from '../../extract/index.ts'
import type { RestClient } from './client.ts'
import { graphqlBody } from './graphql.ts'
import type { PaginatorSpec } from './paginate/paginator-spec.ts'
import { checkedPath } from './path-segments.ts'
import { authoredOrigin, formData, joinUrl, keepPathSlots, setParams, type RestRequest } from './request.ts'
import { invalidSource } from './source-invalid.ts'
import type { EndpointSpec } from './spec.ts'
import { fill, fillPath, type TemplateValues } from './template.ts'

/** The first request of an endpoint: its templates filled, before paging writes into it. */
export function buildRequest(
  endpoint: EndpointSpec & { path: string },
  client: RestClient,
  paginator: PaginatorSpec | undefined,
  given: TemplateValues,
): RestRequest {
  const values = { ...given, lookUp: (reference: ConfigReference) => client.textOf(reference) }
  const slots = slotNames(paginator)
  const params = { ...endpoint.params }
  const path = fillPath(takePathParams(endpoint.path, params, { slots, lookUp: values.lookUp }), values)
  const request: RestRequest = {
    method: endpoint.method ?? (endpoint.graphql === undefined ? 'GET' : 'POST'),
    url: joinUrl(client.baseUrl, path),
    home: client.targets.foreign(authoredOrigin(endpoint.path)),
    headers: {},
    body: body(endpoint, client, values),
    data: formData(fill(endpoint.data, values)),
  }
  request.headers = headers(endpoint, client, { values, home: request.home })
  const style = endpoint.nestedParams ?? client.spec.nestedParams
  setParams(request.url, { ...(fill(params, values) as object), ...cursorParams(endpoint, values) }, style)
  keepPathSlots(request, slots)
  return request
}

function body({ json, graphql }: EndpointSpec, client: RestClient, values: TemplateValues): RestRequest['body'] {
  // Lists stay lists in JSON.
  const asLists = { ...values, separator: undefined }
  if (graphql !== undefined) return graphqlBody(graphql, fill(graphql.variables ?? {}, asLists))
  return json === undefined || json === null ? undefined : (fill(json, asLists) as Record<string, unknown>)
}

/** Those of the client, which may be credentials, stay with its own origin. */
function headers(
  endpoint: EndpointSpec,
  client: RestClient,
  { values, home }: { values: TemplateValues; home: string | undefined },
): Record<string, string> {
  const own = fill(endpoint.headers ?? {}, values) as Record<string, unknown>
  const texts = Object.entries(own).map(([name, value]) => [name, String(value)])
  return { ...(home === undefined ? client.headers() : {}), ...Object.fromEntries(texts) }
}

function cursorParams(endpoint: EndpointSpec, { cursor, convert }: TemplateValues): Record<string, unknown> {
  const { incremental: declared } = endpoint
  if (declared === undefined || cursor === undefined) return {}
  const value = (of: CursorValue | undefined): unknown =>
    of !== undefined && convert !== undefined ? convert(of) : inRequest(of)
  return {
    ...(declared.startParam === undefined ? {} : { [declared.startParam]: value(cursor.startValue) }),
    ...(declared.endParam === undefined ? {} : { [declared.endParam]: value(cursor.endValue) }),
  }
}

/** What paging may write into the path, by the names of its parameters. */
export function slotNames(paginator: PaginatorSpec | undefined): string[] {
  switch (paginator?.type) {
    case 'page_number':
      return [paginator.pageParam ?? 'page']
    case 'offset':
      return [paginator.offsetParam ?? 'offset', paginator.limitParam ?? 'limit']
    case 'cursor':
    case 'header_cursor':
      return [paginator.cursorParam ?? 'cursor']
    case 'keyset':
      return [paginator.keyParam ?? 'after']
    default:
      return []
  }
}

/** `{name}` in a path takes the parameter of that name out of the query. */
function takePathParams(
  path: string,
  params: Record<string, unknown>,
  { slots, lookUp }: { slots: readonly string[]; lookUp(reference: ConfigReference): unknown },
): string {
  const filled = path.replace(/\{(\w+)\}/g, (found, name: string) => {
    const value = params[name]
    if (slots.includes(name) && value === undefined) return found
    if (value === undefined || value === null) throw invalidSource(`path "${path}" needs the parameter "${name}"`)
    delete params[name]
    if (value instanceof ConfigReference) return encodeURIComponent(settingText(lookUp(value), value.key))
    // A template stays one: it is filled, and encoded, together with the rest of the path.
    return typeof value === 'string' && value.startsWith('{') ? value : encodeURIComponent(String(value))
  })
  return checkedPath(path, filled)
}
