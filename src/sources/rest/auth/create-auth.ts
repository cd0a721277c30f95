import { looksCopied } from '../../../config/index.ts'
import { isSecretName } from '../../../masking/index.ts'
import { setParams, type RestRequest } from '../request.ts'
import { addCookie, basicHeader, type Auth, type Send } from './auth.ts'
import type { ApiKeyAuth, AuthSpec, CustomAuth, Setting } from './auth-spec.ts'
import { digestAuth } from './digest-auth.ts'
import { rememberHeader } from './granted.ts'
import { authorizationCodeAuth, clientCredentialsAuth, jwtBearerAuth, refreshTokenAuth } from './oauth2-auth.ts'
import { exchangeAuth, sessionAuth } from './session-auth.ts'
import type { Settings } from './settings.ts'
import { sigv4Auth } from './sigv4-auth.ts'
import { jwtAuth } from './signed-token.ts'

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
    case 'http_basic':
      return headerAuth(basicHeader(spec, settings), settings.secret(spec.username, 'username'))
    case 'http_digest': {
      const password = settings.secret(spec.password, 'password')
      return digestAuth(settings.secret(spec.username, 'username'), password, looksCopied(password))
    }
    case 'api_key':
      return apiKeyAuth(spec, settings.secret(spec.apiKey, 'api_key'))
    case 'jwt_exchange':
      return exchangeAuth(spec, settings, baseUrl, send)
    case 'session':
      return sessionAuth(spec, settings, baseUrl, send)
    case 'oauth2_client_credentials':
      return clientCredentialsAuth(spec, settings, baseUrl, send)
    case 'oauth2_refresh_token':
      return refreshTokenAuth(spec, settings, baseUrl, send)
    case 'oauth2_authorization_code':
      return authorizationCodeAuth(spec, settings, baseUrl, send)
    case 'oauth2_jwt_bearer':
      return jwtBearerAuth(spec, settings, baseUrl, send)
    case 'jwt':
      return jwtAuth(spec, settings)
    case 'aws_sigv4':
      return sigv4Auth(spec, settings)
    case 'custom':
      return customAuth(spec, settings)
  }
}

const headerAuth = (value: string, secret: string, name = 'Authorization'): Auth => ({
  async apply(request) {
    request.headers[name] = value
  },
  refresh: () => false,
  looksCopied: looksCopied(secret),
})

function apiKeyAuth(spec: ApiKeyAuth, key: string): Auth {
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

function customAuth(spec: CustomAuth, settings: Settings): Auth {
  const made = spec.create({ secret: (name) => settings.secret(undefined, name) })
  return {
    async apply(request) {
      const before = secretsOn(request)
      await made.apply(request)
      // It may have fetched them itself.
      for (const [name, value] of secretsOn(request)) if (before.get(name) !== value) rememberHeader(value)
    },
    refresh: () => made.refresh?.() ?? false,
    looksCopied: false,
  }
}

/** Headers and parameters whose names say that they are secret. */
const secretsOn = ({ headers, url }: RestRequest): Map<string, string> =>
  new Map([...Object.entries(headers), ...url.searchParams].filter(([name]) => isSecretName(name)))
