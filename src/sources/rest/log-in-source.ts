import { Config } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import type { AuthorizationCodeAuth, AuthSpec } from './auth/auth-spec.ts'
import { Settings } from './auth/index.ts'
import { logIn } from './auth/login.ts'
import { RestClient } from './client.ts'
import { joinUrl } from './request.ts'
import type { EndpointSpec, RestResourceSpec, RestSourceSpec } from './spec.ts'

/** Lets a person agree in a browser, once; the runs use the token that it brings. */
export async function logInSource(
  spec: RestSourceSpec,
  options: { signal: AbortSignal; show(address: string): void },
): Promise<void> {
  const auth = codeAuth(spec)
  const settings = new Settings(new Config(), { root: 'sources', section: spec.section ?? spec.name, name: spec.name })
  const baseUrl = settings.text(spec.client.baseUrl)
  const { baseUrl: _base, auth: _auth, paginator: _paginator, ...rest } = spec.client
  // The token may come from another host than the API.
  const client = new RestClient(
    { ...rest, baseUrl: joinUrl(baseUrl, settings.text(auth.accessTokenUrl)).origin },
    settings,
    { isFile: true },
  )
  const context = { resource: 'login', signal: options.signal, emit: () => undefined }
  await logIn(auth, settings, { ...options, baseUrl, send: (request) => client.logIn(request, context) })
}

function codeAuth({ name, client, resources }: RestSourceSpec): AuthorizationCodeAuth {
  const endpoints = resources.flatMap((one) =>
    typeof one === 'object' ? ((one as RestResourceSpec).endpoint ?? []) : [],
  )
  const all = [
    client.auth,
    ...endpoints.map((one) => (typeof one === 'object' ? (one as EndpointSpec).auth : undefined)),
  ] as (AuthSpec | undefined)[]
  const found = all.find((one) => typeof one === 'object' && one !== null && one.type === 'oauth2_authorization_code')
  if (found !== undefined) return found as AuthorizationCodeAuth
  throw new PipelineError(`source "${name}" needs no login in a browser`, {
    code: 'WRONG_USE',
    fix: 'only auth of the type oauth2_authorization_code does; set other keys with sluice secrets set <key>',
  })
}
