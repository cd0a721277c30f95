import { createHash } from 'node:crypto'

/** How keys of the data become identifiers of the database. */
export interface NamingConvention {
  readonly maxLength: number
  /** One key → one identifier, not shortened. */
  identifier(key: string): string
  /** A key that may hold the path separator → one shortened identifier. */
  path(key: string): string
  /**
   * The same for a key of the data, told apart from keys that would get its name because they are in another script: a tag
   * made of the key follows where the rule has no place for its letters.
   */
  key(key: string): string
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
    .replace(/(?<!_)_+$/, (tail) => 'x'.repeat(tail.length))
    .replace(/__+/g, '_')
}

function sqlCaseSensitive(text: string): string {
  const words = text.replace(/[^A-Za-z\p{Nd}_]+/gu, '_').replace(/^(?=\p{Nd})/u, '_')
  return (words === '_' ? words : words.replace(/(?<!_)_+$/, '')).replace(/__+/g, '_')
}

const rules: Record<NamingName, CustomNaming> = {
  snake_case: { separator: '__', identifier: snakeCase },
  direct: { separator: '▶', identifier: (text) => text.replace(/[\n\r'"▶]/g, '_') },
  duck_case: { separator: '__', identifier: (text) => text.replace(/[\n\r"]/g, '_').replace(/__+/g, '_') },
  sql_cs_v1: { separator: '__', identifier: sqlCaseSensitive },
  sql_ci_v1: { separator: '__', identifier: (text) => sqlCaseSensitive(text).toLowerCase() },
}

export const namingNames = Object.keys(rules) as NamingName[]

/** Rules under which only letters and digits of ASCII stay. */
const asciiRules: ReadonlySet<unknown> = new Set(['snake_case', 'sql_ci_v1', 'sql_cs_v1'])

/** Letters of other scripts, numerals such as `²` and emoji. Accents are left out, as dlt does: `Größe` is `gr_e`. */
const foreign = /(?!\p{Script=Latin})\p{L}|\p{Nl}|\p{No}|\p{Emoji_Presentation}/u

const losesItsName = (key: string): boolean => foreign.test(key) || (!/[A-Za-z\p{Nd}]/u.test(key) && /[^_]/.test(key))

/** Six characters that tell long identifiers with equal ends apart; dlt's algorithm, so that names agree. */
export function identifierTag(text: string): string {
  const digest = createHash('shake128', { outputLength: 4 }).update(text).digest('base64')
  return digest.slice(0, 6).replaceAll('/', 'a').replaceAll('+', 'b').toLowerCase()
}

function shorten(normalized: string, original: string, maxLength: number): string {
  // Databases count bytes; names beyond ASCII have more of them than characters.
  if (Buffer.byteLength(normalized) <= maxLength) return normalized
  const tag = identifierTag(original)
  for (let kept = maxLength - 6; ; kept--) {
    const tail = Math.floor(kept / 2)
    const start = normalized.slice(0, Math.ceil(kept / 2))
    const short = start + tag + normalized.slice(normalized.length - tail)
    if (Buffer.byteLength(short) <= maxLength) return short.toWellFormed()
  }
}

/** Names that a database keeps for itself, and beginnings of such names. */
export interface ReservedNames {
  names?: readonly string[]
  prefixes?: readonly string[]
}

/** The reserved prefix of aliases in generated statements: normalized names never start with it. */
const ownPrefix = '_sluice_'

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
    if ([ownPrefix, ...prefixes].some((prefix) => small.startsWith(prefix)))
      return shorten(`x${short}`, original, maxLength)
    return names.includes(short) ? `${short}x` : short
  }
  const distinct = (key: string): string => {
    const plain = normalize(key)
    return asciiRules.has(name) && losesItsName(key.trim())
      ? `${plain.replace(/(?<!_)_+$/, '')}_${identifierTag(key)}`
      : plain
  }
  const path = (key: string, one: (part: string) => string): string => {
    const text = key.trim()
    const parts = text.split(separator).filter((part) => part !== '')
    // A key made of separators only has no parts: treat it as one identifier.
    return fit(parts.length === 0 ? one(text) : parts.map(one).join(separator), text)
  }
  return {
    maxLength,
    identifier: normalize,
    path: (key) => path(key, normalize),
    key: (key) => path(key, distinct),
    join(...parts) {
      const whole = parts.join(separator)
      return fit(whole, whole)
    },
    unshortened: (...parts) => parts.join(separator),
  }
}
