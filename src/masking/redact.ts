import { readingsOf } from './escapes.ts'
import { findSecretFields } from './fields.ts'
import { exactCode, folded, foldedCode } from './folded.ts'
import { innerSecrets } from './inner-secrets.ts'
import { findLogins } from './logins.ts'
import { SecretIndex, type Span } from './secret-index.ts'
import { shortestSecret, spellingsOf } from './spellings.ts'

const mask = '***'

/**
 * Passwords that are words of every message. Hidden, they would say more than they keep: `destination "***"` tells a password
 * that is the name of the destination.
 */
const ordinary = new Set(
  (
    'sluice dlt postgres postgresql duckdb snowflake bigquery redshift databricks filesystem localhost ' +
    'admin root user username password passwd secret token test demo default public example changeme ' +
    'data dataset table rows name type true false null none undefined error status'
  ).split(' '),
)

const secrets = new Set<string>()
/** Granted by an API for a while, the oldest first: a worker that runs for a year is granted many. */
const tokens = new Map<string, number>()
const mostTokenCharacters = 524_288
let tokenCharacters = 0
let index = new SecretIndex(foldedCode)
let exactIndex = new SecretIndex(exactCode)
let longest = 0

/**
 * Remembers a value that came from a secret, so that `redact` hides it wherever it turns up, also encoded. Values shorter than
 * four characters, and words such as `postgres` or `test`, stay visible: they stand everywhere.
 */
export function addSecret(value: string): void {
  if (secrets.has(value) || isOrdinary(value)) return
  secrets.add(value)
  remember(value)
}

/** As `addSecret`, for a token that an API grants: the last half million characters of them are remembered. */
export function addToken(value: string): void {
  if (secrets.has(value) || isOrdinary(value)) return
  const isKnown = tokens.delete(value)
  tokens.set(value, value.length)
  if (isKnown) return
  tokenCharacters += value.length
  if (tokenCharacters > mostTokenCharacters) forgetOldTokens()
  else remember(value)
}

const isOrdinary = (value: string): boolean => value.length < shortestSecret || ordinary.has(value.toLowerCase())

function remember(value: string): void {
  longest = Math.max(longest, value.length)
  for (const one of [value, ...innerSecrets(value).filter((inner) => !isOrdinary(inner))])
    for (const spelling of spellingsOf(one)) (spelling.isExact ? exactIndex : index).add(spelling)
}

/** Drops half of the tokens at a time, because the index of the rest has to be rebuilt. */
function forgetOldTokens(): void {
  for (const [token, length] of tokens) {
    if (tokenCharacters <= mostTokenCharacters / 2) break
    tokens.delete(token)
    tokenCharacters -= length
  }
  index = new SecretIndex(foldedCode)
  exactIndex = new SecretIndex(exactCode)
  for (const value of [...secrets, ...tokens.keys()]) remember(value)
}

/**
 * The same text with every remembered secret, and every user and password of an address, replaced by `***`. With `byName` also
 * values of fields whose names say that they are secret: of a body, a header, an address.
 */
export const redact = (text: string, { byName = false }: { byName?: boolean } = {}): string =>
  hidden(text, text.length, byName)

/** The first characters of a text, redacted. A secret that reaches across the cut is hidden as well. */
export const redactStart = (text: string, characters: number, { byName = false } = {}): string =>
  hidden(text, characters, byName)

/** A value or a message in one that has room for so many characters; redacted before it is cut, so that no part of a secret is left. */
export const excerpt = (text: string, characters: number): string =>
  text.length <= characters ? redact(text) : `${redactStart(text, characters - 1)}…`

/** Escapes, and addresses, which may hold a login. */
const mayBeEscaped = /[%\\&]|:\/\//
/** A character takes up to twelve in an escaped escape. */
const longestSpelling = 12

function hidden(text: string, characters: number, byName: boolean): string {
  if (text.length < shortestSecret) return text.slice(0, characters)
  const read = text.length <= characters ? text : text.slice(0, characters + longestSpelling * longest + 16)
  if (!byName && !mayBeEscaped.test(read) && !index.mayBeIn(read) && !exactIndex.mayBeIn(read))
    return text.slice(0, characters)
  const spans = spansIn(read, byName)
  let [out, at] = ['', 0]
  for (const [start, end] of spans) {
    if (start >= characters) break
    out += `${text.slice(at, start)}${mask}`
    at = end
  }
  return at === 0 ? text.slice(0, characters) : out + text.slice(at, Math.max(at, characters))
}

/** In their order; those that touch are one. */
function spansIn(text: string, byName: boolean): Span[] {
  const found: Span[] = []
  for (const units of readingsOf(text)) {
    index.find(folded(units), found)
    if (!exactIndex.isEmpty) exactIndex.find(units, found)
    findLogins(units, found)
    if (byName) findSecretFields(units, found)
  }
  found.sort(([a], [b]) => a - b)
  const merged: Span[] = []
  for (const [start, end] of found) {
    const last = merged.at(-1)
    if (last === undefined || start > last[1]) merged.push([start, end])
    else last[1] = Math.max(last[1], end)
  }
  return merged
}
