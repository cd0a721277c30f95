import { snake } from './grammar/file-spelling.ts'
import { isLoopbackHost } from '../../egress/index.ts'
import { redact } from '../../errors/index.ts'
import { requireWholeTables } from '../../extract/index.ts'
import { isNative } from './grammar/grammar.ts'
import { problemsOf } from './grammar/validate.ts'
import { slotNames } from './request-builder.ts'
import { createRestSource } from './rest-source.ts'
import type { AuthSpec, EndpointSpec, RestResourceSpec, RestSourceSpec } from './spec.ts'
import { parentFieldsIn } from './template.ts'

export interface Finding {
  /** An error ends a run, a warning is probably not what is meant, a hint is good to know. */
  level: 'error' | 'warning' | 'hint'
  path: string
  message: string
}

/** Everything that can be told about a source without asking its API. */
export const lintSource = (spec: RestSourceSpec): Finding[] =>
  findingsOf(spec).map((found) => ({ ...found, message: redact(found.message) }))

function findingsOf(spec: RestSourceSpec): Finding[] {
  const findings: Finding[] = problemsOf(spec, snake).map((problem) => {
    const at = problem.indexOf(': ')
    return { level: 'error', path: problem.slice(0, at), message: problem.slice(at + 2) }
  })
  if (!Array.isArray(spec.resources)) return findings
  const resources = spec.resources.flatMap((one, at) => (isNative(one) ? [] : [merged(spec, one as string, at)]))
  findings.push(...lintClient(spec), ...duplicates(resources))
  const names = new Set(spec.resources.map((one) => (typeof one === 'string' ? one : (one as { name: string }).name)))
  for (const resource of resources) findings.push(...lintResource(spec, resource, names))
  // What only building the source finds: circles, and parents that do not go together.
  if (!findings.some(({ level }) => level === 'error')) findings.push(...buildProblems(spec))
  return findings
}

interface Linted {
  at: string
  resource: RestResourceSpec
  endpoint: EndpointSpec & { path: string }
}

function merged({ resourceDefaults }: RestSourceSpec, given: string | RestResourceSpec, at: number): Linted {
  const own = typeof given === 'string' ? { name: given } : given
  const endpoint = typeof own.endpoint === 'string' ? { path: own.endpoint } : (own.endpoint ?? {})
  const defaults = resourceDefaults?.endpoint ?? {}
  const params = { ...defaults.params, ...endpoint.params }
  return {
    at: `resources[${at}]`,
    resource: { ...resourceDefaults, ...own },
    endpoint: { ...defaults, ...endpoint, params, path: endpoint.path ?? defaults.path ?? own.name },
  }
}

