import { looksCopied } from '../../../config/index.ts'
import { setParams } from '../request.ts'
import type { AuthSpec, Setting } from '../spec.ts'
import { addCookie, type Auth, type Send } from './auth.ts'
import type { Settings } from './settings.ts'
import { clientCredentialsAuth, exchangeAuth } from './token-auth.ts'

/** dlt's shorthands: the type alone, or a token without a type. */
export function fullAuth(given: AuthSpec | AuthSpec['type'] | { token: Setting }): AuthSpec {
  if (typeof given === 'string') return { type: given } as AuthSpec
  return 'type' in given ? given : { type: 'bearer', ...given }
}

export function createAuth(spec: AuthSpec, settings: Settings, baseUrl: string, send: Send): Auth {
  switch (spec.type) {
    case 'bearer': {
      const token = settings.secret(spec.token, 'token')
      return headerAuth(`Bearer ${token}`, token)
    }
    case 'http_basic': {
      const username = settings.secret(spec.username, 'username')
      const password = settings.secret(spec.password, 'password')
      return headerAuth(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`, username)
    }
    case 'api_key':
      return apiKeyAuth(spec, settings.secret(spec.apiKey, 'api_key'))
    case 'jwt_exchange':
      return exchangeAuth(spec, settings, baseUrl, send)
    case 'oauth2_client_credentials':
      return clientCredentialsAuth(spec, settings, baseUrl, send)
  }
}

const headerAuth = (value: string, secret: string, name = 'Authorization'): Auth => ({
  async apply(request) {
    request.headers[name] = value
  },
  refresh: () => false,
  looksCopied: looksCopied(secret),
})

function apiKeyAuth(spec: Extract<AuthSpec, { type: 'api_key' }>, key: string): Auth {
  const { name = 'Authorization', location = 'header', scheme } = spec
  const value = scheme === undefined ? key : `${scheme} ${key}`
  if (location === 'header') return headerAuth(value, key, name)
  return {
    async apply(request) {
      if (location === 'cookie') addCookie(request, name, value)
      else setParams(request.url, { [name]: value })
    },
    refresh: () => false,
    looksCopied: looksCopied(key),
  }
}
