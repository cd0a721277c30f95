import type { AuthSpec } from '../auth/auth-spec.ts'
import { code, names, oneOf, setting, text, variants, whole, type UnionShape } from './shape.ts'

const settings = names(setting)
const getOrPost = oneOf('GET', 'POST')

const token = {
  sendAs: oneOf('bearer', 'header', 'query', 'cookie'),
  tokenPath: text,
  name: text,
  scheme: text,
  expiresPath: text,
}
const oauth2 = {
  accessTokenUrl: setting,
  clientId: setting,
  clientSecret: setting,
  accessTokenRequestData: names(setting),
  defaultTokenExpiration: whole,
}
const signed = {
  privateKey: setting,
  algorithm: text,
  keyId: setting,
  issuer: setting,
  subject: setting,
  audience: text,
  claims: names(),
  lifetime: whole,
}
const authTypes = variants<AuthSpec>(
  {
    bearer: { token: setting },
    http_basic: { username: setting, password: setting },
    http_digest: { username: setting, password: setting },
    api_key: {
      apiKey: setting,
      name: text,
      location: oneOf('header', 'query', 'param', 'cookie'),
      scheme: text,
    },
    session: {
      ...token,
      url: text,
      method: getOrPost,
      params: settings,
      json: settings,
      data: settings,
      headers: settings,
      username: setting,
      password: setting,
      tokenHeader: text,
      tokenCookie: text,
    },
    jwt_exchange: { ...token, url: text, params: settings, method: getOrPost, cookieName: text },
    oauth2_client_credentials: oauth2,
    oauth2_refresh_token: { ...oauth2, refreshToken: setting },
    oauth2_authorization_code: { ...oauth2, authorizationUrl: setting, scope: text, redirectPort: whole },
    oauth2_jwt_bearer: {
      ...signed,
      accessTokenUrl: setting,
      scope: text,
      accessTokenRequestData: settings,
      defaultTokenExpiration: whole,
    },
    jwt: signed,
    aws_sigv4: { service: text, region: text, accessKeyId: setting, secretAccessKey: setting, sessionToken: setting },
    custom: { create: code },
  },
  {
    session: ['url'],
    jwt_exchange: ['url'],
    oauth2_client_credentials: ['accessTokenUrl'],
    oauth2_refresh_token: ['accessTokenUrl'],
    oauth2_authorization_code: ['accessTokenUrl', 'authorizationUrl'],
    oauth2_jwt_bearer: ['accessTokenUrl'],
    aws_sigv4: ['service', 'region'],
    custom: ['create'],
  },
)

/** The keys of every type of auth. */
export const auth: UnionShape = {
  kind: 'union',
  types: authTypes,
  implied: (given) => ('token' in given ? 'bearer' : undefined),
}
