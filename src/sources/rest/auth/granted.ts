import { addToken, isSecretField, isSecretName } from '../../../masking/index.ts'
import { PipelineError } from '../../../errors/index.ts'
import type { RestResponse } from '../request.ts'

/** Headers hold far less; what is longer is a page that a login in between has sent. */
export const longestToken = 65_536
const mostFields = 1000

/**
 * Remembers everything in an answer that grants tokens whose name says that it is secret, before anybody hears of the answer:
 * the access token, and those that come with it for refreshing, for identity, for a session.
 */
export function rememberGranted({ body, headers }: Pick<RestResponse, 'body' | 'headers'>): void {
  for (const [name, value] of headers) if (isSecretName(name) && name !== 'set-cookie') remember(value)
  for (const cookie of headers.getSetCookie()) remember(/=([^;]*)/.exec(cookie)?.[1] ?? '')
  const waiting: unknown[] = [body]
  for (let seen = 0; waiting.length > 0 && seen < mostFields; seen++) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const [name, inner] of Object.entries(value).slice(0, mostFields)) {
      if (typeof inner === 'string' && isSecretField(name)) remember(inner)
      else waiting.push(inner)
    }
  }
}

/** A value of a header, with and without the word before it: `Bearer …`. */
export function rememberHeader(value: string): void {
  remember(value)
  const [, rest] = /^[\w.-]{1,40} +(\S.*)$/.exec(value) ?? []
  if (rest !== undefined) remember(rest)
}

function remember(value: string): void {
  if (value.length <= longestToken) addToken(value)
}

export const tokenTooLong = (url: URL, where: string): PipelineError =>
  new PipelineError(
    `${url.origin}${url.pathname} answered with a token of more than ${longestToken} characters ${where}`,
    {
      code: 'HTTP_FAILED',
      fix: 'check where the token is in the answer: tokenPath, tokenHeader or tokenCookie of the auth',
    },
  )
