/** Writes `source.schema.json`, by which editors complete and check source files: `npm run docs:schema`. */
import { writeFileSync } from 'node:fs'
import { sourceShape } from '../src/sources/rest/grammar/grammar.ts'
import type { ObjectShape, Shape } from '../src/sources/rest/grammar/shape.ts'

type Schema = Record<string, unknown>

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const reference = (key: 'secret' | 'config'): Schema => ({
  type: 'object',
  properties: { [key]: { type: 'string' } },
  required: [key],
  additionalProperties: false,
})
/** Shapes that have a name of their own. */
const definitions: Record<string, Schema> = {
  setting: { anyOf: [{ type: 'string' }, reference('secret'), reference('config')] },
}
const definition = (name: string): Schema => ({ $ref: `#/$defs/${name}` })

/** `undefined` for what only code can hold. */
function schemaOf(shape: Shape): Schema | undefined {
  switch (shape.kind) {
    case 'text':
      return { type: 'string' }
    case 'whole':
      return { type: 'integer' }
    case 'number':
      return { type: 'number' }
    case 'flag':
      return { type: 'boolean' }
    case 'null':
      return { type: 'null' }
    case 'setting':
      return definition('setting')
    case 'one of':
      return { enum: shape.values }
    case 'anything':
      return {}
    case 'keys':
      return { type: 'object' }
    case 'code':
      return undefined
    case 'names': {
      const inner = schemaOf(shape.of)
      const free = inner === undefined || Object.keys(inner).length === 0
      return { type: 'object', ...(free ? {} : { additionalProperties: inner }) }
    }
    case 'list':
      return { type: 'array', items: schemaOf(shape.of) ?? {} }
    case 'either':
      return { anyOf: shape.of.map(schemaOf).filter((one) => one !== undefined) }
    case 'object':
      return objectSchema(shape)
    case 'union': {
      const types = Object.entries(shape.types).filter(([type]) => type !== 'custom')
      const objects = types.map(([type, variant]) => objectSchema(variant, type))
      const bare = types.filter(([, { required }]) => required.length === 0).map(([type]) => type)
      const implied = shape.implied?.({ token: '' })
      const short = implied === undefined ? [] : [objectSchema(shape.types[implied]!)]
      return { anyOf: [{ enum: bare }, ...objects, ...short] }
    }
    case 'named':
      // Set before it is filled: a shape may hold itself.
      if (definitions[shape.name] === undefined) {
        definitions[shape.name] = {}
        Object.assign(definitions[shape.name]!, schemaOf(shape.shape()))
      }
      return definition(shape.name)
  }
}

function objectSchema(shape: ObjectShape, type?: string): Schema {
  const entries = Object.entries(shape.keys).map(([key, inner]) => [snake(key), schemaOf(inner)] as const)
  const required = [...(type === undefined ? [] : ['type']), ...shape.required.map(snake)]
  return {
    type: 'object',
    properties: {
      ...(type === undefined ? {} : { type: { const: type } }),
      ...Object.fromEntries(entries.filter(([, schema]) => schema !== undefined)),
    },
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  }
}

export const sourceSchema: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Sluice source file',
  ...objectSchema(sourceShape),
  $defs: definitions,
}

if (import.meta.main) {
  writeFileSync(new URL('../source.schema.json', import.meta.url), `${JSON.stringify(sourceSchema, null, 1)}\n`)
}
