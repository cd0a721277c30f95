import { PipelineError } from '../../../errors/index.ts'
import { shapeOf, sourceShape } from './grammar.ts'
import type { Shape } from './shape.ts'

/** A key as source files spell it. */
export const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** An error as somebody reads it who wrote a file: the grammar's keys in its text are spelled as there. */
export function inFileSpelling(error: unknown): unknown {
  if (!(error instanceof PipelineError)) return error
  const { code, recovery, resource, cause } = error
  const more = { ...(resource === undefined ? {} : { resource }), ...(cause === undefined ? {} : { cause }) }
  return new PipelineError(spelled(error.summary), { code, recovery, fix: spelled(error.fix), ...more })
}

const spelled = (text: string): string =>
  text.replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, (word) => (keys().has(word) ? snake(word) : word))

let known: ReadonlySet<string> | undefined
/** All keys of the grammar. */
function keys(): ReadonlySet<string> {
  known ??= new Set(keysIn(sourceShape, new Set()))
  return known
}

function keysIn(given: Shape, seen: Set<Shape>): string[] {
  const shape = shapeOf(given)
  if (seen.has(shape)) return []
  seen.add(shape)
  switch (shape.kind) {
    case 'object':
      return Object.entries(shape.keys).flatMap(([key, inner]) => [key, ...keysIn(inner, seen)])
    case 'union':
      return Object.values(shape.types).flatMap((one) => keysIn(one, seen))
    case 'either':
      return shape.of.flatMap((one) => keysIn(one, seen))
    case 'list':
    case 'names':
      return keysIn(shape.of, seen)
    default:
      return []
  }
}
