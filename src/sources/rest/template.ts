import { PipelineError } from '../../errors/index.ts'
import { jsonPath, type IncrementalCursor } from '../../extract/index.ts'

/** Where a request begins and ends; a cursor, or a window of it. */
export type CursorValues = Pick<IncrementalCursor, 'startValue' | 'lastValue' | 'endValue'> & { initialValue?: unknown }

/** What placeholders can name. */
export interface TemplateValues {
  /** Name of the parent resource. */
  parent: string | undefined
  row: unknown
  cursor: CursorValues | undefined
  convert: ((value: unknown) => unknown) | undefined
}

// Doubled braces first: they stand for themselves.
const placeholder = /\{\{|\}\}|\{(resources|incremental)\.([^{}]+)\}/g
const whole = /^\{(resources|incremental)\.([^{}]+)\}$/

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

/** The parent resources that a template names. */
export const parentsIn = (template: unknown): string[] =>
  [...JSON.stringify(template ?? '').matchAll(/\{resources\.(\w+)\./g)].map((match) => match[1]!)

/** The fields of the parent row that a template names. */
export const parentFieldsIn = (template: unknown): string[] =>
  [...JSON.stringify(template ?? '').matchAll(/\{resources\.\w+\.([^{}]+)\}/g)].map((match) => match[1]!)

/** Fills placeholders in a path; values cannot leave their place in it. */
export const fillPath = (path: string, values: TemplateValues): string =>
  substitute(path, (scope, name) => encodeURIComponent(required(scope, name, values)))

/** Fills placeholders in parameters, headers and bodies. A text that is one placeholder keeps the value's type. */
export function fill(template: unknown, values: TemplateValues): unknown {
  if (typeof template === 'string') {
    const only = whole.exec(template)
    if (only !== null) return valueOf(only[1]!, only[2]!, values)
    return substitute(template, (scope, name) => required(scope, name, values))
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values))
  if (typeof template !== 'object' || template === null) return template
  return Object.fromEntries(
    Object.entries(template).map(([key, inner]) => [
      substitute(key, (_scope, name) => `{${name}}`),
      fill(inner, values),
    ]),
  )
}

function required(scope: string, name: string, values: TemplateValues): string {
  const value = valueOf(scope, name, values)
  if (value !== undefined && value !== null && typeof value !== 'object') return String(value)
  throw new PipelineError(`{${scope}.${name}} has no value to put into a request`, {
    code: 'SOURCE_INVALID',
    fix: 'name a field that every parent row has, or filter the others out',
  })
}

function valueOf(scope: string, name: string, { parent, row, cursor, convert }: TemplateValues): unknown {
  if (scope === 'incremental') {
    const property = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const value = (cursor as unknown as Record<string, unknown> | undefined)?.[property]
    return value !== undefined && convert !== undefined ? convert(value) : value
  }
  const path = name.slice(name.indexOf('.') + 1)
  return name.startsWith(`${parent}.`) ? jsonPath(path).first(row) : undefined
}
