import { basename } from 'node:path'
import { ConfigReference, fileTooLarge, mostBytes, parseDocument, readBounded } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import type { Source } from '../../extract/index.ts'
import { createRestSource, type RestSourceOptions } from './rest-source.ts'
import type { RestSourceSpec } from './spec.ts'
import { snake } from './grammar/file-spelling.ts'
import { shapeOf, sourceShape } from './grammar/grammar.ts'
import { keys, type ObjectShape, type Shape } from './grammar/shape.ts'
import { validateSpec } from './grammar/validate.ts'

/** Reads a source file, `<name>.source.yaml`, `.yml` or `.json`, with dlt's keys. */
export function loadSourceFile(path: string, options?: RestSourceOptions): Source {
  const spec = readSourceSpec(path)
  validateSpec(spec, snake)
  return createRestSource(spec, { ...options, isFile: true })
}

/** A source file in the words of TypeScript, as it stands: not checked. */
export function readSourceSpec(path: string): RestSourceSpec {
  const content = readContent(path)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw invalidFile(path, 'it holds no keys', undefined)
  }
  const spec = fromFile(content, sourceShape) as Partial<RestSourceSpec>
  const name = spec.name ?? basename(path).replace(/\.source\.(ya?ml|json)$/, '')
  return { ...spec, name } as RestSourceSpec
}

export const isSourceFile = (path: string): boolean => /\.(ya?ml|json)$/.test(path)

function readContent(path: string): unknown {
  let text: string
  try {
    text = readBounded(path, mostBytes.settings)
  } catch (error) {
    if (error instanceof PipelineError) throw error
    throw new PipelineError(`cannot read the source file ${path}`, {
      code: 'WRONG_USE',
      fix: 'check the path',
      cause: error,
    })
  }
  return parseSourceText(path, text)
}

/** The content of a source file from its text. Throws `SOURCE_INVALID`, or `LIMIT_EXCEEDED` for a text of more than 1 MiB. */
export function parseSourceText(path: string, text: string): unknown {
  const bytes = Buffer.byteLength(text)
  if (bytes > mostBytes.settings) throw fileTooLarge(path, bytes, mostBytes.settings)
  try {
    return parseDocument(text, path.endsWith('.json') ? 'json' : 'yaml')
  } catch (error) {
    // The first line says what is wrong; the rest quotes the file, which may hold a key.
    throw invalidFile(path, (error as Error).message.split('\n')[0]!, error)
  }
}

const invalidFile = (path: string, reason: string, cause: unknown): PipelineError =>
  new PipelineError(`${path} is not a source file: ${reason}`, {
    code: 'SOURCE_INVALID',
    fix: 'correct the file',
    cause,
  })

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const mapEntries = (value: object, change: (key: string, inner: unknown) => [string, unknown]): object =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => change(key, inner)))

/** The grammar's keys in camelCase; names of the API and of tables stay as they are. */
function fromFile(value: unknown, given: Shape | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value
  const reference = asReference(value)
  if (reference !== undefined) return reference
  const shape = given === undefined ? undefined : shapeFor(value, shapeOf(given))
  if (Array.isArray(value)) {
    return value.map((item) => fromFile(item, shape?.kind === 'list' ? shape.of : shape))
  }
  switch (shape?.kind) {
    case 'object':
      return fromKeys(value, shape)
    case 'union': {
      const { type } = value as { type?: unknown }
      const variant = typeof type === 'string' && Object.hasOwn(shape.types, type) ? shape.types[type] : undefined
      return fromKeys(value, variant)
    }
    case 'keys':
      return mapEntries(value, (key, inner) => [camel(key), fromFile(inner, keys)])
    case 'names':
      return mapEntries(value, (key, inner) => [key, fromFile(inner, shape.of)])
    default:
      return mapEntries(value, (key, inner) => [key, fromFile(inner, undefined)])
  }
}

const fromKeys = (value: object, shape: ObjectShape | undefined): object =>
  mapEntries(value, (key, inner) => {
    const name = camel(key)
    return [name, fromFile(inner, shape?.keys[name])]
  })

/** Of several alternatives, the one that holds what the value holds. */
function shapeFor(value: object, shape: Shape): Shape | undefined {
  if (shape.kind !== 'either') return shape
  const inner = shape.of.map(shapeOf).map((one) => shapeFor(value, one))
  return inner.find((one) =>
    Array.isArray(value)
      ? one?.kind === 'list'
      : one !== undefined && ['object', 'union', 'names', 'keys'].includes(one.kind),
  )
}

/** `{ secret: api_key }` and `{ config: site }` are looked up when the run starts. */
function asReference(value: object): ConfigReference | undefined {
  const [entry, ...others] = Object.entries(value)
  if (entry === undefined || others.length > 0 || typeof entry[1] !== 'string') return undefined
  if (entry[0] !== 'secret' && entry[0] !== 'config') return undefined
  return new ConfigReference(entry[1], entry[0] === 'secret', false)
}
