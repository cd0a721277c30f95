import { looksCopied } from '../../../config/index.ts'
import { PipelineError } from '../../../errors/index.ts'
import { formData, joinUrl, type RestRequest } from '../request.ts'
import type { Auth, Send } from './auth.ts'
import type {
  AuthorizationCodeAuth,
  ClientCredentialsAuth,
  JwtBearerAuth,
  RefreshTokenAuth,
  Setting,
} from './auth-spec.ts'
import { keepToken, keptToken } from './kept-tokens.ts'
import type { Settings } from './settings.ts'
import { signedToken } from './signed-token.ts'
import { asToken, bearer, endAfter, tokenAuth, tokenIn, type Token } from './token-auth.ts'

interface TokenEndpoint {
  accessTokenUrl: Setting
  accessTokenRequestData?: Record<string, unknown>
  defaultTokenExpiration?: number
}

/** Asks a token endpoint, and tells what it answered: RFC 6749, section 5.1. */
async function grant(
  spec: TokenEndpoint,
  settings: Settings,
  baseUrl: string,
  send: Send,
  form: Record<string, unknown>,
): Promise<Token & { refreshToken: string | undefined }> {
  const url = joinUrl(baseUrl, settings.text(spec.accessTokenUrl))
  const more = settings.values(spec.accessTokenRequestData ?? {})
  const request: RestRequest = {
    method: 'POST',
    url,
    headers: {},
    body: undefined,
    data: formData({ ...form, ...more }),
  }
  const response = await send(request)
  const value = tokenIn(response, 'access_token')
  const { expires_in, refresh_token } = response.body as { expires_in?: unknown; refresh_token?: unknown }
  const stated = Number(expires_in)
  const seconds = Number.isFinite(stated) && stated > 0 ? stated : (spec.defaultTokenExpiration ?? 3600)
  // Servers that keep the old refresh token leave the field out, or send it empty.
  const hasNew = refresh_token !== undefined && refresh_token !== null && refresh_token !== ''
  const refreshToken = hasNew ? asToken(refresh_token, url, 'at "refresh_token"') : undefined
  return { value, endsAt: endAfter(seconds), refreshToken }
}

/** Id and secret of a client are traded for a token: RFC 6749, section 4.4. */
export function clientCredentialsAuth(
  spec: ClientCredentialsAuth,
  settings: Settings,
  baseUrl: string,
  send: Send,
): Auth {
  const client_id = settings.secret(spec.clientId, 'client_id')
  const client_secret = settings.secret(spec.clientSecret, 'client_secret')
  const form = { client_id, client_secret, grant_type: 'client_credentials' }
  return tokenAuth(() => grant(spec, settings, baseUrl, send, form), bearer, looksCopied(client_secret))
}

/** A refresh token is traded for an access token; one that the server replaces is kept for the next run. */
export function refreshTokenAuth(spec: RefreshTokenAuth, settings: Settings, baseUrl: string, send: Send): Auth {
  const given = settings.secret(spec.refreshToken, 'refresh_token')
  return refreshing(spec, settings, baseUrl, send, given)
}

/** Uses what `sluice source login` brought. */
export function authorizationCodeAuth(
  spec: AuthorizationCodeAuth,
  settings: Settings,
  baseUrl: string,
  send: Send,
): Auth {
  return refreshing(spec, settings, baseUrl, send, undefined)
}

function refreshing(
  spec: TokenEndpoint & { clientId?: Setting; clientSecret?: Setting },
  settings: Settings,
  baseUrl: string,
  send: Send,
  given: string | undefined,
): Auth {
  const client_id = settings.secret(spec.clientId, 'client_id')
  // Public clients have none.
  const client_secret = settings.optionalSecret(spec.clientSecret, 'client_secret')
  const place = { source: settings.place.name ?? '', given: given ?? client_id }
  const ask = async (): Promise<Token> => {
    const kept = keptToken(place)
    // Without a token of its own, the source knows only the name of a client, which is no secret.
    if (kept !== undefined && given === undefined) settings.noteLogin(kept)
    const refresh_token = kept ?? given
    if (refresh_token === undefined) {
      throw new PipelineError(`source "${settings.place.name}" has not been logged in yet`, {
        code: 'CONFIG_MISSING',
        fix: `sluice source login <the source's file>`,
      })
    }
    const secret = client_secret === undefined ? {} : { client_secret }
    const form = { client_id, ...secret, grant_type: 'refresh_token', refresh_token }
    const token = await grant(spec, settings, baseUrl, send, form)
    if (token.refreshToken !== undefined && token.refreshToken !== refresh_token) keepToken(place, token.refreshToken)
    return token
  }
  return tokenAuth(ask, bearer, given !== undefined && looksCopied(given))
}

/** A signed token is traded for an access token: RFC 7523, section 2.1. */
export function jwtBearerAuth(spec: JwtBearerAuth, settings: Settings, baseUrl: string, send: Send): Auth {
  const sign = signedToken(spec, settings, settings.text(spec.accessTokenUrl))
  const ask = async (): Promise<Token> => {
    const { value: assertion } = await sign(spec.scope === undefined ? {} : { scope: spec.scope })
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
      ...(spec.scope === undefined ? {} : { scope: spec.scope }),
    }
    return grant(spec, settings, baseUrl, send, form)
  }
  return tokenAuth(ask, bearer, false)
}
