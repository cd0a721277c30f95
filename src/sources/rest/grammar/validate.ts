import { ConfigReference } from '../../../config/index.ts'
import { PipelineError } from '../../../errors/index.ts'
import { conditionProblem } from '../condition.ts'
import { unknownPlaceholders } from '../template.ts'
import { isNative, shapeOf, sourceShape } from './grammar.ts'
import type { ObjectShape, Shape, UnionShape } from './shape.ts'

/** Checks a whole source before anything is sent, and tells all problems at once with their paths. No value is shown. */
export function validateSpec(spec: unknown, spelling: (key: string) => string = (key) => key): void {
  const problems = problemsOf(spec, spelling)
  if (problems.length === 0) return
  throw new PipelineError(
    `the source has ${problems.length} problem(s):\n${problems.map((one) => `  ${one}`).join('\n')}`,
    {
      code: 'SOURCE_INVALID',
      fix: 'correct the keys named above',
    },
  )
}

/** All problems of a source, each with its path; none for one that is sound. */
export const problemsOf = (spec: unknown, spelling: (key: string) => string): string[] =>
  new Checker(spelling).source(spec)

type Given = Record<string, unknown>

class Checker {
  private readonly problems: string[] = []
  private readonly spelling: (key: string) => string

  constructor(spelling: (key: string) => string) {
    this.spelling = spelling
  }

  source(spec: unknown): string[] {
    this.check(spec, sourceShape, '')
    const { resources, resourceDefaults } = (spec ?? {}) as Given
    this.endpoint((resourceDefaults as Given | undefined)?.endpoint, `${this.spelling('resourceDefaults')}.endpoint`)
    if (Array.isArray(resources)) for (const [at, one] of resources.entries()) this.resource(one, `resources[${at}]`)
    return this.problems
  }

  /** The shape of a value: what it is, and which keys it has. */
  private check(value: unknown, given: Shape, path: string): void {
    const shape = shapeOf(given)
    // Left out is what undefined means; what must be there is asked for by the object around it.
    if (value === undefined) return
    switch (shape.kind) {
      case 'object':
        return this.object(value, shape, path)
      case 'union':
        return this.union(value, shape, path)
      case 'either':
        return this.either(value, shape.of.map(shapeOf), path)
      case 'list':
        if (!Array.isArray(value)) return this.expected(path, 'a list')
        return value.forEach((item, at) => this.check(item, shape.of, `${path}[${at}]`))
      case 'names':
        if (!isKeyed(value)) return this.expected(path, 'names and values')
        return Object.entries(value).forEach(([name, inner]) => this.check(inner, shape.of, `${path}.${name}`))
      default:
        if (!isOfKind(value, shape)) this.expected(path, nameOf(shape))
    }
  }

  /** The alternative that the value is meant to be says what is wrong with it. */
  private either(value: unknown, alternatives: readonly Shape[], path: string): void {
    const fitting = alternatives.find((one) => isMeantAs(value, one))
    if (fitting === undefined) this.expected(path, alternatives.map(nameOf).filter(Boolean).join(' or '))
    else this.check(value, fitting, path)
  }

  private object(value: unknown, shape: ObjectShape, path: string): void {
    if (value === null) return
    if (!isKeyed(value)) return this.expected(path, 'keys and values')
    this.knownKeys(value, path, Object.keys(shape.keys))
    for (const key of shape.required) {
      if (value[key] === undefined) this.problems.push(`${this.join(path, key)}: is missing`)
    }
    for (const [key, inner] of Object.entries(shape.keys)) this.check(value[key], inner, this.join(path, key))
  }

  /** An object with a `type`, and the keys that belong to it; a bare text is the type. */
  private union(value: unknown, shape: UnionShape, path: string): void {
    if (value === null || isNative(value)) return
    const stated = isKeyed(value) ? (value.type ?? shape.implied?.(value)) : value
    const variant = typeof stated === 'string' && Object.hasOwn(shape.types, stated) ? shape.types[stated]! : undefined
    if (variant === undefined) {
      const types = Object.keys(shape.types)
      const near = typeof stated === 'string' ? nearest(stated, types) : undefined
      const hint = near === undefined ? '' : `; did you mean "${near}"?`
      return this.expected(`${path}.type`, `${types.join(', ')}${hint}`)
    }
    if (!isKeyed(value)) {
      for (const key of variant.required) this.problems.push(`${path}.${this.spelling(key)}: is missing`)
      return
    }
    const { type: _type, ...rest } = value
    this.object(rest, variant, path)
  }

