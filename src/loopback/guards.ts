import { randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { createFile, removeDrafts, replaceFile } from '../disk/index.ts'

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
  const lifetimeMs = lifetimeDays * dayMs
  const kept = renew ? undefined : keptToken(path, lifetimeMs)
  if (kept !== undefined) return kept
  const token = { value: randomBytes(16).toString('hex'), expiresAt: Date.now() + lifetimeMs }
  removeDrafts(dataDir)
  if (!renew) {
    if (createFile(path, token.value)) return token
    // Another server that starts at the same time was first.
    const others = keptToken(path, lifetimeMs)
    if (others !== undefined) return others
  }
  replaceFile(path, token.value)
  return token
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
