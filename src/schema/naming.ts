import { createHash } from 'node:crypto'

/** How keys of the data become identifiers of the database. */
export interface NamingConvention {
  readonly maxLength: number
  /** One key → one identifier, not shortened. */
  identifier(key: string): string
  /** A key that may hold the path separator → one shortened identifier. */
  path(key: string): string
  /** Already normalised parts → one shortened identifier. */
  join(...parts: string[]): string
  /** Already normalised parts → one path, whatever its length. */
  unshortened(...parts: string[]): string
}

export type NamingName = 'snake_case' | 'direct' | 'duck_case' | 'sql_ci_v1' | 'sql_cs_v1'

/** Naming rules of one's own: how a key becomes an identifier, and what joins the parts of a path. */
export interface CustomNaming {
  separator: string
  identifier(key: string): string
}

const snakeTranslations: Record<string, string> = { '+': 'x', '*': 'x', '-': '_', '@': 'a', '|': 'l' }

function snakeCase(text: string): string {
  const words = text
    .replace(/[+*\-@|]/g, (symbol) => snakeTranslations[symbol]!)
    .replace(/[^A-Za-z\p{Nd}_]+/gu, '_')
    .replace(/([^_])([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z\p{Nd}])([A-Z])/gu, '$1_$2')
    .toLowerCase()
  return words
    .replace(/^(?=\p{Nd})/u, '_')
    .replace(/_+$/, (tail) => 'x'.repeat(tail.length))
    .replace(/__+/g, '_')
}

function sqlCaseSensitive(text: string): string {
  const words = text.replace(/[^A-Za-z\p{Nd}_]+/gu, '_').replace(/^(?=\p{Nd})/u, '_')
  return (words === '_' ? words : words.replace(/_+$/, '')).replace(/__+/g, '_')
}

const rules: Record<NamingName, CustomNaming> = {
  snake_case: { separator: '__', identifier: snakeCase },
  direct: { separator: '▶', identifier: (text) => text.replace(/[\n\r'"▶]/g, '_') },
  duck_case: { separator: '__', identifier: (text) => text.replace(/[\n\r"]/g, '_').replace(/__+/g, '_') },
  sql_cs_v1: { separator: '__', identifier: sqlCaseSensitive },
  sql_ci_v1: { separator: '__', identifier: (text) => sqlCaseSensitive(text).toLowerCase() },
}

export const namingNames = Object.keys(rules) as NamingName[]

/** Six characters that tell long identifiers with equal ends apart; dlt's algorithm, so that names agree. */
export function identifierTag(text: string): string {
  const digest = createHash('shake128', { outputLength: 4 }).update(text).digest('base64')
  return digest.slice(0, 6).replaceAll('/', 'a').replaceAll('+', 'b').toLowerCase()
}

function shorten(normalized: string, original: string, maxLength: number): string {
  // Databases count bytes; names beyond ASCII have more of them than characters.
  if (Buffer.byteLength(normalized) <= maxLength) return normalized
  for (let kept = maxLength - 6; ; kept--) {
    const tail = Math.floor(kept / 2)
    const start = normalized.slice(0, Math.ceil(kept / 2))
    const short = start + identifierTag(original) + normalized.slice(normalized.length - tail)
    if (Buffer.byteLength(short) <= maxLength) return short.toWellFormed()
  }
}

/** Names that a database keeps for itself, and beginnings of such names. */
export interface ReservedNames {
  names?: readonly string[]
  prefixes?: readonly string[]
}

/** The convention of a given name, or of given rules, for identifiers of at most `maxLength` characters. */
export function namingConvention(
  name: NamingName | CustomNaming,
  maxLength: number,
  { names = [], prefixes = [] }: ReservedNames = {},
): NamingConvention {
  const { separator, identifier } = typeof name === 'string' ? rules[name] : name
  const normalize = (key: string): string => {
    const text = key.trim()
    return text === '' ? '_empty' : identifier(text)
  }
  const fit = (whole: string, original: string): string => {
    const short = shorten(whole, original, maxLength)
    const small = short.toLowerCase()
    if (prefixes.some((prefix) => small.startsWith(prefix))) return shorten(`x${short}`, original, maxLength)
    return names.includes(short) ? `${short}x` : short
  }
  return {
    maxLength,
    identifier: normalize,
    join(...parts) {
      const whole = parts.join(separator)
      return fit(whole, whole)
    },
    unshortened: (...parts) => parts.join(separator),
    path(key) {
      const text = key.trim()
      const parts = text.split(separator).filter((part) => part !== '')
      // A key made of separators only has no parts: treat it as one identifier.
      const whole = parts.length === 0 ? normalize(text) : parts.map(normalize).join(separator)
      return fit(whole, text)
    },
  }
}
