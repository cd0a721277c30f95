import { ConfigReference } from '../../config/index.ts'
import { addSecret, isSecretField, isSecretName } from '../../masking/index.ts'

/** Parts of a source whose names are headers and parameters. */
const named = new Set(['headers', 'params'])
/** Of the grammar: a place or a name, and no secret. */
const places = /Path$|Param$|Header$|Cookie$|Url$/

/** Remembers values that a source holds in itself where it should name a secret, so that they are masked like one. */
export function hideLiterals(spec: unknown, isNamed = false): void {
  if (typeof spec !== 'object' || spec === null || spec instanceof ConfigReference) return
  if (!Array.isArray(spec) && Object.getPrototypeOf(spec) !== Object.prototype) return
  for (const [name, value] of Object.entries(spec)) {
    if (typeof value !== 'string') hideLiterals(value, named.has(name))
    else if (isNamed ? isSecretName(name) : isSecretField(name) && !places.test(name)) hide(value)
  }
}

function hide(value: string): void {
  // What names a field of a parent, or a cursor, is no value.
  if (/\{[\w.]+\}/.test(value)) return
  const [, rest] = /^[\w.-]{1,40} +(\S.*)$/.exec(value) ?? []
  addSecret(rest ?? value)
}
