import { Config, ConfigReference } from '../../config/index.ts'
import { originOf } from '../../egress/index.ts'
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

/** Where a source sends what it looks up: its base URL, its proxy, full addresses of endpoints, and where tokens come from. */
export function originsOf(spec: RestSourceSpec, projectDir: string): string[] {
  const settings = new Settings(new Config({ projectDir }), placeOf(spec))
  const { baseUrl, proxy } = spec.client
  const addresses = [settings.text(baseUrl), ...(proxy === undefined ? [] : [settings.text(proxy)])]
  const urls = ['url', 'accessTokenUrl', 'authorizationUrl']
  for (const auth of authsOf(spec)) {
    if (typeof auth !== 'object' || auth === null) continue
    const named = urls.map((key) => (auth as Record<string, unknown>)[key])
    for (const one of named) if (one instanceof ConfigReference) addresses.push(settings.text(one))
  }
  for (const value of [...endpointPaths(spec), ...valuesIn(authsOf(spec))])
    if (typeof value === 'string' && /^https?:\/\//i.test(value)) addresses.push(value)
  return [...new Set(addresses.map((address) => (URL.canParse(address) ? originOf(new URL(address)) : address)))]
}

/** The keys of what a source looks up beside its own section, where it is now: `token`, `sources.token`. */
export function keysElsewhere(spec: RestSourceSpec, projectDir: string): string[] {
  const [place, config] = [placeOf(spec), new Config({ projectDir })]
  const references = [...valuesIn(spec)].filter((value) => value instanceof ConfigReference)
  const secrets = secretsOf(spec).map((key) => new ConfigReference(key, true, true))
  const found = [...references, ...secrets].flatMap((one) => config.lookUp(one, place) ?? [])
  const own = [`sources.${place.section}.`, `sources.${place.name}.`]
  const keys = found.filter(({ isKept }) => isKept).map(({ key }) => key)
  return [...new Set(keys.filter((key) => !own.some((section) => key.startsWith(section))))].sort()
}

const placeOf = ({ section, name }: RestSourceSpec) => ({ root: 'sources', section: section ?? name, name })

function endpointPaths({ resources, resourceDefaults }: RestSourceSpec): unknown[] {
  const endpoints = resources.map((one) => {
    const { endpoint } = (typeof one === 'string' ? { endpoint: one } : one) as { endpoint?: string | EndpointSpec }
    return endpoint
  })
  return [resourceDefaults?.endpoint, ...endpoints].flatMap((one) =>
    typeof one === 'object' ? [one.path, one.report?.pollPath, one.report?.downloadPath] : [one],
  )
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
