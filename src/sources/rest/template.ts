import { ConfigReference } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import { inRequest, jsonPath, type IncrementalCursor } from '../../extract/index.ts'
import { ExactNumber } from '../../schema/index.ts'
import { checkedPath } from './path-segments.ts'

/** Where a request begins and ends; a cursor, or a window of it. */
export type CursorValues = Pick<IncrementalCursor, 'startValue' | 'lastValue' | 'endValue' | 'initialValue' | 'lag'>

/** What placeholders can name. */
export interface TemplateValues {
  /** Rows by the resource they are of: one, or the rows of a batch. */
  parents: ReadonlyMap<string, readonly unknown[]>
  /** Between the values of a batch; undefined repeats a parameter instead. */
  separator?: string | undefined
  cursor?: CursorValues | undefined
  convert?: ((value: unknown) => unknown) | undefined
  /** Gives what a reference such as `{ secret: api_key }` names. */
  lookUp?: ((reference: ConfigReference) => unknown) | undefined
  /** Answers about a report: to its creation, and to the last look at it. */
  report?: unknown
  poll?: unknown
}

/** `{resources.users.id}`. */
export interface ParentField {
  resource: string
  field: string
}

// Doubled braces first: they stand for themselves.
const placeholder = /\{\{|\}\}|\{(resources|incremental|report|poll)\.([^{}]+)\}/g
const whole = /^\{(resources|incremental|report|poll)\.([^{}]+)\}$/

const substitute = (template: string, value: (scope: string, name: string) => string): string =>
  template.replace(placeholder, (found, scope: string | undefined, name: string | undefined) =>
    scope === undefined ? found[0]! : value(scope, name!),
  )

/** Texts in single braces that name nothing; braces with blanks or quotes in them are no placeholders at all. */
export function unknownPlaceholders(template: unknown, isIncremental: boolean): string[] {
  const texts: string[] = []
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value)
    else if (Array.isArray(value)) value.forEach(collect)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect)
  }
  collect(template)
  return texts.flatMap((text) =>
    [...text.matchAll(/\{\{|\}\}|\{([A-Za-z_][\w-]*\.[^{}\s"']*)\}/g)]
      .map((match) => match[1])
      .filter((name): name is string => name !== undefined)
      .filter((name) => !name.startsWith('resources.') && !(isIncremental && name.startsWith('incremental.'))),
  )
}

/** The fields of parent rows that a template names. */
export const parentFieldsIn = (template: unknown): ParentField[] =>
  [...JSON.stringify(template ?? '').matchAll(/\{resources\.(\w+)\.([^{}]+)\}/g)].map((match) => ({
    resource: match[1]!,
    field: match[2]!.replaceAll('\\"', '"'),
  }))

/** Fills placeholders in a path; values cannot leave their place in it. */
export const fillPath = (path: string, values: TemplateValues): string =>
  checkedPath(
    path,
    substitute(path, (scope, name) => encodeURIComponent(required(scope, name, values))),
  )

/**
 * Fills placeholders in parameters, headers and bodies, and looks references up, however deep they are. A text that is one
 * placeholder keeps the value's type; in a value that was looked up, braces are no placeholders.
 */
export function fill(template: unknown, values: TemplateValues): unknown {
  if (typeof template === 'string') {
    const only = whole.exec(template)
    if (only !== null) return valueOf(only[1]!, only[2]!, values)
    return substitute(template, (scope, name) => required(scope, name, values))
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values))
  if (typeof template !== 'object' || template === null) return template
  if (template instanceof ConfigReference) return values.lookUp === undefined ? template : values.lookUp(template)
  return Object.fromEntries(
    Object.entries(template).map(([key, inner]) => [
      substitute(key, (_scope, name) => `{${name}}`),
      fill(inner, values),
    ]),
  )
}

function required(scope: string, name: string, values: TemplateValues): string {
  const value = valueOf(scope, name, values)
  if (Array.isArray(value) && value.length > 0) return value.map(String).join(values.separator ?? ',')
  if (isValue(value)) return String(value)
  throw new PipelineError(`{${scope}.${name}} has no value to put into a request`, {
    code: 'SOURCE_INVALID',
    fix: "name a field that every parent row has, or leave the others out: parentRows: { onNull: 'skip' }",
  })
}

/** Something that can stand in a request; numbers that are kept as text are objects. */
const isValue = (value: unknown): boolean =>
  value !== undefined && value !== null && (typeof value !== 'object' || value instanceof ExactNumber)

function valueOf(scope: string, name: string, values: TemplateValues): unknown {
  const { parents, separator, cursor, convert } = values
  if (scope === 'report' || scope === 'poll') return jsonPath(name).first(values[scope])
  if (scope === 'incremental') {
    const property = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const value = cursor?.[property as keyof CursorValues]
    return value !== undefined && convert !== undefined ? convert(value) : inRequest(value)
  }
  const dot = name.indexOf('.')
  const rows = parents.get(name.slice(0, dot)) ?? []
  const path = jsonPath(name.slice(dot + 1))
  if (!(rows instanceof Batch)) return path.first(rows[0])
  const found = rows.map((row) => path.first(row))
  return separator === undefined ? found : found.map(String).join(separator)
}

/** Parent rows that share a request. */
export class Batch extends Array<unknown> {
  // `map` and `filter` give plain arrays.
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }
}
