import type { RestRequest, RestResponse } from '../request.ts'

/** Adds credentials to a request just before it is sent. */
export interface Auth {
  apply(request: RestRequest): Promise<void>
  /** Forgets a token that the server refused; true when another attempt makes sense. */
  refresh(): boolean
  /** Some value still looks like the one from documentation. */
  looksCopied: boolean
}

/** Sends a request without credentials. */
export type Send = (request: RestRequest) => Promise<RestResponse>

export function addCookie(request: RestRequest, name: string, value: string): void {
  const cookie = `${name}=${value}`
  request.headers.Cookie = request.headers.Cookie === undefined ? cookie : `${request.headers.Cookie}; ${cookie}`
}
