import { PipelineError } from '../errors/index.ts'
import { ExactNumber } from './exact-number.ts'
import { formOf, isPlainObject, isScalarObject } from './instances.ts'

function float(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const text = String(value)
  if (/[.e]/.test(text)) return text.replace('e+', 'e')
  return Math.abs(value) >= 1e16 ? value.toExponential().replace('e+', 'e') : `${text}.0`
}

/**
 * JSON with sorted keys and no blanks, numbers printed the way dlt prints them. Row hashes are taken over it, so its
 * output must never change.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : float(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : canonicalObject(value)
    default:
      return 'null'
  }
}

function canonicalObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value instanceof ExactNumber) return value.dataType === 'double' ? float(Number(value.text)) : value.text
  if (value instanceof Date) return JSON.stringify(value)
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (!isPlainObject(value)) return canonicalJson(formOf(value))
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`)
  return `{${fields.join(',')}}`
}

/** What JSON cannot hold: a value that became null, half of a surrogate pair that became U+FFFD. */
export type JsonLoss = 'value' | 'character'

/** Losses of the JSON that is being written. */
let losses: JsonLoss[] | undefined

/**
 * JSON for a `json` column: key order kept, exact numbers written as they came. `lost` collects what JSON has no form for:
 * NaN, the infinities and invalid dates become null, half of a surrogate pair becomes U+FFFD.
 */
export function plainJson(value: unknown, lost?: JsonLoss[]): string {
  losses = lost
  try {
    const text = JSON.stringify(value, jsonSafe) ?? 'null'
    return lost !== undefined && text.includes('\\ud') ? wellFormedJson(text, lost) : text
  } catch (error) {
    if (error instanceof PipelineError) throw error
    if (!(error instanceof RangeError)) refuseInstances(value, new Set())
    throw notJson(error)
  } finally {
    losses = undefined
  }
}

/** Throws for the first instance without a form: `JSON.stringify` does not say whose `toJSON` failed. */
function refuseInstances(value: unknown, seen: Set<unknown>): void {
  const form = formOf(value)
  if (typeof form !== 'object' || form === null || isScalarObject(form) || seen.has(value)) return
  seen.add(value)
  for (const inner of Object.values(form)) refuseInstances(inner, seen)
}

function notJson(cause: unknown): PipelineError {
  if (cause instanceof RangeError) {
    return new PipelineError('a value nests too deep even to be kept as JSON', {
      code: 'NESTED_TOO_DEEP',
      fix: 'drop the field with .map before it is loaded',
      cause,
    })
  }
  const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
  return new PipelineError(`a value cannot be kept as JSON: ${reason}`, {
    code: 'VALUE_NOT_STORABLE',
    fix: 'convert it to a plain value with .map(), or drop the field',
    cause,
  })
}

/** `JSON.stringify` escapes halves of surrogate pairs, which databases refuse; behind an escaped backslash it is text. */
function wellFormedJson(text: string, lost: JsonLoss[]): string {
  const clean = text.replaceAll(/(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g, '$1\ufffd')
  if (clean !== text) lost.push('character')
  return clean
}

// `JSON.rawJSON` keeps digits, but only newer engines have it; older ones write such numbers as text.
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON

/** Takes values as they are in their object, because `shown` has already been through `toJSON`. */
function jsonSafe(this: unknown, key: string, shown: unknown): unknown {
  const value = (this as Record<string, unknown>)[key]
  switch (typeof value) {
    case 'object':
      return value === null || Array.isArray(value) || isPlainObject(value) ? shown : jsonForm(formOf(value))
    case 'number':
      if (!Number.isFinite(value)) losses?.push('value')
      return value
    case 'string':
    case 'boolean':
    case 'undefined':
      return value
    default:
      return jsonForm(formOf(value))
  }
}

/** What stands in JSON for the form of a value that JSON does not know. */
function jsonForm(form: unknown): unknown {
  if (typeof form === 'bigint') return rawJson ? rawJson(form.toString()) : form.toString()
  if (form instanceof ExactNumber) return rawJson ? rawJson(form.text) : form.text
  if (form instanceof Uint8Array) return Buffer.from(form).toString('base64')
  const shown = form instanceof Date ? form.toJSON() : form
  if (isNothing(shown)) losses?.push('value')
  return shown
}

const isNothing = (form: unknown): boolean =>
  form === null || form === undefined || (typeof form === 'number' && !Number.isFinite(form))

/** JSON to be read: laid out, whole numbers beyond 2^53 and decimals as text. */
export const readableJson = (value: unknown): string => JSON.stringify(value, longNumbersAsText, 2)

const longNumbersAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' || value instanceof ExactNumber ? String(value) : value
