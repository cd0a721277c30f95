import {
  incremental,
  Resource,
  resource,
  type Source,
  source,
  transformer,
  type ResourceOptions,
} from '../../extract/index.ts'
import { ClientPool } from './client-pool.ts'
import { EndpointReader, type MergedResource } from './endpoint-reader.ts'
import { invalidSource } from './source-invalid.ts'
import type { EndpointSpec, RestIncremental, RestResourceSpec, RestSourceSpec } from './spec.ts'
import { parentsIn } from './template.ts'
import { validateSpec } from './validate.ts'

/** A source declared in dlt's REST grammar. */
export function restSource(spec: RestSourceSpec): Source {
  validateSpec(spec)
  const clients = new ClientPool(spec)
  const declared = spec.resources.map((one) => (one instanceof Resource ? one : merged(spec, one)))
  const built = new Map<string, Resource>()
  const build = (one: Resource | MergedResource, path: string[] = []): Resource => {
    const known = built.get(one.name)
    if (known !== undefined) return known
    if (path.includes(one.name))
      throw invalidSource(`resources feed each other in a circle: ${[...path, one.name].join(' → ')}`)
    const made =
      one instanceof Resource
        ? one
        : restResource(one, clients, (name) => build(find(declared, one, name), [...path, one.name]))
    built.set(one.name, made)
    return made
  }
  const names = declared.map((one) => one.name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalidSource(`two resources are called "${twice}"`)
  const resources = declared.map((one) => build(one))
  return source(spec.name, resources, {
    section: spec.section ?? spec.name,
    ...(spec.maxTableNesting === undefined ? {} : { maxTableNesting: spec.maxTableNesting }),
    ...(spec.rootKey === undefined ? {} : { rootKey: spec.rootKey }),
    ...(spec.schemaContract === undefined ? {} : { schemaContract: spec.schemaContract }),
  })
}

function find(declared: (Resource | MergedResource)[], child: MergedResource, name: string): Resource | MergedResource {
  const parent = declared.find((one) => one.name === name)
  if (parent !== undefined) return parent
  throw invalidSource(`resource "${child.name}" reads {resources.${name}.…}, but there is no resource "${name}"`)
}

/**
 * dlt's older way to say two things in a parameter: `{ type: 'incremental', cursor_path, … }` sends the cursor, and
 * `{ type: 'resolve', resource, field }` a field of the parent.
 */
function withoutParamTypes(endpoint: EndpointSpec): EndpointSpec {
  const params: Record<string, unknown> = {}
  let { incremental: declared } = endpoint
  for (const [name, value] of Object.entries(endpoint.params ?? {})) {
    const { type, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
    if (type === 'resolve') params[name] = `{resources.${String(rest.resource)}.${String(rest.field)}}`
    else if (type === 'incremental') declared = { ...camelKeys(rest), startParam: name } as unknown as RestIncremental
    else params[name] = value
  }
  return { ...endpoint, params, ...(declared === undefined ? {} : { incremental: declared }) }
}

const camelKeys = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )

/** Shorthands resolved and defaults applied: the resource wins, parameters and JSON bodies are merged. */
function merged(spec: RestSourceSpec, given: string | RestResourceSpec): MergedResource {
  const own = typeof given === 'string' ? { name: given } : given
  const { endpoint: defaults = {}, ...resourceDefaults } = spec.resourceDefaults ?? {}
  const endpoint = withoutParamTypes(typeof own.endpoint === 'string' ? { path: own.endpoint } : (own.endpoint ?? {}))
  return {
    ...resourceDefaults,
    ...own,
    endpoint: {
      ...defaults,
      ...endpoint,
      path: endpoint.path ?? defaults.path ?? own.name,
      params: { ...defaults.params, ...endpoint.params },
      ...mergedBody(defaults, endpoint),
    },
  }
}

/** JSON bodies are merged key by key; another kind of body, or an explicit null, is taken as it is. */
function mergedBody(defaults: EndpointSpec, endpoint: EndpointSpec): Pick<EndpointSpec, 'json'> {
  if (endpoint.json === null || endpoint.data !== undefined) return { json: null }
  const none = (defaults.json ?? endpoint.json ?? undefined) === undefined
  return none ? {} : { json: { ...defaults.json, ...endpoint.json } }
}

function restResource(spec: MergedResource, clients: ClientPool, parentOf: (name: string) => Resource): Resource {
  const { endpoint } = spec
  const parents = [
    ...new Set(parentsIn([endpoint.path, endpoint.params, endpoint.json, endpoint.data, endpoint.headers])),
  ]
  if (parents.length > 1)
    throw invalidSource(`resource "${spec.name}" reads from several parents: ${parents.join(', ')}`)
  const [parentName] = parents
  const options = resourceOptions(spec, parentName !== undefined)
  const reader = new EndpointReader(spec, clients, parentName)
  const made =
    parentName === undefined
      ? resource(spec.name, (context) => reader.pages(undefined, context), options)
      : transformer(spec.name, (rows, context) => reader.pagesForAll(rows, context), {
          ...options,
          from: parentOf(parentName),
        })
  return (spec.processingSteps ?? []).reduce<Resource>((current, step) => {
    const filtered = step.filter === undefined ? current : current.filter(step.filter as (row: unknown) => boolean)
    const changed = step.map === undefined ? filtered : filtered.map(step.map as (row: unknown) => unknown)
    const { yieldMap } = step
    return yieldMap === undefined ? changed : changed.flatMap((row) => [...yieldMap(row as never)])
  }, made)
}

function resourceOptions(spec: MergedResource, isChild: boolean): ResourceOptions {
  const { name: _name, endpoint, includeFromParent: _include, processingSteps: _steps, ...options } = spec
  // A child has a cursor for each of its parents, kept by its reader.
  if (endpoint.incremental === undefined || isChild) return options
  const { cursorPath, startParam: _start, endParam: _end, convert: _convert, ...cursor } = endpoint.incremental
  return { ...options, incremental: incremental(cursorPath, cursor) }
}
