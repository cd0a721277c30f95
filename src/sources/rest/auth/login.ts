import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { addToken, PipelineError } from '../../../errors/index.ts'
import { formData, joinUrl } from '../request.ts'
import type { Send } from './auth.ts'
import type { AuthorizationCodeAuth } from './auth-spec.ts'
import { keepToken } from './kept-tokens.ts'
import type { Settings } from './settings.ts'
import { asToken } from './token-auth.ts'

const defaultPort = 8976
const random = (): string => randomBytes(32).toString('base64url')

export interface LoginOptions {
  baseUrl: string
  signal: AbortSignal
  send: Send
  /** Takes the address that a person has to open. */
  show(address: string): void
}

/**
 * The authorization code grant with PKCE (RFC 6749, 4.1; RFC 7636): a person agrees in a browser, which comes back to this
 * machine with a code, which is traded for a refresh token, which is kept for the runs.
 */
export async function logIn(spec: AuthorizationCodeAuth, settings: Settings, options: LoginOptions): Promise<void> {
  const clientId = settings.secret(spec.clientId, 'client_id')
  const clientSecret = settings.optionalSecret(spec.clientSecret, 'client_secret')
  const redirectUri = `http://127.0.0.1:${spec.redirectPort ?? defaultPort}/callback`
  const [state, verifier] = [random(), random()]
  const address = joinUrl(options.baseUrl, settings.text(spec.authorizationUrl))
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  for (const [name, value] of Object.entries({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    // Google gives a refresh token only when asked like this.
    access_type: 'offline',
    ...(spec.scope === undefined ? {} : { scope: spec.scope }),
  })) {
    address.searchParams.set(name, value)
  }
  const code = await codeFromBrowser(new URL(redirectUri), state, options, () => options.show(address.href))
  const response = await options.send({
    method: 'POST',
    url: joinUrl(options.baseUrl, settings.text(spec.accessTokenUrl)),
    headers: {},
    body: undefined,
    data: formData({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: clientId,
      code_verifier: verifier,
      ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    }),
  })
  const { refresh_token } = response.body as { refresh_token?: unknown }
  const token = asToken(refresh_token, response.url, 'at "refresh_token": the API gives none for these scopes')
  keepToken({ source: settings.place.name ?? '', given: clientId }, token)
}

/** Waits on this machine for the browser to come back. */
async function codeFromBrowser(
  redirect: URL,
  state: string,
  { signal }: LoginOptions,
  ready: () => void,
): Promise<string> {
  const answer = Promise.withResolvers<string>()
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', redirect.href)
    if (url?.pathname !== redirect.pathname) return void response.writeHead(404).end()
    const code = url.searchParams.get('code')
    const refused = url.searchParams.get('error_description') ?? url.searchParams.get('error')
    const isOurs = url.searchParams.get('state') === state
    const text =
      isOurs && code !== null ? 'You are logged in; this page can be closed.' : 'The login failed; see the terminal.'
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
    // Another page may call this address as well: without the state it is not the answer.
    if (!isOurs) return
    if (code !== null) addToken(code)
    if (code !== null) answer.resolve(code)
    else answer.reject(loginFailed(refused ?? 'the browser came back without a code'))
  })
  const abort = (): void => answer.reject(signal.reason)
  signal.addEventListener('abort', abort)
  server.on('error', (error) => answer.reject(loginFailed(error.message)))
  server.listen(Number(redirect.port), redirect.hostname, ready)
  try {
    return await answer.promise
  } finally {
    signal.removeEventListener('abort', abort)
    server.close()
    server.closeAllConnections()
  }
}

const loginFailed = (why: string): PipelineError =>
  new PipelineError(`the login failed: ${why}`, {
    code: 'HTTP_FAILED',
    fix: 'try again; the redirect address http://127.0.0.1:<redirect_port>/callback must be registered at the API',
  })