function lintClient({ client, resources }: RestSourceSpec): Finding[] {
  if (typeof client !== 'object' || client === null) return []
  const found: Finding[] = []
  const { baseUrl } = client
  if (typeof baseUrl === 'string') {
    const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ''
    if (/^http:\/\//i.test(baseUrl) && !isLoopbackHost(host)) {
      found.push({
        level: 'warning',
        path: 'client.base_url',
        message: 'is not encrypted: keys and rows can be read on the way',
      })
    }
    if (/example\.com|your-|[{<]/.test(baseUrl)) {
      found.push({
        level: 'warning',
        path: 'client.base_url',
        message: 'still looks like an example; put the address of your API',
      })
    }
  }
  const own = resources.some(
    (one) =>
      typeof one === 'object' &&
      typeof (one as RestResourceSpec).endpoint === 'object' &&
      ((one as RestResourceSpec).endpoint as EndpointSpec).auth !== undefined,
  )
  if (client.auth === undefined && !own) {
    found.push({ level: 'hint', path: 'client.auth', message: 'is not given: requests go without credentials' })
  }
  found.push(...literalSecrets(client.auth as AuthSpec | undefined))
  return found
}

const secretFields = /^(token|password|apiKey|clientSecret|refreshToken|privateKey|secretAccessKey)$/

function literalSecrets(auth: AuthSpec | undefined): Finding[] {
  if (typeof auth !== 'object' || auth === null) return []
  return Object.entries(auth)
    .filter(([key, value]) => secretFields.test(key) && typeof value === 'string' && value !== '')
    .map(([key]) => ({
      level: 'warning',
      path: `client.auth.${snake(key)}`,
      message: `stands in the file as it is; keep it in secrets.toml: { secret: ${snake(key)} }`,
    }))
}

function duplicates(resources: readonly Linted[]): Finding[] {
  const found: Finding[] = []
  const byName = new Map<string, string>()
  const byRequest = new Map<string, string>()
  for (const { at, resource, endpoint } of resources) {
    const first = byName.get(resource.name)
    if (first !== undefined)
      found.push({ level: 'error', path: `${at}.name`, message: `"${resource.name}" is the name of ${first} too` })
    byName.set(resource.name, at)
    if (resource.rows !== undefined) continue
    const { method, path, params, json, data, graphql, dataSelector } = endpoint
    const request = JSON.stringify([method, path, params, json, data, graphql, dataSelector])
    const same = byRequest.get(request)
    if (same !== undefined)
      found.push({ level: 'warning', path: `${at}.endpoint`, message: `asks for the same as ${same}` })
    byRequest.set(request, at)
  }
  return found
}

function lintResource(spec: RestSourceSpec, { at, resource, endpoint }: Linted, names: ReadonlySet<string>): Finding[] {
  if (resource.rows !== undefined) return []
  const { path, params, json, data, headers, graphql, method, report } = endpoint
  const found: Finding[] = []
  const add = (level: Finding['level'], where: string, message: string): void =>
    void found.push({ level, path: `${at}.${where}`, message })

  for (const name of unboundNames(endpoint)) {
    add(
      'error',
      'endpoint.path',
      `{${name}} is not bound: give params.${name}, or a field of a parent: {resources.<name>.<field>}`,
    )
  }
  for (const { resource: parent } of parentFieldsIn([path, params, json, data, headers, graphql?.variables])) {
    if (!names.has(parent))
      add('error', 'endpoint', `reads {resources.${parent}.…}, but there is no resource "${parent}"`)
  }
  if (method === 'POST' && graphql === undefined && report === undefined) {
    add('warning', 'endpoint.method', 'POST often writes: a load sends it with every run, and again after a failure')
  }
  const isSingle = /\{resources\.[^{}]+\}$/.test(path) || graphql !== undefined || report !== undefined
  if (endpoint.paginator === undefined && spec.client?.paginator === undefined && !isSingle) {
    add('hint', 'endpoint.paginator', 'is not given: the first answer tells, or the run ends and says that it cannot')
  }
  const { writeDisposition = 'append', primaryKey, mergeKey } = resource
  const disposition = typeof writeDisposition === 'string' ? writeDisposition : writeDisposition.disposition
  const hasKey = [primaryKey, mergeKey].some((key) => key !== undefined && key.length > 0)
  if (disposition === 'merge' && !hasKey)
    add('warning', 'write_disposition', 'merge needs primary_key or merge_key; without one rows are appended')
  if (disposition === 'append' && endpoint.incremental === undefined) {
    add('hint', 'write_disposition', 'append without incremental: every run adds all rows again')
  }
  return found
}

/** `{name}`s in a path that neither a parameter nor paging fills. */
function unboundNames({ path, params = {}, paginator }: EndpointSpec & { path: string }): string[] {
  const slots = slotNames(typeof paginator === 'string' ? { type: paginator } : (paginator ?? undefined))
  return [...path.matchAll(/\{(\w+)\}/g)]
    .map((match) => match[1]!)
    .filter((name) => params[name] === undefined && !slots.includes(name))
}

function buildProblems(spec: RestSourceSpec): Finding[] {
  try {
    requireWholeTables(createRestSource(spec))
    return []
  } catch (error) {
    return [{ level: 'error', path: 'resources', message: (error as Error).message.split('\n')[0]! }]
  }
}
