import { isSecretField } from './secret-names.ts'
import { percentDecoded } from './percent-decoded.ts'

const longest = 65_536
const fewestLetters = 8

/** Secrets within one: the password of an address, of a connection string, of a pair, and the fields of a key file. */
export function innerSecrets(secret: string): string[] {
  if (secret.length > longest) return []
  return [...loginOf(secret), ...pairsOf(secret), ...keyLines(secret), ...keyFile(secret), ...halfOf(secret)].filter(
    (one) => one !== secret,
  )
}

/** `postgres://user:password@host`, as it is written and as it is meant. */
function loginOf(secret: string): string[] {
  const [, scheme, plain, odd] =
    /^([a-z][a-z0-9+.-]{0,30}):\/\/(?:([^/?#\s]{1,2000})|([^/?#\s@:]{1,500}:[^\s@]{1,1500}))@/i.exec(secret) ?? []
  // The second is of a password with `/` in it as it is.
  const login = plain ?? odd
  const colon = login?.indexOf(':') ?? -1
  // The user alone is a name, but a key with some APIs.
  if (login === undefined || (colon < 0 && !/^https?$/i.test(scheme!))) return []
  const password = login.slice(colon + 1)
  return [password, percentDecoded(password)]
}

/** `AccountName=…;AccountKey=…`, `host=… password=…`, `https://…?sig=…`. */
function pairsOf(secret: string): string[] {
  if (!secret.includes('=')) return []
  return secret.split(/[;&?\s]/).flatMap((pair) => {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(at, 0))
    if (at < 1 || !(isSecretField(name) || name === 'sig')) return []
    const value = pair.slice(at + 1).replace(/^'(.*)'$/, '$1')
    return [value, percentDecoded(value)]
  })
}

/** A part of a key opens as little as it hides, but a message may quote one line of it. */
function keyLines(secret: string): string[] {
  if (!secret.includes('-----BEGIN')) return []
  return secret.split(/\\n|\n/).filter((line) => line.length >= 32 && !line.startsWith('-----'))
}

/** The JSON of a service account: what is secret in it; its project and addresses are not. */
function keyFile(secret: string): string[] {
  if (!secret.trimStart().startsWith('{')) return []
  try {
    return fieldsOf(JSON.parse(secret))
  } catch {
    return []
  }
}

function fieldsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    if (typeof inner === 'object') return fieldsOf(inner)
    if (typeof inner !== 'string' || !(isSecretField(name) || name === 'private_key_id')) return []
    return [inner, ...keyLines(inner)]
  })
}

/** `PUBLIC:SECRET`, the pair that Basic authentication and some APIs send. */
function halfOf(secret: string): string[] {
  const [first, second, ...others] = secret.split(':')
  const isPair = first !== '' && second !== undefined && others.length === 0
  return isPair && /^\S+$/.test(second) && second.length >= fewestLetters && !second.startsWith('//') ? [second] : []
}
