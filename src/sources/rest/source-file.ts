import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { ConfigReference } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import type { Source } from '../../extract/index.ts'
import { restSource } from './rest-source.ts'
import type { RestSourceSpec } from './spec.ts'
import { validateSpec } from './validate.ts'

/** Keys below which names belong to the API or the tables, not to the grammar. */
const freeForm = new Set(['params', 'headers', 'json', 'data', 'access_token_request_data', 'include_from_parent'])
/** Keys below which the first level is names and the next is grammar again. */
const named = new Set(['columns', 'nested_hints'])

/** Reads a source file, `<name>.source.yaml`, `.yml` or `.json`, with dlt's keys. */
export function loadSourceFile(path: string): Source {
  const content = readContent(path)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw invalidFile(path, 'it holds no keys', undefined)
  }
  const spec = camelKeys(content) as Partial<RestSourceSpec>
  const name = spec.name ?? basename(path).replace(/\.source\.(ya?ml|json)$/, '')
  validateSpec({ ...spec, name }, snake)
  return restSource({ ...spec, name } as RestSourceSpec)
}

export const isSourceFile = (path: string): boolean => /\.(ya?ml|json)$/.test(path)

function readContent(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new PipelineError(`cannot read the source file ${path}`, {
      code: 'WRONG_USE',
      fix: 'check the path',
      cause: error,
    })
  }
  try {
    return path.endsWith('.json') ? JSON.parse(text) : parseYaml(text)
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
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (typeof value !== 'object' || value === null) return value
  const reference = asReference(value)
  if (reference !== undefined) return reference
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (freeForm.has(key)) return [camel(key), withReferences(inner)]
      if (named.has(key) && !Array.isArray(inner)) return [camel(key), mapValues(inner, camelKeys)]
      return [camel(key), camelKeys(inner)]
    }),
  )
}

/** `{ secret: api_key }` and `{ config: site }` are looked up when the run starts. */
function asReference(value: object): ConfigReference | undefined {
  const [entry, ...others] = Object.entries(value)
  if (entry === undefined || others.length > 0 || typeof entry[1] !== 'string') return undefined
  if (entry[0] !== 'secret' && entry[0] !== 'config') return undefined
  return new ConfigReference(entry[1], entry[0] === 'secret', false)
}

function withReferences(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return asReference(value) ?? mapValues(value, withReferences)
}

const mapValues = (value: unknown, change: (inner: unknown) => unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
    : value
