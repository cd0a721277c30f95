import { PipelineError } from '../errors/index.ts'

/** A compiled JSONPath: all values it selects, in document order. */
export interface JsonPath {
  readonly text: string
  all(root: unknown): unknown[]
  first(root: unknown): unknown
}

type Step =
  | { kind: 'key'; key: string }
  | { kind: 'index'; index: number }
  | { kind: 'slice'; from: number | undefined; to: number | undefined; by: number }
  | { kind: 'each' }
  | { kind: 'descend' }

const token =
  /\.\.|\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)|(\*)|(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(\d+))?)\s*\]|\.?(\*)|\.?((?:[^.[\]*'"\s])+)/y

/**
 * Compiles a path: `data.items`, `$`, `data[-1].id`, `rows[*].user`, `['odd key'].x`, `[1:3]`, `..id`. Throws
 * `SOURCE_INVALID` for text that is none.
 */
export function jsonPath(text: string): JsonPath {
  const steps = parse(text.trim())
  const simple = steps.every((step) => step.kind === 'key')
    ? steps.map((step) => (step as { key: string }).key)
    : undefined
  const all = (root: unknown): unknown[] => steps.reduce<unknown[]>(apply, [root])
  if (simple !== undefined) {
    const first = (root: unknown): unknown => simple.reduce<unknown>(child, root)
    return {
      text,
      first,
      all(root) {
        const value = first(root)
        return value === undefined ? [] : [value]
      },
    }
  }
  return { text, all, first: (root) => all(root)[0] }
}

function parse(text: string): Step[] {
  const steps: Step[] = []
  let at = text.startsWith('$') && !/^\$[\w$]/.test(text) ? 1 : 0
  while (at < text.length) {
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) {
      throw new PipelineError(`"${text}" is not a JSONPath: unexpected ${JSON.stringify(text.slice(at, at + 10))}`, {
        code: 'SOURCE_INVALID',
        fix: `use names, ['odd names'], [index], [from:to], [*] or .. such as data.items[*].id`,
      })
    }
    steps.push(step(match))
    at = token.lastIndex
  }
  return steps
}

function step(match: RegExpExecArray): Step {
  const [whole, single, double, index, starInBrackets, from, to, by, star, name] = match
  const key = single ?? double
  if (key !== undefined) return { kind: 'key', key: key.replace(/\\(.)/g, '$1') }
  if (name !== undefined) return { kind: 'key', key: name }
  if (index !== undefined) return { kind: 'index', index: Number(index) }
  if (starInBrackets !== undefined || star !== undefined) return { kind: 'each' }
  if (whole === '..') return { kind: 'descend' }
  const bound = (text: string | undefined): number | undefined =>
    text === undefined || text === '' ? undefined : Number(text)
  return { kind: 'slice', from: bound(from), to: bound(to), by: Number(by ?? 1) }
}

const child = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined

const children = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : []

function apply(values: unknown[], current: Step): unknown[] {
  switch (current.kind) {
    case 'key':
      return values.map((value) => child(value, current.key)).filter((value) => value !== undefined)
    case 'index':
      return values
        .map((value) => (Array.isArray(value) ? value.at(current.index) : undefined))
        .filter((value) => value !== undefined)
    case 'slice':
      return values.flatMap((value) =>
        Array.isArray(value)
          ? value.slice(current.from, current.to).filter((_, at) => at % Math.max(current.by, 1) === 0)
          : [],
      )
    case 'each':
      return values.flatMap(children)
    case 'descend':
      return values.flatMap(descendants)
  }
}

function descendants(value: unknown): unknown[] {
  const out: unknown[] = []
  const open = [value]
  while (open.length > 0) {
    const current = open.pop()
    out.push(current)
    open.push(...children(current).toReversed())
  }
  return out
}
