import type { Exchange } from '../../../extract/index.ts'
import { isSecretName, redact, redactStart } from '../../../masking/index.ts'
import { bodyText, type RestRequest } from '../request.ts'

const keptCharacters = 16_384
const masked = '***'

/** Headers of an answer that grants tokens whose values are shown; any other may hold one. */
const plainHeaders =
  /^(?:content-(?:type|length|encoding)|date|retry-after|server|connection|keep-alive|transfer-encoding|vary)$/i
const notKept = '(not kept: it grants tokens)'

/**
 * A request and its answer, as a person may see them: secrets are masked by their values, and by the names of headers,
 * parameters and fields. Of a request that grants tokens, no body is kept.
 */
export function exchangeOf(request: RestRequest, headers: Headers, text: string): Exchange {
  const grants = request.isLogin === true
  const body = bodyText(request) ?? undefined
  const isMasked = (name: string): boolean => isSecretName(name) || (grants && !plainHeaders.test(name))
  return {
    url: shownUrl(request.url, grants),
    requestHeaders: shown(Object.entries(request.headers), isMasked),
    ...(body === undefined ? {} : { requestBody: grants ? notKept : start(body) }),
    responseHeaders: shown([...headers], isMasked),
    responseBody: grants ? notKept : start(text),
    responseLength: text.length,
  }
}

function shownUrl(given: URL, grants: boolean): string {
  const url = new URL(given)
  for (const name of new Set(url.searchParams.keys()))
    if (grants || isSecretName(name)) url.searchParams.set(name, masked)
  if (url.username !== '' || url.password !== '') [url.username, url.password] = [masked, '']
  return redact(url.toString())
}

function shown(
  headers: readonly (readonly [string, string])[],
  isMasked: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    headers.map(([name, value]) => [name, isMasked(name) ? masked : redact(value, { byName: true })]),
  )
}

const start = (text: string): string => redactStart(text, keptCharacters, { byName: true })
