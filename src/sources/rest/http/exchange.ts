import { redact } from '../../../errors/index.ts'
import type { Exchange } from '../../../extract/index.ts'
import { bodyText, type RestRequest } from '../request.ts'
import { isSecretName } from './secret-name.ts'

const keptCharacters = 16_384
/** A secret may begin before the cut and end behind it. */
const readCharacters = keptCharacters + 8192
const masked = '***'

/** A request and its answer, as a person may see them. */
export function exchangeOf(request: RestRequest, headers: Headers, text: string): Exchange {
  const url = new URL(request.url)
  const names = new Set(url.searchParams.keys())
  for (const name of names) if (isSecretName(name)) url.searchParams.set(name, masked)
  if (url.password !== '') url.password = masked
  const body = bodyText(request) ?? undefined
  return {
    url: redact(url.toString()),
    requestHeaders: shown(Object.entries(request.headers)),
    ...(body === undefined ? {} : { requestBody: cut(body) }),
    responseHeaders: shown([...headers]),
    responseBody: cut(text),
    responseLength: text.length,
  }
}

const shown = (headers: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(headers.map(([name, value]) => [name, isSecretName(name) ? masked : redact(value)]))

const cut = (text: string): string => redact(text.slice(0, readCharacters)).slice(0, keptCharacters)
