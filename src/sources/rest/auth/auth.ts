import { addSecret } from '../../../errors/index.ts'
import type { RestRequest, RestResponse } from '../request.ts'
import type { BasicAuth, SessionAuth } from './auth-spec.ts'
import type { Settings } from './settings.ts'

/** Adds credentials to a request just before it is sent. */
export interface Auth {
  apply(request: RestRequest): Promise<void>
  /**
   * Forgets what the server refused with 401; true when another attempt makes sense. Requests that were under way together
   * may be refused together: only the first of them makes what they were sent with invalid.
   */
  refresh(refused: Refused): boolean
  /** Some value still looks like the one from documentation. */
  looksCopied: boolean
}

export interface Refused {
  /** As it was sent. */
  request: RestRequest
  /** Of the answer. */
  headers: Headers
}

/** Sends a request without credentials. */
export type Send = (request: RestRequest) => Promise<RestResponse>

export function addCookie(request: RestRequest, name: string, value: string): void {
  const cookie = `${name}=${value}`
  request.headers.Cookie = request.headers.Cookie === undefined ? cookie : `${request.headers.Cookie}; ${cookie}`
}

export function basicHeader(spec: BasicAuth | SessionAuth, settings: Settings): string {
  const username = settings.secret(spec.username, 'username')
  const password = settings.secret(spec.password, 'password')
  const pair = Buffer.from(`${username}:${password}`).toString('base64')
  // Some servers quote the header when they refuse it.
  addSecret(pair)
  return `Basic ${pair}`
}
