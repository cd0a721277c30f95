import { redact } from '../../../errors/index.ts'
import type { Exchange } from '../../../extract/index.ts'
import { bodyText, type RestRequest } from '../request.ts'

const keptCharacters = 16_384
/** A secret may begin before the cut and end behind it. */
const readCharacters = keptCharacters + 8192
const masked = '***'

const secretWords = new Set([
  'auth',
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'passwd',
  'signature',
  'sig',
  'key',
  'session',
  'credential',
  'credentials',
])
/** Tokens that lead to the next page open nothing else. */
const pagingWords = new Set(['page', 'next', 'continuation', 'cursor', 'sync'])

/** Names behind which a secret stands, also one that nobody declared as such. */
function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_.]/)
  return words.some((word) => secretWords.has(word)) && !words.some((word) => pagingWords.has(word))
}

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
