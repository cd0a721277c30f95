import { createHash, randomBytes } from 'node:crypto'
import type { RestRequest } from '../request.ts'
import { bodyText } from '../request.ts'
import type { Auth } from './auth.ts'

const algorithms: Record<string, string> = { md5: 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512-256' }

type Challenge = Record<string, string>

/** RFC 7616. The first request brings the challenge; its nonce is used until the server names another. */
export function digestAuth(username: string, password: string, looksCopied: boolean): Auth {
  let challenge: Challenge | undefined
  let count = 0
  return {
    async apply(request) {
      if (challenge === undefined) return
      count += 1
      request.headers.Authorization = answer(challenge, request, username, password, count)
    },
    refresh({ request, headers }) {
      const offered = challenges(headers.get('www-authenticate') ?? '')
      const usable = offered.filter((one) => hashOf(one) !== undefined)
      // The strongest that both know.
      const next = usable.toSorted((a, b) => strength(b) - strength(a))[0]
      if (next === undefined) return false
      const answered = request.headers.Authorization?.includes(`nonce="${next.nonce}"`) === true
      if (next.nonce !== challenge?.nonce) [challenge, count] = [next, 0]
      return !answered
    },
    looksCopied,
  }
}

const nameOf = (challenge: Challenge): string => (challenge.algorithm ?? 'MD5').toLowerCase().replace(/-sess$/, '')
const hashOf = (challenge: Challenge): string | undefined => algorithms[nameOf(challenge)]
const strength = (challenge: Challenge): number => Object.keys(algorithms).indexOf(nameOf(challenge))

/** The digest challenges in a `WWW-Authenticate` header, which may hold others too. */
function challenges(header: string): Challenge[] {
  return header
    .split(/(?:^|,)\s*(?=(?:Basic|Bearer|Digest|Negotiate|NTLM)\b)/i)
    .filter((one) => /^Digest\s/i.test(one))
    .map((one) =>
      Object.fromEntries(
        [...one.slice(7).matchAll(/(?<!\w)(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)].map(
          ([, name, quoted, bare]) => [name!.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare!],
        ),
      ),
    )
}

function answer(challenge: Challenge, request: RestRequest, username: string, password: string, count: number): string {
  const { realm = '', nonce = '', opaque, algorithm, qop } = challenge
  const hash = (text: string): string => createHash(hashOf(challenge)!).update(text).digest('hex')
  const uri = `${request.url.pathname}${request.url.search}`
  const cnonce = randomBytes(12).toString('hex')
  const nc = count.toString(16).padStart(8, '0')
  const offered = (qop ?? '').split(',').map((one) => one.trim())
  const protection = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : undefined
  const login = hash(`${username}:${realm}:${password}`)
  const key = /-sess$/i.test(algorithm ?? '') ? hash(`${login}:${nonce}:${cnonce}`) : login
  const body = protection === 'auth-int' ? `:${hash(bodyText(request) ?? '')}` : ''
  const what = hash(`${request.method}:${uri}${body}`)
  const parts = protection === undefined ? [key, nonce, what] : [key, nonce, nc, cnonce, protection, what]
  const fields = [
    `username="${username.replace(/["\\]/g, '\\$&')}"`,
    `realm="${realm.replace(/["\\]/g, '\\$&')}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${hash(parts.join(':'))}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...(protection === undefined ? [] : [`qop=${protection}`, `nc=${nc}`, `cnonce="${cnonce}"`]),
  ]
  return `Digest ${fields.join(', ')}`
}
