import {
  type EndpointFacts,
  Resource,
  resource,
  type Source,
  source,
  transformer,
  type ResourceOptions,
} from '../../extract/index.ts'
import { keyColumns, writeDispositionOptions } from '../../schema/index.ts'
import { ClientPool } from './client-pool.ts'
import { configuredList, type ValueOf } from './configured-list.ts'
import { cursorOf, EndpointReader } from './endpoint-reader.ts'
import { hideLiterals } from './hide-literals.ts'
import { includedFields } from './include-from-parent.ts'
import type { MergedResource } from './request-pages.ts'
import type { Parents } from './parent-rows.ts'
import { invalidSource } from './source-invalid.ts'
import type { EndpointSpec, RestIncremental, RestResourceSpec, RestSourceSpec } from './spec.ts'
import { parentFieldsIn, type ParentField } from './template.ts'
import type { CheckedResources } from './checked-resources.ts'
import { validateSpec } from './grammar/validate.ts'

export interface RestSourceOptions {
  /** Asks once for each resource, and tells failures instead of throwing them. @default false */
  probing?: boolean
  /** The source is a file, which a stranger may have written, and not code. @default false */
  isFile?: boolean
}

/** A source declared in dlt's REST grammar. A key that does not exist and a parent that does not exist do not compile. */
export function restSource<const R extends RestSourceSpec['resources']>(
  spec: Omit<RestSourceSpec, 'resources'> & { resources: R & CheckedResources<R> },
): Source {
  return createRestSource(spec as RestSourceSpec)
}

export function createRestSource(
  spec: RestSourceSpec,
  { probing = false, isFile = false }: RestSourceOptions = {},
): Source {
  validateSpec(spec)
  hideLiterals(spec.resources)
  hideLiterals(spec.resourceDefaults)
  const clients = new ClientPool(spec, isFile)
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
        : restResource(one, clients, (name) => build(find(declared, one, name), [...path, one.name]), probing)
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
    ...(spec.maxTableColumns === undefined ? {} : { maxTableColumns: spec.maxTableColumns }),
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
  const { auth: defaultAuth, ...shared } = defaults
  const endpoint = withoutNulls(
    withoutParamTypes(typeof own.endpoint === 'string' ? { path: own.endpoint } : (own.endpoint ?? {})),
  )
  return {
    ...resourceDefaults,
    ...own,
    defaultAuth,
    endpoint: {
      ...shared,
      ...endpoint,
      path: endpoint.path ?? defaults.path ?? own.name,
      params: { ...defaults.params, ...endpoint.params },
      ...mergedBody(defaults, endpoint),
    },
  }
}

/** A null among the keys of a cursor, or in its place, is as if it were not there. */
function withoutNulls(endpoint: EndpointSpec): EndpointSpec {
  const { incremental: declared, ...rest } = endpoint
  if (declared === undefined || declared === null) return rest
  const given = Object.entries(declared).filter(([, value]) => value !== null)
  return { ...rest, incremental: Object.fromEntries(given) as unknown as RestIncremental }
}

/** JSON bodies are merged key by key; another kind of body, or an explicit null, is taken as it is. */
function mergedBody(defaults: EndpointSpec, endpoint: EndpointSpec): Pick<EndpointSpec, 'json'> {
  if (endpoint.json === null || endpoint.data !== undefined) return { json: null }
  const none = (defaults.json ?? endpoint.json ?? undefined) === undefined
  return none ? {} : { json: { ...defaults.json, ...endpoint.json } }
}

function restResource(
  spec: MergedResource,
  clients: ClientPool,
  resourceOf: (name: string) => Resource,
  probing: boolean,
): Resource {
  if (spec.rows !== undefined) return withSteps(listedRows(spec, clients), spec)
  const { path, params, json, data, headers, graphql } = spec.endpoint
  const fields = parentFieldsIn([path, params, json, data, headers, graphql?.variables])
  const named = [...new Set(fields.map(({ resource }) => resource))].map(resourceOf)
  const [primary, ...others] = nearestFirst(named)
  const options = resourceOptions(spec, primary !== undefined)
  if (primary === undefined) {
    const reader = new EndpointReader(spec, clients, undefined, probing)
    const made = resource(spec.name, (context) => reader.pages(context), options)
    return withSteps(made.describedBy(endpointFacts(spec, clients.spec)), spec)
  }
  const alongside = others.filter((one) => !ancestorsOf(primary).includes(one.name))
  checkAlongside(spec.name, primary, alongside)
  checkBatch(spec)
  const parents: Parents = {
    child: spec.name,
    primary: primary.name,
    alongside: alongside.map((one) => one.name),
    fields,
    ...distinction(spec, primary.name),
  }
  const reader = new EndpointReader(spec, clients, parents, probing)
  const made = transformer(spec.name, (rows, context) => reader.pagesForAll(rows, context), {
    ...options,
    from: primary,
    alongside: alongside.map((one) => ({ resource: one, keep: keeping(one.name, fields) })),
  })
  return withSteps(made.describedBy(endpointFacts(spec, clients.spec)), spec)
}

