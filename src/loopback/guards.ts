import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'

/** The secret that a client of a server on this machine sends with each request. */
export interface AccessToken {
  value: string
  /** Milliseconds since the epoch; the server refuses it from then on. */
  expiresAt: number
}

const dayMs = 86_400_000

/**
 * The token of a name. Its file is readable by this user alone and outlives the server, so that links and settings go on working.
 * It is replaced when it is about to expire, or with `renew`; whatever held the old one is refused from then on.
 */
export function accessToken(
  dataDir: string,
  name: string,
  { lifetimeDays = Infinity, renew = false }: { lifetimeDays?: number; renew?: boolean } = {},
): AccessToken {
  const path = join(dataDir, `${name}.token`)
  const kept = renew ? undefined : keptToken(path, lifetimeDays * dayMs)
  if (kept !== undefined) return kept
  const value = randomBytes(16).toString('hex')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, value, { mode: 0o600 })
  chmodSync(`${path}.new`, 0o600)
  renameSync(`${path}.new`, path)
  return { value, expiresAt: Date.now() + lifetimeDays * dayMs }
}

/** A token that is good for another quarter of its life at least: a server that starts with it serves for a while. */
function keptToken(path: string, lifetimeMs: number): AccessToken | undefined {
  try {
    const value = readFileSync(path, 'utf8').trim()
    const writtenAt = statSync(path).mtimeMs
    const isFresh = writtenAt <= Date.now() + dayMs && writtenAt + lifetimeMs * 0.75 >= Date.now()
    return /^[0-9a-f]{32}$/.test(value) && isFresh ? { value, expiresAt: writtenAt + lifetimeMs } : undefined
  } catch {
    // The first start.
    return undefined
  }
}

/**
 * Why a request is not answered; `undefined` for one that may be. A page of somebody else can send requests here, and give
 * its own name to this address: so the names must be this server's, and the token is in a header, which no form and no
 * picture can send.
 */
export function refusal(request: IncomingMessage, port: number, token: AccessToken | undefined): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(request.headers.host ?? '')) return 'this address is not this server’s'
  if (token === undefined) return undefined
  const { origin } = request.headers
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    return 'the request comes from another page'
  if (['cross-site', 'same-site'].includes(String(request.headers['sec-fetch-site'])))
    return 'the request comes from another page'
  if (!isEqual(request.headers.authorization ?? '', `Bearer ${token.value}`)) return 'the token is missing or old'
  return Date.now() < token.expiresAt ? undefined : 'the token has expired: a new start makes another one'
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
