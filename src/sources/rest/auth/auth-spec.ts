import type { ConfigReference } from '../../../config/index.ts'
import type { RestRequest } from '../request.ts'

/** A literal value, or one that is looked up when the run starts. */
export type Setting = string | ConfigReference

export interface BearerAuth {
  type: 'bearer'
  token?: Setting
}

export interface BasicAuth {
  type: 'http_basic'
  username?: Setting
  password?: Setting
}

/** RFC 7616: the server's challenge is answered with a hash; the password is never sent. */
export interface DigestAuth {
  type: 'http_digest'
  username?: Setting
  password?: Setting
}

export interface ApiKeyAuth {
  type: 'api_key'
  apiKey?: Setting
  /** Name of the header, parameter or cookie. @default 'Authorization' */
  name?: string
  /** @default 'header' */
  location?: 'header' | 'query' | 'param' | 'cookie'
  /** A word before the key, as in `Chatra.Simple PUBLIC:SECRET`. */
  scheme?: string
}

/** How a token that was fetched goes with every other request. */
interface TokenUse {
  /** Where the token stands in the answer. */
  tokenPath?: string
  /** @default 'bearer' */
  sendAs?: 'bearer' | 'header' | 'query' | 'cookie'
  /** Name of the header, parameter or cookie. */
  name?: string
  /** A word before the token in a header. */
  scheme?: string
  /** Where the answer says how many seconds the token lasts, or when it ends. */
  expiresPath?: string
}

/** A request that trades keys for a token. */
export interface JwtExchangeAuth extends TokenUse {
  type: 'jwt_exchange'
  url: string
  params?: Record<string, Setting>
  /** @default 'GET' */
  method?: 'GET' | 'POST'
  /** Older name of `name`. */
  cookieName?: string
}

/** A login: user and password, or whatever the API wants, for the token of a session. */
export interface SessionAuth extends TokenUse {
  type: 'session'
  url: string
  /** @default 'POST' */
  method?: 'GET' | 'POST'
  params?: Record<string, Setting>
  json?: Record<string, unknown>
  /** Fields of a form. */
  data?: Record<string, Setting>
  headers?: Record<string, Setting>
  /** Sent as basic authentication with the login alone. */
  username?: Setting
  password?: Setting
  /** The token stands in this header of the answer. */
  tokenHeader?: string
  /** The token is the value of this cookie of the answer. */
  tokenCookie?: string
}

interface OAuth2 {
  /** May be at another host than the API. */
  accessTokenUrl: Setting
  clientId?: Setting
  clientSecret?: Setting
  /** More fields of the token request, such as `scope` and `audience`. */
  accessTokenRequestData?: Record<string, unknown>
  /** Seconds a token lasts when the answer does not say. @default 3600 */
  defaultTokenExpiration?: number
}

/** RFC 6749, section 4.4. */
export interface ClientCredentialsAuth extends OAuth2 {
  type: 'oauth2_client_credentials'
}

/** RFC 6749, section 6. A refresh token that the server replaces is kept under the data folder. */
export interface RefreshTokenAuth extends OAuth2 {
  type: 'oauth2_refresh_token'
  refreshToken?: Setting
}

/** RFC 6749, section 4.1, with PKCE: `sluice source login` opens the browser once, runs use what it brought. */
export interface AuthorizationCodeAuth extends OAuth2 {
  type: 'oauth2_authorization_code'
  authorizationUrl: Setting
  scope?: string
  /** Port of the redirect address `http://127.0.0.1:PORT/callback` that is registered at the API. @default 8976 */
  redirectPort?: number
}

/** What a signed token says, and with which key. */
interface SignedToken {
  /** PEM, or the text of a shared secret for HS256, HS384 and HS512. */
  privateKey?: Setting
  /** @default 'RS256' */
  algorithm?: string
  keyId?: Setting
  issuer?: Setting
  subject?: Setting
  audience?: string
  /** More claims. */
  claims?: Record<string, unknown>
  /** Seconds a signed token lasts. @default 600 */
  lifetime?: number
}

/** A token that is signed here and sent as bearer, as App Store Connect and Zoom want it. */
export interface JwtAuth extends SignedToken {
  type: 'jwt'
}

/** RFC 7523: a signed token is traded for an access token, as Google service accounts and Salesforce want it. */
export interface JwtBearerAuth extends SignedToken {
  type: 'oauth2_jwt_bearer'
  accessTokenUrl: Setting
  scope?: string
  accessTokenRequestData?: Record<string, unknown>
  defaultTokenExpiration?: number
}

/** AWS Signature Version 4. */
export interface SigV4Auth {
  type: 'aws_sigv4'
  service: string
  region: string
  accessKeyId?: Setting
  secretAccessKey?: Setting
  sessionToken?: Setting
}

/** Credentials of one's own making. */
export interface CustomAuth {
  type: 'custom'
  create(settings: { secret(name: string): string }): {
    /** Puts credentials on a request just before it is sent. */
    apply(request: RestRequest): void | Promise<void>
    /** Called after a 401; true when another attempt makes sense. */
    refresh?(): boolean
  }
}

export type AuthSpec =
  | BearerAuth
  | BasicAuth
  | DigestAuth
  | ApiKeyAuth
  | JwtExchangeAuth
  | SessionAuth
  | ClientCredentialsAuth
  | RefreshTokenAuth
  | AuthorizationCodeAuth
  | JwtAuth
  | JwtBearerAuth
  | SigV4Auth
  | CustomAuth
