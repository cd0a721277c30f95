import { PipelineError } from '../../errors/index.ts'
import { unknownPlaceholders } from './template.ts'

const keys = {
  source: 'name section client resourceDefaults resources maxTableNesting rootKey schemaContract',
  client:
    'baseUrl headers auth paginator rateLimit concurrency timeoutMs maxAttempts backoffMs allowedHosts maxResponseBytes retryStatuses',
  resource:
    'name endpoint includeFromParent processingSteps selected tableName maxTableNesting writeDisposition primaryKey mergeKey columns schemaContract description nestedHints resumable quarantine checks',
  endpoint: 'path method params json data headers paginator dataSelector responseActions incremental auth splitByDay',
  rateLimit: 'requests perSeconds',
} as const
type Part = keyof typeof keys

const paginatorKeys: Record<string, string> = {
  auto: '',
  single_page: '',
  json_link: 'nextUrlPath',
  json_response: 'nextUrlPath',
  header_link: 'linksNextKey',
  header_cursor: 'cursorKey cursorParam',
  cursor: 'cursorPath cursorParam cursorBodyPath stopAfterEmptyPage hasMorePath pageSize',
  offset:
    'limit offset offsetParam limitParam offsetBodyPath limitBodyPath totalPath maximumOffset stopAfterEmptyPage hasMorePath',
  page_number: 'basePage page pageParam pageBodyPath totalPath maximumPage stopAfterEmptyPage hasMorePath',
  link_list: 'linksPath',
  custom: 'create',
}

const authKeys: Record<string, string> = {
  bearer: 'token',
  http_basic: 'username password',
  api_key: 'apiKey name location scheme',
  jwt_exchange: 'url params method tokenPath sendAs cookieName',
  oauth2_client_credentials: 'accessTokenUrl clientId clientSecret accessTokenRequestData defaultTokenExpiration',
}

/** The keys of every part, for the schema by which editors check source files. */
export const grammar = { keys, paginatorKeys, authKeys } as const

/** Checks a whole source before anything is sent, and tells all problems at once with their paths. No value is shown. */
export function validateSpec(spec: unknown, spelling: (key: string) => string = (key) => key): void {
  const problems = new Checker(spelling).source(spec)
  if (problems.length === 0) return
  throw new PipelineError(
    `the source has ${problems.length} problem(s):\n${problems.map((one) => `  ${one}`).join('\n')}`,
    {
      code: 'SOURCE_INVALID',
      fix: 'correct the keys named above',
    },
  )
}

class Checker {
  private readonly problems: string[] = []
  private readonly spelling: (key: string) => string

  constructor(spelling: (key: string) => string) {
    this.spelling = spelling
  }

  source(spec: unknown): string[] {
    const source = this.object(spec, 'source', 'source')
    if (source === undefined) return this.problems
    const client = this.object(source.client, 'client', 'client')
    if (client === undefined && source.client === undefined) this.problems.push('client: is missing')
    if (client !== undefined) {
      if (client.baseUrl === undefined) this.problems.push(`client.${this.spelling('baseUrl')}: is missing`)
      this.union(client.auth, 'client.auth', authKeys)
      this.union(client.paginator, 'client.paginator', paginatorKeys)
      this.object(client.rateLimit, `client.${this.spelling('rateLimit')}`, 'rateLimit')
    }
    const defaults = this.object(source.resourceDefaults, this.spelling('resourceDefaults'), 'resource')
    this.endpoint(defaults?.endpoint, `${this.spelling('resourceDefaults')}.endpoint`)
    if (!Array.isArray(source.resources)) this.problems.push('resources: expected a list')
    else for (const [at, one] of source.resources.entries()) this.resource(one, `resources[${at}]`)
    return this.problems
  }

  private resource(given: unknown, path: string): void {
    // A native resource is made in code and knows its own options.
    if (typeof given === 'string' || isNative(given)) return
    const resource = this.object(given, path, 'resource')
    if (resource === undefined) return
    if (typeof resource.name !== 'string') this.problems.push(`${path}.name: is missing`)
    this.endpoint(resource.endpoint, `${path}.endpoint`)
  }