  private knownKeys(given: object, path: string, known: readonly string[]): void {
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue
      const near = nearest(key, known)
      const hint = near === undefined ? '' : `; did you mean "${this.spelling(near)}"?`
      this.problems.push(`${this.join(path, key)}: is not known${hint}`)
    }
  }

  private join(path: string, key: string): string {
    return path === '' ? this.spelling(key) : `${path}.${this.spelling(key)}`
  }

  private expected(path: string, what: string): void {
    this.problems.push(`${path}: expected ${what}`)
  }

  // What shapes cannot say.

  private resource(given: unknown, path: string): void {
    if (!isKeyed(given)) return
    this.endpoint(given.endpoint, `${path}.endpoint`)
    if (given.rows !== undefined && given.endpoint !== undefined) {
      this.problems.push(`${path}: has rows of its own and an endpoint; keep one`)
    }
  }

  private endpoint(given: unknown, path: string): void {
    if (!isKeyed(given)) return
    if (given.json !== undefined && given.json !== null && given.data !== undefined) {
      this.problems.push(`${path}: json and data cannot both be the body`)
    }
    this.params(given, `${path}.params`)
    this.stops(given.paginator, `${path}.paginator`)
    this.conditions(given, path)
    const isIncremental = given.incremental !== undefined && given.incremental !== null
    for (const part of ['path', 'params', 'json', 'data', 'headers'] as const) {
      for (const unknown of unknownPlaceholders(given[part], isIncremental)) {
        this.problems.push(
          `${path}.${part}: {${unknown}} is no placeholder; there are {resources.<name>.<field>} and, with incremental, ` +
            `{incremental.start_value}; write braces that are meant as such twice: {{${unknown}}}`,
        )
      }
    }
  }

  /** A parameter has one value, or a list; dlt's older forms are objects with a type; others need a style. */
  private params(endpoint: Given, path: string): void {
    if (!isKeyed(endpoint.params) || endpoint.nestedParams !== undefined) return
    for (const [name, value] of Object.entries(endpoint.params)) {
      if (!isKeyed(value) || isNative(value) || value instanceof ConfigReference) continue
      if (value.type === 'incremental' || value.type === 'resolve') continue
      this.problems.push(
        `${path}.${name}: expected a value or a list; for an object say how the API writes it: ` +
          `${this.spelling('nestedParams')}: brackets, dots or json`,
      )
    }
  }

  /** Counting paginators must have a way to end, and a place to write to. */
  private stops(given: unknown, path: string): void {
    if (!isKeyed(given)) return
    const { type, ...options } = given
    if (type !== 'offset' && type !== 'page_number') return
    const ends = ['maximumPage', 'maximumOffset', 'hasMorePath', 'pageSize', 'stopWhen', 'totalHeader'].some(
      (key) => options[key] !== undefined && options[key] !== null,
    )
    if (options.stopAfterEmptyPage === false && options.totalPath === null && !ends) {
      const keys = [
        'totalPath',
        'hasMorePath',
        type === 'offset' ? 'maximumOffset' : 'maximumPage',
        'stopAfterEmptyPage',
      ]
      this.problems.push(`${path}: would never end; give one of ${keys.map(this.spelling).join(', ')}`)
    }
    const [param, bodyPath, header] = ['Param', 'BodyPath', 'Header'].map(
      (place) => (type === 'offset' ? 'offset' : 'page') + place,
    ) as [string, string, string]
    if (options[param] === '' && options[bodyPath] === undefined && options[header] === undefined) {
      this.problems.push(`${path}.${this.spelling(param)}: is empty`)
    }
  }

  private conditions({ paginator, responseActions, report }: Given, path: string): void {
    const found: [path: string, text: unknown][] = [
      [`${path}.paginator.stopWhen`, (paginator as Given | null)?.stopWhen],
    ]
    if (isKeyed(report)) {
      for (const key of ['doneWhen', 'failedWhen']) found.push([`${path}.report.${key}`, report[key]])
    }
    if (Array.isArray(responseActions)) {
      for (const [at, one] of responseActions.entries()) {
        found.push([`${path}.responseActions[${at}].when`, (one as Given | null)?.when])
      }
    }
    for (const [place, text] of found) {
      const problem = typeof text === 'string' ? conditionProblem(text) : undefined
      if (problem !== undefined) this.problems.push(`${place.split('.').map(this.spelling).join('.')}: ${problem}`)
    }
  }
}

const isKeyed = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ConfigReference)

/** A value without an inside of its own. */
function isOfKind(value: unknown, shape: Shape): boolean {
  switch (shape.kind) {
    case 'text':
      return typeof value === 'string'
    case 'whole':
      return Number.isInteger(value)
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' || value instanceof Date
    case 'flag':
      return typeof value === 'boolean'
    case 'setting':
      return typeof value === 'string' || value instanceof ConfigReference
    case 'one of':
      return typeof value === 'string' && shape.values.includes(value)
    case 'null':
      return value === null
    case 'keys':
      return isKeyed(value)
    default:
      return true
  }
}

/** Of several alternatives, the one whose outside fits. */
function isMeantAs(value: unknown, given: Shape): boolean {
  const shape = shapeOf(given)
  switch (shape.kind) {
    case 'object':
    case 'names':
    case 'keys':
      return isKeyed(value) && !isNative(value)
    case 'union':
      return typeof value === 'string' || isKeyed(value)
    case 'list':
      return Array.isArray(value)
    case 'code':
      return isNative(value)
    case 'either':
      return shape.of.some((one) => isMeantAs(value, one))
    default:
      return isOfKind(value, shape)
  }
}

function nameOf(given: Shape): string {
  const shape = shapeOf(given)
  switch (shape.kind) {
    case 'text':
      return 'a text'
    case 'whole':
      return 'a whole number'
    case 'number':
      return 'a number'
    case 'flag':
      return 'true or false'
    case 'setting':
      return `a text, or { secret: name }`
    case 'one of':
      return shape.values.length === 2 ? shape.values.join(' or ') : `one of ${shape.values.join(', ')}`
    case 'list':
      return 'a list'
    case 'null':
    case 'code':
      return ''
    case 'either':
      return shape.of.map(nameOf).filter(Boolean).join(' or ')
    case 'names':
      return 'names and values'
    case 'anything':
      return 'a value'
    default:
      return 'keys and values'
  }
}

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
