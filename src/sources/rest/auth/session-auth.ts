import { looksCopied } from '../../../config/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import { formData, joinUrl, setParams, type RestRequest, type RestResponse } from '../request.ts'
import { addCookie, basicHeader, type Auth, type Send } from './auth.ts'
import type { JwtExchangeAuth, SessionAuth } from './auth-spec.ts'
import type { Settings } from './settings.ts'
import { asToken, bearer, endOf, tokenAuth, tokenIn } from './token-auth.ts'

/** Keys for a token, in the query of a GET or the body of a POST. */
export function exchangeAuth(spec: JwtExchangeAuth, settings: Settings, baseUrl: string, send: Send): Auth {
  const { params = {}, cookieName, method = 'GET', ...rest } = spec
  const session: SessionAuth = {
    ...rest,
    type: 'session',
    method,
    tokenPath: spec.tokenPath ?? 'jwt',
    ...(cookieName === undefined ? {} : { name: cookieName }),
    ...(spec.sendAs === 'cookie' && cookieName === undefined && spec.name === undefined ? { name: 'jwt' } : {}),
    ...(method === 'GET' ? { params } : { json: params }),
  }
  return sessionAuth(session, settings, baseUrl, send)
}

/** A login whose answer holds the token, in its body, a header or a cookie. */
export function sessionAuth(spec: SessionAuth, settings: Settings, baseUrl: string, send: Send): Auth {
  const secrets: string[] = []
  const resolved = (values: Record<string, unknown> | undefined): Record<string, unknown> =>
    settings.values(values ?? {}, (secret) => secrets.push(secret))
  const [params, json, data, headers] = [spec.params, spec.json, spec.data, spec.headers].map(resolved) as [
    Record<string, unknown>,
    Record<string, unknown>,
    Record<string, unknown>,
    Record<string, string>,
  ]
  const login = spec.username === undefined ? undefined : basicHeader(spec, settings)
  const ask = async () => {
    const request: RestRequest = {
      method: spec.method ?? 'POST',
      url: joinUrl(baseUrl, spec.url),
      headers: { ...headers, ...(login === undefined ? {} : { Authorization: login }) },
      body: spec.json === undefined ? undefined : json,
      data: spec.data === undefined ? undefined : formData(data),
    }
    setParams(request.url, params)
    const response = await send(request)
    const { expiresPath } = spec
    const stated = expiresPath === undefined ? undefined : jsonPath(expiresPath).first(response.body)
    return { value: tokenOf(spec, response), endsAt: endOf(stated) }
  }
  return tokenAuth(ask, putter(spec), secrets.some(looksCopied))
}

function tokenOf({ tokenHeader, tokenCookie, tokenPath = 'token' }: SessionAuth, response: RestResponse): string {
  if (tokenHeader !== undefined) {
    return asToken(response.headers.get(tokenHeader) ?? undefined, response.url, `in the header "${tokenHeader}"`)
  }
  if (tokenCookie === undefined) return tokenIn(response, tokenPath)
  const cookie = response.headers.getSetCookie().find((one) => one.startsWith(`${tokenCookie}=`))
  return asToken(/=([^;]*)/.exec(cookie ?? '')?.[1], response.url, `in the cookie "${tokenCookie}"`)
}

function putter({ sendAs, name, scheme, tokenCookie }: SessionAuth): (request: RestRequest, token: string) => void {
  switch (sendAs ?? (tokenCookie === undefined ? 'bearer' : 'cookie')) {
    case 'bearer':
      return bearer
    case 'header':
      return (request, token) => {
        request.headers[name ?? 'Authorization'] = scheme === undefined ? token : `${scheme} ${token}`
      }
    case 'query':
      return (request, token) => setParams(request.url, { [name ?? 'token']: token })
    case 'cookie':
      return (request, token) => addCookie(request, name ?? tokenCookie ?? 'token', token)
  }
}
