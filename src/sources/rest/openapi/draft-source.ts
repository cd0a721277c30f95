import { inferAuth } from './infer-auth.ts'
import { inferPaging, showsMore } from './infer-paginator.ts'
import type { ApiDocument } from './document.ts'
import { readOperations, type Parameter, type ReadOperation } from './operations.ts'
import { keyOf, propertiesOf, typeOf } from './rows.ts'

/** One resource of a draft, with what is to be said about it. */
export interface DraftResource {
  name: string
  endpoint: Record<string, unknown> & { path: string }
  primaryKey: string | undefined
  isList: boolean
  summary: string
  /** What the description does not tell. */
  missing: string[]
  /** Values that only a person can give: settings of these names. */
  needs: string[]
  /** The list above it, and the field of its rows that the path names. */
  parent: { name: string; field: string } | undefined
  /** A line that may be taken over. */
  suggestion: string | undefined
}

/** A source as far as a description of its API tells it. */
export interface Draft {
  name: string
  title: string
  baseUrl: string | undefined
  auth: Record<string, unknown> | undefined
  resources: DraftResource[]
  leftOut: Map<string, number>
  operations: number
}

export interface DraftOptions {
  name?: string | undefined
  /** Path prefixes or tags; nothing given takes all. */
  only?: readonly string[] | undefined
}

export function draftSource(document: ApiDocument, options: DraftOptions = {}): Draft {
  const info = document.at(document.root.info)
  const title = typeof info.title === 'string' ? info.title : 'API'
  const { only } = options
  const chosen = (path: string, tags: string[]): boolean =>
    only === undefined || only.some((one) => (one.startsWith('/') ? path.startsWith(one) : tags.includes(one)))
  const { reads, leftOut } = readOperations(document, chosen)
  const leave = (why: string): void => void leftOut.set(why, (leftOut.get(why) ?? 0) + 1)
  const lists = new Map(reads.filter(({ rows }) => rows.isList).map((one) => [shapeOf(one.path), one]))
  const kept = reads.filter((one) => {
    const isDetail = !one.rows.isList && one.path.endsWith('}') && lists.has(shapeOf(one.path.replace(/\/[^/]*$/, '')))
    if (isDetail) leave('give one row of a list')
    return !isDetail
  })
  const names = resourceNames(kept.map(({ path }) => path))
  const known = new Map(kept.map((one, at) => [shapeOf(one.path), { operation: one, name: names[at]! }]))
  const resources = kept.map((one, at) => draftResource(document, one, names[at]!, known))
  return {
    name: options.name ?? nameFrom(title),
    title,
    baseUrl: document.baseUrl,
    auth: inferAuth(document),
    resources,
    leftOut,
    operations: reads.length + [...leftOut.values()].reduce((sum, one) => sum + one, 0) - (reads.length - kept.length),
  }
}

