const secretWords = new Set([
  'auth',
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'passwd',
  'signature',
  'sig',
  'key',
  'session',
  'credential',
  'credentials',
])
/** Tokens that lead to the next page open nothing else. */
const pagingWords = new Set(['page', 'next', 'continuation', 'cursor', 'sync'])

/** Names behind which a secret stands, also one that nobody declared as such. */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_.]/)
  return words.some((word) => secretWords.has(word)) && !words.some((word) => pagingWords.has(word))
}
