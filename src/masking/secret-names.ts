// Names behind which a secret stands, also one that nobody declared as such.

/** Words of names of headers, parameters and cookies. */
const words = new Set([
  'auth',
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'signature',
  'sig',
  'key',
  'apikey',
  'session',
  'sessionid',
  'credential',
  'credentials',
  'jwt',
  'bearer',
  'assertion',
  'otp',
  'pin',
])
/** Ends of names of fields. A body has many fields that are keys, sessions or signatures, and no secrets. */
const ends =
  /(?:token|secret|password|passwd|pwd|passphrase|passcode|pincode|credential|authorization|cookie|jwt|assertion|codeverifier|bearer|(?:api|access|secret|private|auth|session|signing|encryption|master|shared|account|client|service|subscription|license)key|keypair)s?$/
const wholeNames = new Set(['otp', 'pin', 'pass', 'auth'])
/** Tokens that lead to the next page open nothing else. */
const paging = new Set(['page', 'next', 'previous', 'prev', 'continuation', 'cursor', 'sync', 'paging', 'pagination'])

const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)

const longestName = 100

/** Of a header, a parameter of a URL, or a cookie. */
export function isSecretName(name: string): boolean {
  const own = wordsOf(name.slice(0, longestName))
  if (own.some((one) => paging.has(one))) return false
  return own.some((one) => words.has(one)) || ends.test(own.join(''))
}

/** Of a field of a body, a form, or a setting. */
export function isSecretField(name: string): boolean {
  const own = wordsOf(name.slice(-longestName))
  if (own.some((one) => paging.has(one))) return false
  const squashed = own.join('').replace(/\d{1,3}$/, '')
  return wholeNames.has(squashed) || ends.test(squashed)
}
