/** What a value of the grammar may be. The validator, the JSON Schema and the reader of source files all go by it. */
export type Shape =
  | { kind: 'text' }
  | { kind: 'whole' }
  | { kind: 'number' }
  | { kind: 'flag' }
  /** A text, or where to look it up. */
  | { kind: 'setting' }
  | { kind: 'one of'; values: readonly string[] }
  | { kind: 'anything' }
  /** Keys of another room, such as column hints: spelled like the grammar's, checked there. */
  | { kind: 'keys' }
  /** Names that belong to the API or the tables. Where values are settings, `{ secret: name }` is looked up. */
  | { kind: 'names'; of: Shape }
  | { kind: 'list'; of: Shape }
  | { kind: 'either'; of: readonly Shape[] }
  | { kind: 'null' }
  | ObjectShape
  | UnionShape
  /** Functions and objects that only code can hold. */
  | { kind: 'code' }
  /** A shape that has a name of its own in the JSON Schema. */
  | { kind: 'named'; name: string; shape: () => Shape }

export interface ObjectShape {
  kind: 'object'
  keys: Readonly<Record<string, Shape>>
  required: readonly string[]
}

/** An object whose `type` says which keys it has; the type alone is enough. */
export interface UnionShape {
  kind: 'union'
  types: Readonly<Record<string, ObjectShape>>
  /** The type of an object without one, told by its keys. */
  implied?: (given: object) => string | undefined
}

export const text: Shape = { kind: 'text' }
export const whole: Shape = { kind: 'whole' }
export const number: Shape = { kind: 'number' }
export const flag: Shape = { kind: 'flag' }
export const setting: Shape = { kind: 'setting' }
export const anything: Shape = { kind: 'anything' }
export const keys: Shape = { kind: 'keys' }
export const code: Shape = { kind: 'code' }
export const oneOf = (...values: string[]): Shape => ({ kind: 'one of', values })
export const names = (of: Shape = anything): Shape => ({ kind: 'names', of })
export const list = (of: Shape): Shape => ({ kind: 'list', of })
export const either = (...of: Shape[]): Shape => ({ kind: 'either', of })
export const orNull = (shape: Shape): Shape => either(shape, { kind: 'null' })
export const named = (name: string, shape: () => Shape): Shape => ({ kind: 'named', name, shape })

/** Every key of a type, so that the type and its grammar cannot differ. */
export type KeysOf<T> = { readonly [K in keyof T]-?: Shape }

export const object = <T>(keys: KeysOf<T>, required: readonly (keyof T & string)[] = []): ObjectShape => ({
  kind: 'object',
  keys,
  required,
})

type Variants<U extends { type: string }> = { [T in U['type']]: KeysOf<Omit<Extract<U, { type: T }>, 'type'>> }

/** The keys of every type of a union. */
export function variants<U extends { type: string }>(
  types: Variants<U>,
  required: { readonly [T in U['type']]?: readonly string[] },
): Record<string, ObjectShape> {
  const entries = Object.entries<Readonly<Record<string, Shape>>>(types)
  return Object.fromEntries(
    entries.map(([type, keys]) => [type, { kind: 'object', keys, required: required[type as U['type']] ?? [] }]),
  )
}