  private endpoint(given: unknown, path: string): void {
    if (given === undefined || typeof given === 'string') return
    const endpoint = this.object(given, path, 'endpoint')
    if (endpoint === undefined) return
    const { method, auth, paginator } = endpoint
    if (method !== undefined && method !== 'GET' && method !== 'POST') {
      this.problems.push(`${path}.method: expected GET or POST`)
    }
    this.union(auth, `${path}.auth`, authKeys)
    this.union(paginator, `${path}.paginator`, paginatorKeys)
    if (endpoint.json !== undefined && endpoint.json !== null && endpoint.data !== undefined) {
      this.problems.push(`${path}: json and data cannot both be the body`)
    }
    this.params(endpoint.params, `${path}.params`)
    this.stops(paginator, `${path}.paginator`)
    for (const part of ['path', 'params', 'json', 'data', 'headers'] as const) {
      for (const unknown of unknownPlaceholders(endpoint[part], endpoint.incremental !== undefined)) {
        this.problems.push(
          `${path}.${part}: {${unknown}} is no placeholder; there are {resources.<name>.<field>} and, with incremental, ` +
            `{incremental.start_value}; write braces that are meant as such twice: {{${unknown}}}`,
        )
      }
    }
  }

  /** A parameter has one value, or a list; dlt's older forms are objects with a type. */
  private params(given: unknown, path: string): void {
    if (typeof given !== 'object' || given === null) return
    for (const [name, value] of Object.entries(given)) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || isNative(value)) continue
      const { type } = value as { type?: unknown }
      if (type === 'incremental' || type === 'resolve') continue
      this.problems.push(`${path}.${name}: expected a value or a list; write an object as ${name}[key]: value`)
    }
  }

  /** Counting paginators must have a way to end, and a place to write to. */
  private stops(given: unknown, path: string): void {
    if (typeof given !== 'object' || given === null) return
    const { type, ...options } = given as Record<string, unknown>
    if (type !== 'offset' && type !== 'page_number') return
    const endless =
      options.stopAfterEmptyPage === false &&
      options.totalPath === null &&
      [options.maximumPage, options.maximumOffset, options.hasMorePath].every(
        (one) => one === undefined || one === null,
      )
    if (endless) {
      this.problems.push(
        `${path}: would never end; give one of ${['totalPath', 'hasMorePath', type === 'offset' ? 'maximumOffset' : 'maximumPage', 'stopAfterEmptyPage'].map(this.spelling).join(', ')}`,
      )
    }
    const param = type === 'offset' ? 'offsetParam' : 'pageParam'
    const bodyPath = type === 'offset' ? 'offsetBodyPath' : 'pageBodyPath'
    if (options[param] === '' && options[bodyPath] === undefined) {
      this.problems.push(`${path}.${this.spelling(param)}: is empty`)
    }
  }

  /** An object with a `type`, and the keys that belong to it; a bare text is the type. */
  private union(given: unknown, path: string, types: Record<string, string>): void {
    if (given === undefined || given === null) return
    const implied = typeof given === 'object' && 'token' in given && !('type' in given) ? 'bearer' : undefined
    const type = typeof given === 'string' ? given : (implied ?? (given as { type?: unknown }).type)
    const known = typeof type === 'string' && Object.hasOwn(types, type) ? types[type]! : undefined
    if (known === undefined) {
      this.problems.push(`${path}.type: expected ${Object.keys(types).join(', ')}`)
    } else if (typeof given === 'object') {
      this.keys(given, path, ['type', ...known.split(' ')])
    }
  }

  private object(given: unknown, path: string, part: Part): Record<string, unknown> | undefined {
    if (given === undefined || given === null) return undefined
    if (typeof given !== 'object' || Array.isArray(given)) {
      this.problems.push(`${path}: expected keys and values`)
      return undefined
    }
    this.keys(given, path, keys[part].split(' '))
    return given as Record<string, unknown>
  }

  private keys(given: object, path: string, known: readonly string[]): void {
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue
      const near = nearest(key, known)
      const hint = near === undefined ? '' : `; did you mean "${this.spelling(near)}"?`
      this.problems.push(`${path === 'source' ? '' : `${path}.`}${this.spelling(key)}: is not known${hint}`)
    }
  }
}

const isNative = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype

/** The known key that is at most a few typing errors away. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return ranked[0] !== undefined && ranked[0].distance <= Math.max(2, key.length / 3) ? ranked[0].candidate : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
