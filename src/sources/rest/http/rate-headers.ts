/** What a server says about its own limit. */
export interface ServerLimit {
  /** Requests that may still be sent. */
  remaining: number
  /** Milliseconds until the count begins again. */
  resetMs: number
}

const remainingNames = ['x-ratelimit-remaining', 'x-rate-limit-remaining', 'ratelimit-remaining']
const resetNames = ['x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset', 'x-ratelimit-reset-after']

/** Reads `X-RateLimit-*`, `RateLimit-*` and the `RateLimit` field; `undefined` where there is no whole statement. */
export function serverLimit(headers: Headers, now = Date.now()): ServerLimit | undefined {
  const field = headers.get('ratelimit')
  const remaining = first(headers, remainingNames) ?? part(field, 'remaining') ?? part(field, 'r')
  const reset = first(headers, resetNames) ?? part(field, 'reset') ?? part(field, 't')
  if (remaining === undefined || reset === undefined || !/^\s*\d+/.test(remaining)) return undefined
  const resetMs = untilMs(reset, now)
  return resetMs === undefined ? undefined : { remaining: Number.parseInt(remaining, 10), resetMs }
}

/** `Retry-After`: seconds or a date, in milliseconds from now. */
export const retryAfterMs = (headers: Headers, now = Date.now()): number | undefined => {
  const text = headers.get('retry-after')
  return text === null ? undefined : untilMs(text, now)
}

function first(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) return value
  }
  return undefined
}

/** `limit=100, remaining=50, reset=30` and `"default";r=50;t=30`. */
const part = (field: string | null, key: string): string | undefined =>
  field === null ? undefined : new RegExp(`(?:^|[\\s,;])${key}=(\\d+)`).exec(field)?.[1]

/** Seconds from now, seconds or milliseconds since 1970, or a date. */
function untilMs(text: string, now: number): number | undefined {
  const number = Number(text)
  if (text.trim() !== '' && !Number.isNaN(number)) {
    if (number > 1e12) return Math.max(0, number - now)
    // A second since 1970 is said by its beginning, and ends later.
    return number > 1e9 ? Math.max(0, number * 1000 - now) : Math.max(0, number * 1000)
  }
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
