import { isAnyArrayBuffer, isBoxedPrimitive, isDate, isNativeError, isUint8Array } from 'node:util/types'
import { PipelineError } from '../errors/index.ts'
import { ExactNumber, plainDecimal } from './exact-number.ts'

/** Literals, parsed JSON and objects without a prototype: their keys are their data. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === Object.prototype || prototype === null
}

/** Instances that columns hold as they are. */
export const isScalarObject = (value: object): boolean =>
  value instanceof ExactNumber || value instanceof Date || value instanceof Uint8Array

/**
 * A value as a scalar, a list or a plain object. Instances of classes become what `JSON.stringify` would make of them, or
 * what keeps more: lists of sets and typed arrays, objects of maps, exact decimals. Only the outermost value is converted.
 */
export function formOf(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new NoStoredForm(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isPlainObject(value)) return value
  return isScalarObject(value) ? value : formOfInstance(value)
}

/** A class instance by its shape, because libraries come in several copies and realms. */
interface Instance {
  _bsontype?: unknown
  constructor?: unknown
  then?: unknown
  toFixed?: () => string
  toISOString?: () => string
  toJSON?: () => unknown
  toString(): string
}

function formOfInstance(value: object): unknown {
  const builtIn = formOfBuiltIn(value)
  if (builtIn !== undefined) return builtIn
  const instance = value as Instance
  try {
    if (typeof instance.then === 'function') throw new NoStoredForm(value)
    const exact = formOfNumber(instance) ?? formOfBson(instance)
    if (exact !== undefined) return exact
    if (tagOf(value) === 'Temporal.ZonedDateTime') return String(value).replace(/(\[.*)$/, '')
    if (typeof instance.toJSON === 'function') {
      const form = instance.toJSON()
      return form === value ? ownFields(value) : formOf(form)
    }
    // Intervals of PostgreSQL: an empty one has no fields of its own.
    if (typeof instance.toISOString === 'function') return instance.toISOString()
    if (isNativeError(value)) throw new NoStoredForm(value)
    return ownFields(value)
  } catch (error) {
    throw error instanceof NoStoredForm ? error : new NoStoredForm(value, error)
  }
}

function formOfBuiltIn(value: object): unknown {
  if (isDate(value)) return new Date(value.getTime())
  if (isUint8Array(value)) return Buffer.from(value)
  if (isBoxedPrimitive(value)) return formOf(value.valueOf())
  if (isAnyArrayBuffer(value)) return new Uint8Array(value)
  if (ArrayBuffer.isView(value)) return formOfView(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Map) return formOfMap(value)
  return value instanceof URLSearchParams ? value.toString() : undefined
}

const formOfView = (view: ArrayBufferView): unknown =>
  view instanceof DataView
    ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    : [...(view as unknown as Iterable<number | bigint>)]

/** Keys that are not strings cannot be names of columns: they are values, next to theirs. */
function formOfMap(map: ReadonlyMap<unknown, unknown>): unknown {
  const entries = [...map]
  return entries.every((entry): entry is [string, unknown] => typeof entry[0] === 'string')
    ? Object.fromEntries(entries)
    : entries.map(([key, value]) => ({ key, value }))
}

/** decimal.js, big.js and bignumber.js: a sign, an exponent and a list of digits, printed in full by `toFixed`. */
function formOfNumber(instance: Instance): unknown {
  const { s, e, c, d } = instance as { s?: unknown; e?: unknown; c?: unknown; d?: unknown }
  if (typeof instance.toFixed !== 'function' || s === undefined || e === undefined) return undefined
  return c === undefined && d === undefined ? undefined : exactDecimal(instance.toFixed())
}

/** Types of MongoDB whose JSON is an object that describes them. */
function formOfBson(instance: Instance): unknown {
  switch (instance._bsontype) {
    case 'Decimal128':
      return exactDecimal(instance.toString())
    case 'Long':
    case 'Timestamp':
      return BigInt(instance.toString())
    case 'Binary':
      return formOfBinary(instance)
    default:
      return undefined
  }
}

/** A UUID is a binary too, and is known by its text. */
function formOfBinary(instance: Instance): unknown {
  const { buffer, position, toHexString } = instance as {
    buffer?: Uint8Array
    position?: number
    toHexString?: () => string
  }
  if (typeof toHexString === 'function') return toHexString.call(instance)
  return buffer instanceof Uint8Array ? buffer.subarray(0, position) : undefined
}

/** Without digits it is one of NaN and the infinities. */
const exactDecimal = (text: string): unknown =>
  /\d/.test(text) ? new ExactNumber(plainDecimal(text) ?? text, 'decimal') : Number(text)

const tagOf = (value: object): unknown => (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]

/** The fields of an instance, without what it inherits. One that shows none keeps its data where nobody can read it. */
function ownFields(value: object): unknown {
  const fields = { ...value }
  if (Object.keys(fields).length > 0 || isObjectOfOtherRealm(value)) return fields
  const { [Symbol.toPrimitive]: toPrimitive } = value as { [Symbol.toPrimitive]?: (hint: string) => unknown }
  const primitive = typeof toPrimitive === 'function' ? toPrimitive.call(value, 'default') : value.valueOf()
  if (typeof primitive === 'object' || primitive === undefined) throw new NoStoredForm(value)
  return formOf(primitive)
}

const isObjectOfOtherRealm = (value: object): boolean => classOf(value) === 'Object' && tagOf(value) === undefined

const classOf = (value: object): string => {
  const { constructor } = value as Instance
  return typeof constructor === 'function' && constructor.name !== ''
    ? constructor.name
    : String(tagOf(value) ?? 'class')
}

/** A value that neither JSON nor a column can hold: a promise, a function, a class that hides its data. */
export class NoStoredForm extends PipelineError {
  readonly value: unknown

  constructor(value: unknown, cause?: unknown) {
    super(
      `a value is ${describe(value)}, which cannot be stored${cause === undefined ? '' : `: ${messageOf(cause)}`}`,
      {
        code: 'VALUE_NOT_STORABLE',
        fix: fixFor(value),
        cause,
      },
    )
    this.value = value
  }
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  return `an instance of ${classOf(value as object)}`
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const fixFor = (value: unknown): string =>
  typeof (value as Instance).then === 'function'
    ? 'await it before the row is yielded'
    : 'convert it to a plain value with .map(), give its class a toJSON(), or drop the field'

/** Objects that are rows or nested documents, not values such as dates, bytes and exact numbers. */
export const isDocument = (form: unknown): form is object =>
  typeof form === 'object' && form !== null && !Array.isArray(form) && !isScalarObject(form)
