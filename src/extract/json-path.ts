import { JSONPathEnvironment } from 'json-p3'
import { PipelineError } from '../errors/index.ts'
import { ExactNumber } from '../schema/index.ts'

/** A compiled JSONPath: all values it selects, in document order. */
export interface JsonPath {
  readonly text: string
  all(root: unknown): unknown[]
  first(root: unknown): unknown
}

/** A key, an index, or `*`: what nearly every path consists of, evaluated here. The library does the rest. */
type Step = { key: string } | { index: number } | { every: true }

/** A path in pieces: a `step` where it is a simple one, and always its spelling in RFC 9535. */
interface Piece {
  step: Step | undefined
  query: string
}

const environment = new JSONPathEnvironment({ maxRecursionDepth: 2000 })

/**
 * Compiles a path of RFC 9535, whose `$` may be left out: `data.items`, `data[-1].id`, `rows[*].user`, `['odd key'].x`, `[1:3]`,
 * `..id`, `items[?@.kind == 'sale']`, `['a','b']`. Names may hold any character but `.[]*'"` and spaces, as in dlt. Throws
 * `SOURCE_INVALID` for anything else.
 */
export function jsonPath(text: string): JsonPath {
  const pieces = piecesOf(text)
  const steps = pieces.flatMap(({ step }) => step ?? [])
  if (steps.length < pieces.length) return byLibrary(text, `$${pieces.map(({ query }) => query).join('')}`)
  if (!steps.every((step) => 'key' in step)) {
    const all = (root: unknown): unknown[] => steps.reduce<unknown[]>(apply, [root])
    return { text, all, first: (root) => all(root)[0] }
  }
  const keys = steps.map(({ key }) => key)
  const first = (root: unknown): unknown => keys.reduce<unknown>(child, root)
  return {
    text,
    first,
    all(root) {
      const value = first(root)
      return value === undefined ? [] : [value]
    },
  }
}

const name = /[^.[\]*'"\s]+/y
const simpleBracket = /^\[\s*(?:'([^'\\]*)'|"([^"\\]*)"|(-?[1-9]\d*|0)|(\*))\s*\]$/

function piecesOf(given: string): Piece[] {
  const text = given.trim()
  const pieces: Piece[] = []
  let at = text.startsWith('$') && !/^\$[\w$]/.test(text) ? 1 : 0
  const isStart = at === 0
  while (at < text.length) {
    const [dots] = /^\.{0,2}/.exec(text.slice(at))!
    const before = dots === '..' ? { step: undefined, query: '..' } : undefined
    at += dots.length
    if (text[at] === '[') {
      const end = bracketEnd(text, at)
      if (end === undefined) throw notAPath(given, at)
      pieces.push(bracket(text.slice(at, end), before))
      at = end
    } else if (text[at] === '*' && (dots !== '' || (isStart && pieces.length === 0))) {
      pieces.push({ step: before === undefined ? { every: true } : undefined, query: `${before?.query ?? ''}[*]` })
      at += 1
    } else {
      name.lastIndex = at
      const key = dots !== '' || (isStart && pieces.length === 0) ? name.exec(text)?.[0] : undefined
      if (key === undefined) throw notAPath(given, at)
      const query = `${before?.query ?? ''}[${JSON.stringify(key)}]`
      pieces.push({ step: before === undefined ? { key } : undefined, query })
      at += key.length
    }
  }
  return pieces
}

function bracket(text: string, before: { query: string } | undefined): Piece {
  const [, single, double, index, star] = simpleBracket.exec(text) ?? []
  const key = single ?? double
  const step = key !== undefined ? { key } : index !== undefined ? { index: Number(index) } : undefined
  const simple: Step | undefined = step ?? (star === undefined ? undefined : { every: true })
  return { step: before === undefined ? simple : undefined, query: `${before?.query ?? ''}${text}` }
}

/** Behind the bracket that closes the one at `from`; quotes may hold brackets. */
function bracketEnd(text: string, from: number): number | undefined {
  let depth = 0
  let quote: string | undefined
  for (let at = from; at < text.length; at++) {
    const char = text[at]!
    if (quote !== undefined) {
      if (char === '\\') at += 1
      else if (char === quote) quote = undefined
    } else if (char === "'" || char === '"') quote = char
    else if (char === '[') depth += 1
    else if (char === ']' && --depth === 0) return at + 1
  }
  return undefined
}

function byLibrary(text: string, query: string): JsonPath {
  const compiled = compile(text, query)
  const compares = query.includes('?')
  const all = (root: unknown): unknown[] => {
    // A filter compares numbers: it sees plain ones, and its results are taken from the document itself.
    const document = compares ? plain(root) : root
    const found = select(text, () => [...compiled.query(document as never)])
    const values = found.map(({ value, location }) =>
      compares ? location.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root) : value,
    )
    return values.filter((value) => value !== undefined)
  }
  return { text, all, first: (root) => all(root)[0] }
}

function compile(text: string, query: string): ReturnType<JSONPathEnvironment['compile']> {
  try {
    return environment.compile(query)
  } catch (cause) {
    throw new PipelineError(`"${text}" is not a JSONPath: ${(cause as Error).message}`, {
      code: 'SOURCE_INVALID',
      fix: `use RFC 9535, such as data.items[*].id or items[?@.kind == 'sale']`,
      cause,
    })
  }
}

function select<T>(text: string, evaluate: () => T): T {
  try {
    return evaluate()
  } catch (cause) {
    throw new PipelineError(`"${text}" cannot be evaluated: ${(cause as Error).message}`, {
      code: 'NESTED_TOO_DEEP',
      fix: 'name the place of the values instead of searching the whole document for them',
      cause,
    })
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof ExactNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

const notAPath = (text: string, at: number): PipelineError =>
  new PipelineError(`"${text}" is not a JSONPath: unexpected ${JSON.stringify(text.trim().slice(at, at + 10))}`, {
    code: 'SOURCE_INVALID',
    fix: `use names, ['odd names'], [index], [from:to], [*], [?filter] or .. such as data.items[*].id`,
  })

const child = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined

function apply(values: unknown[], step: Step): unknown[] {
  if ('every' in step) return values.flatMap((value) => Object.values(asObject(value)))
  const next = 'key' in step ? (value: unknown) => child(value, step.key) : (value: unknown) => at(value, step.index)
  return values.map(next).filter((value) => value !== undefined)
}

const at = (value: unknown, index: number): unknown => (Array.isArray(value) ? (value.at(index) as unknown) : undefined)
const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
