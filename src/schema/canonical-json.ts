import { PipelineError } from '../errors/index.ts'
import { ExactNumber } from './exact-number.ts'

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
  if (value instanceof Date) return JSON.stringify(value.toISOString())
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`)
  return `{${fields.join(',')}}`
}

/** JSON for a `json` column: key order kept, exact numbers written as they came. */
export function plainJson(value: unknown): string {
  try {
    return JSON.stringify(value, jsonSafe) ?? 'null'
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new PipelineError('a value nests too deep even to be kept as JSON', {
      code: 'NESTED_TOO_DEEP',
      fix: 'drop the field with .map before it is loaded',
      cause: error,
    })
  }
}

// `JSON.rawJSON` keeps digits, but only newer engines have it; older ones write such numbers as text.
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON
function jsonSafe(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson ? rawJson(value.toString()) : value.toString()
  if (value instanceof ExactNumber) return rawJson ? rawJson(value.text) : value.text
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value
}

/** JSON to be read: laid out, whole numbers beyond 2^53 and decimals as text. */
export const readableJson = (value: unknown): string => JSON.stringify(value, longNumbersAsText, 2)

const longNumbersAsText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' || value instanceof ExactNumber ? String(value) : value
