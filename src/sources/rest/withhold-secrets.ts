import { PipelineError } from '../../errors/index.ts'
import { isSecretName, percentDecoded } from '../../masking/index.ts'
import type { RestRequest } from './request.ts'

/** Shorter ones are part of ordinary words: they count as a whole value only. */
const shortestPart = 8

/**
 * Makes a request safe to send to an origin that is not the API's own. Headers with credentials are left out. A secret in the
 * address or the body is refused with `HOST_NOT_ALLOWED`: without it the request would ask something else.
 */
export function withholdSecrets(request: RestRequest, secrets: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(request.headers))
    if (isSecretName(name) || value.split(/\s+/).some((part) => holds(part, secrets)) || holds(value, secrets))
      delete request.headers[name]
  refuseSecrets(request, secrets)
}

/** Throws `HOST_NOT_ALLOWED` where a header, the address or the body of a request holds a secret. */
export function refuseSecrets(request: RestRequest, secrets: ReadonlySet<string>): void {
  if (secrets.size === 0) return
  refuseSecretsInUrl(request.url, secrets)
  const { url, headers, body, data } = request
  for (const [name, value] of Object.entries(headers))
    if (value.split(/\s+/).some((part) => holds(part, secrets)) || holds(value, secrets))
      throw misdirected(url, `header ${name}`)
  if (hasLeaf(body, secrets)) throw misdirected(url, 'body')
  if (data === undefined) return
  const fields = [...new URLSearchParams(data.text)].flat()
  if ([data.text, ...fields].some((text) => holds(text, secrets))) throw misdirected(url, 'body')
}

/** Throws `HOST_NOT_ALLOWED` where an address holds a secret. */
export function refuseSecretsInUrl(url: URL, secrets: ReadonlySet<string>): void {
  const { pathname, searchParams, username, password, hash } = url
  const parts = [...pathname.split('/'), username, password, hash.slice(1)].map(percentDecoded)
  if ([...parts, ...[...searchParams].flat()].some((part) => holds(part, secrets))) throw misdirected(url, 'address')
}

function holds(text: string, secrets: ReadonlySet<string>): boolean {
  if (secrets.has(text)) return true
  for (const secret of secrets) {
    if (secret.length < shortestPart) continue
    if (text.includes(secret) || text.includes(encodedStart(secret))) return true
  }
  return false
}

/** The base64 of a secret up to where what follows changes it. */
const encodedStart = (secret: string): string =>
  Buffer.from(secret)
    .toString('base64')
    .slice(0, 4 * Math.floor(Buffer.byteLength(secret) / 3))

function hasLeaf(value: unknown, secrets: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return holds(value, secrets)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => holds(key, secrets) || hasLeaf(inner, secrets))
}

const misdirected = ({ origin }: URL, where: string): PipelineError =>
  new PipelineError(
    `a secret in the ${where} of a request would be sent to ${origin}, which is not the API's own host`,
    {
      code: 'HOST_NOT_ALLOWED',
      fix: 'give the endpoint with the full address an `auth` of its own, or declare it in a source with that base URL',
    },
  )
