import { looksCopied, ConfigReference, type Config, type ConfigPlace } from '../../config/index.ts'
import { addSecret } from '../../errors/index.ts'
import { setParams, type RestRequest, type RestResponse } from './request.ts'
import type { AuthSpec, Setting } from './spec.ts'
import { clientCredentialsAuth, exchangeAuth } from './token-auth.ts'

/** Adds credentials to a request just before it is sent. */
export interface Auth {
  apply(request: RestRequest): Promise<void>
  /** Forgets a token that the server refused; true when another attempt makes sense. */
  refresh(): boolean
  /** Some value still looks like the one from documentation. */
  looksCopied: boolean
}

/** Looks up settings of one source. Literal secrets are remembered for masking as well. */
export class Settings {
  private readonly config: Config
  readonly place: ConfigPlace

  constructor(config: Config, place: ConfigPlace) {
    this.config = config
    this.place = place
  }

  text(setting: Setting): string {
    return setting instanceof ConfigReference ? String(this.config.get(setting, this.place)) : setting
  }

  /** A secret field; where the spec leaves it out, it is looked up under its own name, as in dlt. */
  secret(setting: Setting | undefined, field: string): string {
    const value = setting ?? this.implied(field)
    const text = this.text(value)
    addSecret(text)
    return text
  }

  private implied(field: string): ConfigReference {
    const nested = new ConfigReference(`credentials.${field}`, true, true)
    return this.config.find(nested, this.place) === undefined ? new ConfigReference(field, true, false) : nested
  }
}

/** dlt's shorthands: the type alone, or a token without a type. */
export function fullAuth(given: AuthSpec | AuthSpec['type'] | { token: Setting }): AuthSpec {
  if (typeof given === 'string') return { type: given } as AuthSpec
  return 'type' in given ? given : { type: 'bearer', ...given }
}

/** Sends a request without credentials. */
export type Send = (request: RestRequest) => Promise<RestResponse>

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

export function addCookie(request: RestRequest, name: string, value: string): void {
  const cookie = `${name}=${value}`
  request.headers.Cookie = request.headers.Cookie === undefined ? cookie : `${request.headers.Cookie}; ${cookie}`
}
