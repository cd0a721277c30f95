import { Config, ConfigReference } from '../../config/index.ts'
import { Settings } from './auth/index.ts'
import type { AuthSpec, EndpointSpec, RestSourceSpec } from './spec.ts'

/** Secrets of each kind of auth that are looked up under their own names where the spec leaves them out. */
const implied: Partial<Record<AuthSpec['type'], readonly (readonly [field: string, key: string])[]>> = {
  bearer: [['token', 'token']],
  http_basic: [
    ['username', 'username'],
    ['password', 'password'],
  ],
  http_digest: [
    ['username', 'username'],
    ['password', 'password'],
  ],
  api_key: [['apiKey', 'api_key']],
  oauth2_client_credentials: [
    ['clientId', 'client_id'],
    ['clientSecret', 'client_secret'],
  ],
  oauth2_refresh_token: [
    ['clientId', 'client_id'],
    ['refreshToken', 'refresh_token'],
  ],
  oauth2_authorization_code: [['clientId', 'client_id']],
  jwt: [['privateKey', 'private_key']],
  oauth2_jwt_bearer: [['privateKey', 'private_key']],
  aws_sigv4: [
    ['accessKeyId', 'access_key_id'],
    ['secretAccessKey', 'secret_access_key'],
  ],
}

/** The keys of all secrets that a source asks for, each once. */
export function secretsOf(spec: RestSourceSpec): string[] {
  const found = new Set<string>()
  for (const value of valuesIn(spec)) if (value instanceof ConfigReference && value.isSecret) found.add(value.key)
  for (const auth of authsOf(spec)) {
    const { type = 'bearer', ...given } = typeof auth === 'string' ? { type: auth } : (auth as Partial<AuthSpec>)
    for (const [field, key] of implied[type as AuthSpec['type']] ?? [])
      if ((given as Record<string, unknown>)[field] === undefined) found.add(key)
  }
  return [...found].sort()
}

/** The origins that may get credentials of a source: its base URL, full addresses of endpoints, and where tokens come from. */
export function originsOf(spec: RestSourceSpec, projectDir: string): string[] {
  const settings = new Settings(new Config({ projectDir }), {
    root: 'sources',
    section: spec.section ?? spec.name,
    name: spec.name,
  })
  const addresses = [settings.text(spec.client.baseUrl)]
  for (const value of [...endpointPaths(spec), ...valuesIn(authsOf(spec))])
    if (typeof value === 'string' && /^https?:\/\//i.test(value)) addresses.push(value)
  return [...new Set(addresses.map((address) => (URL.canParse(address) ? new URL(address).origin : address)))]
}

function endpointPaths({ resources }: RestSourceSpec): unknown[] {
  return resources.map((one) => {
    const { endpoint } = (typeof one === 'string' ? { endpoint: one } : one) as { endpoint?: string | EndpointSpec }
    return typeof endpoint === 'object' ? endpoint.path : endpoint
  })
}

function authsOf({ client, resourceDefaults, resources }: RestSourceSpec): unknown[] {
  const own = resources.flatMap((one) => {
    const endpoint = typeof one === 'string' ? undefined : (one as { endpoint?: string | EndpointSpec }).endpoint
    return typeof endpoint === 'object' ? [endpoint.auth] : []
  })
  return [client?.auth, resourceDefaults?.endpoint?.auth, ...own].filter((auth) => auth !== undefined && auth !== null)
}

/** Everything that stands in a value, however deep. */
function* valuesIn(root: unknown): Generator<unknown> {
  const waiting: unknown[] = [root]
  const seen = new Set<unknown>()
  while (waiting.length > 0) {
    const value = waiting.pop()
    yield value
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    if (!(value instanceof ConfigReference)) waiting.push(...Object.values(value))
  }
}