/**
 * Nothing chooses among the rows that a merge key brings in one run. A parent that comes twice is therefore asked for once, or its
 * children would be there twice.
 */
function distinction(spec: MergedResource, primary: string): Pick<Parents, 'keyFields' | 'options'> {
  const { writeDisposition = 'append', primaryKey, mergeKey, includeFromParent, endpoint } = spec
  const { disposition } = writeDispositionOptions(writeDisposition)
  const mergeKeys = keyColumns(mergeKey)
  const distinct = disposition === 'merge' && mergeKeys.length > 0 && keyColumns(primaryKey).length === 0
  const included = includedFields(includeFromParent, primary).filter(([, as]) => mergeKeys.includes(as))
  return { keyFields: included.map(([field]) => field), options: { distinct, ...endpoint.parentRows } }
}

function endpointFacts({ endpoint }: MergedResource, { client }: RestSourceSpec): EndpointFacts {
  const { method = 'GET', path, dataSelector, graphql, report } = endpoint
  const paginator = endpoint.paginator ?? client.paginator
  const kind = typeof paginator === 'string' ? paginator : paginator?.type
  const special = graphql !== undefined ? 'graphql' : report !== undefined ? 'report' : undefined
  const cursor = endpoint.incremental?.cursorPath
  return { method, path, dataSelector: dataSelector ?? undefined, paginator: special ?? kind, cursor }
}

const ancestorsOf = ({ upstream }: Resource): string[] =>
  upstream === undefined ? [] : [upstream.name, ...ancestorsOf(upstream)]

const rootOf = (one: Resource): Resource => (one.upstream === undefined ? one : rootOf(one.upstream))

/** The parent that is above none of the others comes first: its pages are what is transformed. */
function nearestFirst(named: readonly Resource[]): Resource[] {
  const above = new Set(named.flatMap(ancestorsOf))
  const primary = named.find((one) => !above.has(one.name))
  return primary === undefined ? [] : [primary, ...named.filter((one) => one !== primary)]
}

/** Rows that are needed whole come from another tree: those of the same one are not all there yet. */
function checkAlongside(child: string, primary: Resource, alongside: readonly Resource[]): void {
  const sibling = alongside.find((one) => rootOf(one) === rootOf(primary))
  if (sibling === undefined) return
  throw invalidSource(
    `resource "${child}" reads from "${primary.name}" and "${sibling.name}", which both come from "${rootOf(primary).name}"`,
  )
}

function checkBatch({ name, includeFromParent, endpoint }: MergedResource): void {
  if (endpoint.parentRows?.batch === undefined) return
  if (includeFromParent !== undefined) {
    throw invalidSource(`resource "${name}": a batch has many parent rows, includeFromParent cannot choose one`)
  }
  if (endpoint.incremental !== undefined) {
    throw invalidSource(`resource "${name}": a batch has many parent rows, which cannot share a cursor`)
  }
}

/** Of a row that waits in memory, only what requests are made of. */
function keeping(name: string, fields: readonly ParentField[]): (row: unknown) => unknown {
  const keys = fields.filter(({ resource }) => resource === name).map(({ field }) => /^[\w-]+/.exec(field)?.[0])
  if (keys.includes(undefined)) return (row) => row
  return (row) => Object.fromEntries(keys.map((key) => [key, (row as Record<string, unknown> | null)?.[key!]]))
}

/** Rows that stand in the source, or in the configuration as a list. */
function listedRows(spec: MergedResource, clients: ClientPool): Resource {
  const { rows } = spec
  const options = { selected: false, ...resourceOptions(spec, false) }
  if (!isList(rows)) {
    // The rows become parts of requests: what they are made of counts as looked up by the source.
    const valueOf: ValueOf = (reference, config) => clients.settingsOf(config).list(reference)
    return configuredList(spec.name, 'value', rows!, valueOf, options)
  }
  const asRow = (value: unknown): unknown => (typeof value === 'object' && value !== null ? value : { value })
  return resource(spec.name, () => [rows.map(asRow)], options)
}
const isList = (rows: RestResourceSpec['rows']): rows is readonly unknown[] => Array.isArray(rows)

function withSteps(made: Resource, spec: MergedResource): Resource {
  return (spec.processingSteps ?? []).reduce<Resource>((current, step) => {
    const filtered = step.filter === undefined ? current : current.filter(step.filter as (row: unknown) => boolean)
    const changed = step.map === undefined ? filtered : filtered.map(step.map as (row: unknown) => unknown)
    const { yieldMap } = step
    return yieldMap === undefined ? changed : changed.flatMap((row) => [...yieldMap(row as never)])
  }, made)
}

function resourceOptions(spec: MergedResource, isChild: boolean): ResourceOptions {
  const {
    name: _name,
    endpoint,
    rows: _rows,
    defaultAuth: _auth,
    includeFromParent: _include,
    processingSteps: _steps,
    parallelized: _parallelized,
    ...options
  } = spec
  // A child has a cursor for each of its parents, kept by its reader.
  if (endpoint.incremental === undefined || isChild) return options
  return { ...options, incremental: cursorOf(endpoint)! }
}
