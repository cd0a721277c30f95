import { randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'

/**
 * The secret that a client of a server on this machine shows with each request. It is kept under a name, so that links and
 * settings outlive the server; only the user of this machine can read it.
 */
export function accessToken(dataDir: string, name: string): string {
  const path = join(dataDir, `${name}.token`)
  try {
    const token = readFileSync(path, 'utf8').trim()
    if (/^[0-9a-f]{32}$/.test(token)) return token
  } catch {
    // The first start.
  }
  const token = randomBytes(16).toString('hex')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(path, token, { mode: 0o600 })
  chmodSync(path, 0o600)
  return token
}

/**
 * Why a request is not answered; `undefined` for one that may be. A page of somebody else can send requests here, and give
 * its own name to this address: so the names must be this server's, and the token is in a header, which no form and no
 * picture can send.
 */
export function refusal(request: IncomingMessage, port: number, token: string | undefined): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (!hosts.includes(request.headers.host ?? '')) return 'this address is not this server’s'
  if (token === undefined) return undefined
  const { origin } = request.headers
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    return 'the request comes from another page'
  if (['cross-site', 'same-site'].includes(String(request.headers['sec-fetch-site'])))
    return 'the request comes from another page'
  return isEqual(request.headers.authorization ?? '', `Bearer ${token}`) ? undefined : 'the token is missing or old'
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
