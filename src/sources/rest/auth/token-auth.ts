import { addToken, PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestRequest, RestResponse } from '../request.ts'
import type { Auth } from './auth.ts'
import { longestToken, tokenTooLong } from './granted.ts'

export interface Token {
  value: string
  /** When it must no longer be used; by the clock of this machine. */
  endsAt: number
}

/** A token that is asked for once, used until it ends or is refused, and then asked for again. */
export function tokenAuth(
  ask: () => Promise<Token>,
  put: (request: RestRequest, token: string) => void,
  copied: boolean,
): Auth {
  let token: Promise<Token> | undefined
  let held: Token | undefined
  const sentWith = new WeakMap<RestRequest, string>()
  const askAgain = (): Promise<Token> => {
    // One request for all: others that come meanwhile wait for the same promise.
    const asked = ask()
    token = asked
    held = undefined
    asked.then(
      (fresh) => (held = token === asked ? fresh : held),
      // A refusal is no token: whoever comes later asks anew.
      () => (token = token === asked ? undefined : token),
    )
    return asked
  }
  return {
    async apply(request) {
      if (held !== undefined && Date.now() >= held.endsAt) token = undefined
      const { value } = await (token ?? askAgain())
      sentWith.set(request, value)
      put(request, value)
    },
    refresh({ request }) {
      if (held === undefined || sentWith.get(request) === held.value) [token, held] = [undefined, undefined]
      return true
    },
    looksCopied: copied,
  }
}

export const bearer = (request: RestRequest, token: string): void => {
  request.headers.Authorization = `Bearer ${token}`
}

/** Takes a token out of an answer; it is a secret from here on. */
export function tokenIn({ body, url }: RestResponse, path: string): string {
  return asToken(jsonPath(path).first(body), url, `at "${path}"`)
}

export function asToken(value: unknown, url: URL, where: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new PipelineError(`${url.origin}${url.pathname} answered without a token ${where}`, {
      code: 'HTTP_FAILED',
      fix: 'check the auth of the source, and that the key may request tokens',
    })
  }
  if (value.length > longestToken) throw tokenTooLong(url, where)
  addToken(value)
  return value
}

/** A request takes a while to arrive: a token is used until shortly before its end. */
export const endAfter = (seconds: number): number => Date.now() + 1000 * (seconds - Math.min(30, seconds / 10))

/** When a token ends, by seconds from now, a moment as a number or text; never, when nothing is said. */
export function endOf(stated: unknown): number {
  const number = Number(stated)
  if (stated === undefined || stated === null || stated === '') return Infinity
  if (Number.isNaN(number)) {
    const date = Date.parse(String(stated))
    return Number.isNaN(date) ? Infinity : date - 30_000
  }
  if (number > 1e12) return number - 30_000
  return number > 1e9 ? number * 1000 - 30_000 : endAfter(number)
}