/** The title without the words that every title has. */
function nameFrom(title: string): string {
  const words =
    title
      .toLowerCase()
      .replace(/'s?/g, '')
      .match(/[a-z\d]+/g) ?? []
  const common = /^(the|rest|api|apis|openapi|swagger|v\d+|\d+|public|specification|spec|documentation|docs|platform)$/
  return (
    snake(
      words
        .filter((word) => !common.test(word))
        .slice(0, 4)
        .join('_'),
    ) || 'api'
  )
}

type Known = ReadonlyMap<string, { operation: ReadOperation; name: string }>

function draftResource(document: ApiDocument, operation: ReadOperation, name: string, known: Known): DraftResource {
  const { rows } = operation
  const missing: string[] = []
  const primaryKey = keyOf(document, rows.row, name)
  const paging = rows.isList ? inferPaging(document, operation) : undefined
  if (rows.isList && paging?.paginator === undefined)
    missing.push('paginator: the first answer will tell, or say that it cannot')
  if (rows.isList && primaryKey === undefined) missing.push('primary_key')
  const bound = bindPath(document, operation, known)
  const required = operation.parameters.filter((one) => one.in === 'query' && one.required)
  const given = Object.fromEntries(required.map((one) => [one.name, defaultOf(one) ?? { config: snake(one.name) }]))
  const needs = [
    ...bound.needs,
    ...required.filter((one) => defaultOf(one) === undefined).map((one) => snake(one.name)),
  ]
  const params = { ...bound.params, ...given, ...paging?.params }
  return {
    name,
    endpoint: {
      path: bound.path.replace(/^\/+/, ''),
      ...(Object.keys(params).length === 0 ? {} : { params }),
      data_selector: rows.selector,
      ...(paging?.paginator === undefined ? {} : { paginator: paging.paginator }),
      ...(rows.isList || showsMore(document, operation) ? {} : { paginator: 'single_page' }),
    },
    primaryKey,
    isList: rows.isList,
    summary: operation.summary,
    missing,
    needs,
    parent: bound.parent,
    suggestion: suggestCursor(document, operation),
  }
}

function defaultOf({ schema }: Parameter): unknown {
  if (schema.default !== undefined) return schema.default
  return Array.isArray(schema.enum) && schema.enum.length === 1 ? (schema.enum[0] as unknown) : undefined
}

/** Each `{name}` of a path comes from a row of the list before it, or from the configuration. */
function bindPath(document: ApiDocument, operation: ReadOperation, known: Known) {
  const params: Record<string, unknown> = {}
  const needs: string[] = []
  let parent: DraftResource['parent']
  const path = operation.path.replace(/\{([^{}]+)\}/g, (_found, name: string, at: number) => {
    const before = operation.path.slice(0, at).replace(/\/$/, '')
    const list = known.get(shapeOf(before))
    const field =
      list === undefined || !list.operation.rows.isList
        ? undefined
        : fieldFor(document, list.operation, name, operation)
    if (list !== undefined && field !== undefined) {
      parent = { name: list.name, field }
      return `{resources.${list.name}.${field}}`
    }
    const setting = snake(name)
    params[setting] = { config: setting }
    needs.push(setting)
    return `{${setting}}`
  })
  return { path, params, needs, parent }
}

/** The field of a row that a path parameter wants: of its name, or a key of its type. */
function fieldFor(document: ApiDocument, list: ReadOperation, name: string, child: ReadOperation): string | undefined {
  const properties = propertiesOf(document, list.rows.row)
  const names = Object.keys(properties)
  const plain = (text: string): string => text.replace(/[_-]/g, '').toLowerCase()
  const last = /(?:_|-|(?=[A-Z]))(id|key|slug|name|uuid|code|number|login|gid|sid)$/i.exec(name)?.[1]
  const wantsType = typeOf(child.parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? {})
  const fits = (field: string): boolean => {
    const type = typeOf(document.at(properties[field]))
    // Numbers are written into paths as well as texts; a text cannot be a number.
    return wantsType !== 'integer' || type === 'integer' || type === undefined
  }
  const isText = wantsType === 'string' && typeOf(document.at(properties.id)) === 'integer'
  const wanted = [
    name,
    last ?? '',
    ...(isText ? ['slug', 'login', 'key', 'name', 'id'] : ['id', 'uuid', 'slug', 'key']),
  ]
  const found = wanted.map((want) => names.find((one) => want !== '' && plain(one) === plain(want) && fits(one)))
  return found.find((one) => one !== undefined && /^[\w-]+$/.test(one)) ?? keyOf(document, list.rows.row)
}

/** A parameter for "changed since" and a field that it is about. */
function suggestCursor(document: ApiDocument, { parameters, rows }: ReadOperation): string | undefined {
  const since = parameters.find(
    (one) =>
      one.in === 'query' &&
      /^(since|(updated|modified|changed)(_?at)?[_.[]?(since|after|gte|from|min|gt)\]?|(start|from)_?(date|time)|created[_.[]?(since|after|gte)\]?)$/i.test(
        one.name,
      ),
  )
  if (since === undefined || !rows.isList) return undefined
  const names = Object.keys(propertiesOf(document, rows.row))
  const about = /created/i.test(since.name)
    ? /^created(_?(at|on|date))?$/i
    : /^(updated|modified|last_?(updated|modified))(_?(at|on|date|time))?$/i
  const field = names.find((one) => about.test(one))
  if (field === undefined) return undefined
  return `incremental: { cursor_path: ${field}, start_param: '${since.name}', initial_value: '2020-01-01T00:00:00Z' }`
}

/** A path without the names in its braces: two spellings of one place are equal. */
const shapeOf = (path: string): string => path.replace(/\{[^{}]*\}/g, '{}').replace(/\/$/, '')

/** The last fixed part of each path, and as many before it as make it the only one. */
function resourceNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => {
    const fixed = path
      .split('/')
      .filter((part) => part !== '' && !/^\{.*\}$/.test(part) && !/^(api|rest|v\d+(\.\d+)*)$/i.test(part))
    return fixed.map((part) => snake(part.replace(/\{[^{}]*\}|\.json$/g, ''))).filter((part) => part !== '')
  })
  const nameBy = (words: readonly string[], count: number): string => words.slice(-count).join('_') || 'root'
  const taken = new Map<string, number>()
  return parts.map((words) => {
    let count = 1
    const rivals = (n: number): number => parts.filter((other) => nameBy(other, n) === nameBy(words, n)).length
    while (count < words.length && rivals(count) > 1) count += 1
    const name = nameBy(words, count)
    const times = (taken.get(name) ?? 0) + 1
    taken.set(name, times)
    return times === 1 ? name : `${name}_${times}`
  })
}

function snake(text: string): string {
  const words = text.replace(/([a-z\d])([A-Z])/g, '$1_$2').replace(/[^A-Za-z\d]+/g, '_')
  const name = words.replace(/^_+|(?<!_)_+$/g, '').toLowerCase()
  return /^\d/.test(name) ? `_${name}` : name
}
