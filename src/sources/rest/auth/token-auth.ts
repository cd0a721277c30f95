import { looksCopied } from '../../../config/index.ts'
import { addSecret, PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import { addCookie, type Auth, type Send } from './auth.ts'
import { formData, joinUrl, setParams, type RestRequest } from '../request.ts'
import type { AuthSpec } from '../spec.ts'
import type { Settings } from './settings.ts'

interface Token {
  value: string
  /** When it must no longer be used; by the clock of this machine. */
  endsAt: number
}

/** A token that is asked for once, used until it ends or is refused, and then asked for again. */
function tokenAuth(
  ask: () => Promise<Token>,
  put: (request: RestRequest, token: string) => void,
  copied: boolean,
): Auth {
  let token: Promise<Token> | undefined
  return {
    async apply(request) {
      // One request for all: others that come meanwhile wait for the same promise.
      token ??= ask()
      let held = await token
      if (Date.now() >= held.endsAt) {
        token = ask()
        held = await token
      }
      put(request, held.value)
    },
    refresh() {
      token = undefined
      return true
    },
    looksCopied: copied,
  }
}

const bearer = (request: RestRequest, token: string): void => {
  request.headers.Authorization = `Bearer ${token}`
}

/** Sends a request for a token and takes it out of the answer. */
async function askForToken(send: Send, request: RestRequest, path: string): Promise<{ value: string; body: unknown }> {
  const { body } = await send(request)
  const value = jsonPath(path).first(body)
  if (typeof value !== 'string' || value === '') {
    throw new PipelineError(`${request.url.origin}${request.url.pathname} answered without a token at "${path}"`, {
      code: 'HTTP_FAILED',
      fix: 'check the auth of the source, and that the key may request tokens',
    })
  }
  addSecret(value)
  return { value, body }
}

export function exchangeAuth(
  spec: Extract<AuthSpec, { type: 'jwt_exchange' }>,
  settings: Settings,
  baseUrl: string,
  send: Send,
): Auth {
  const params = Object.entries(spec.params ?? {}).map(([name, value]) => [name, settings.secret(value, name)] as const)
  const ask = async (): Promise<Token> => {
    const url = joinUrl(baseUrl, spec.url)
    const request: RestRequest = { method: spec.method ?? 'GET', url, headers: {}, body: undefined }
    if (request.method === 'GET') setParams(url, Object.fromEntries(params))
    else request.body = Object.fromEntries(params)
    const { value } = await askForToken(send, request, spec.tokenPath ?? 'jwt')
    return { value, endsAt: Infinity }
  }
  const put =
    spec.sendAs === 'cookie'
      ? (request: RestRequest, token: string): void => addCookie(request, spec.cookieName ?? 'jwt', token)
      : bearer
  return tokenAuth(
    ask,
    put,
    params.some(([, value]) => looksCopied(value)),
  )
}

/** OAuth 2.0, section 4.4 of RFC 6749: id and secret of a client are traded for a token that ends after a while. */
export function clientCredentialsAuth(
  spec: Extract<AuthSpec, { type: 'oauth2_client_credentials' }>,
  settings: Settings,
  baseUrl: string,
  send: Send,
): Auth {
  const clientId = settings.secret(spec.clientId, 'client_id')
  const clientSecret = settings.secret(spec.clientSecret, 'client_secret')
  const ask = async (): Promise<Token> => {
    const form = {
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'client_credentials',
      ...spec.accessTokenRequestData,
    }
    const url = joinUrl(baseUrl, settings.text(spec.accessTokenUrl))
    const request: RestRequest = { method: 'POST', url, headers: {}, body: undefined, data: formData(form) }
    const { value, body } = await askForToken(send, request, 'access_token')
    const stated = Number((body as { expires_in?: unknown }).expires_in)
    const seconds = Number.isFinite(stated) && stated > 0 ? stated : (spec.defaultTokenExpiration ?? 3600)
    // A request takes a while to arrive.
    return { value, endsAt: Date.now() + 1000 * (seconds - Math.min(30, seconds / 10)) }
  }
  return tokenAuth(ask, bearer, looksCopied(clientSecret))
}
