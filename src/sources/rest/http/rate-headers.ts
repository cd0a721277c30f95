/** What a server says about its own limit. */
export interface ServerLimit {
  /** Requests that may still be sent. */
  remaining: number
  /** Milliseconds until the count starts again. */
  resetMs: number
}

const remainingNames = ['x-ratelimit-remaining', 'x-rate-limit-remaining', 'ratelimit-remaining']
const resetNames = [
  'x-ratelimit-reset',
  'x-rate-limit-reset',
  'ratelimit-reset',
  'x-ratelimit-reset-after',
  'x-rate-limit-reset-after',
]

/** Reads `X-RateLimit-*`, `RateLimit-*` and the `RateLimit` field; `undefined` unless both values are there. */
export function serverLimit(headers: Headers, now = Date.now()): ServerLimit | undefined {
  const remaining = first(headers, remainingNames) ?? part(tightest(headers.get('ratelimit')), 'remaining', 'r')
  const resetMs = resetOf(headers, now)
  if (remaining === undefined || resetMs === undefined || !/^\s*\d+/.test(remaining)) return undefined
  return { remaining: Number.parseInt(remaining, 10), resetMs }
}

/** How long the server asks to wait after it refused a request: `Retry-After`, or the reset of a limit that is used up. */
export function statedWaitMs(headers: Headers, status: number, now = Date.now()): number | undefined {
  const retryAfter = headers.get('retry-after')
  const stated = retryAfter === null ? undefined : untilMs(retryAfter, now)
  if (stated !== undefined) return stated
  const limit = serverLimit(headers, now)
  // A 429 itself says that nothing remains.
  if (limit === undefined) return status === 429 ? resetOf(headers, now) : undefined
  return limit.remaining === 0 ? limit.resetMs : undefined
}

function resetOf(headers: Headers, now: number): number | undefined {
  const reset = first(headers, resetNames) ?? part(tightest(headers.get('ratelimit')), 'reset', 't')
  return reset === undefined ? undefined : untilMs(reset, now)
}

function first(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) return value
  }
  return undefined
}

/** Of the policies in `"burst";r=9;t=1, "month";r=0;t=900`, the one with the fewest requests left, then the longest wait. */
function tightest(field: string | null): string | null {
  if (field === null || !/;\s*r=/.test(field)) return field
  const value = (policy: string, key: string): number => Number(part(policy, key) ?? 0)
  const [first] = field.split(',').toSorted((a, b) => value(a, 'r') - value(b, 'r') || value(b, 't') - value(a, 't'))
  return first!
}

/** `limit=100, remaining=50, reset=30` and `"default";r=50;t=30`. */
const part = (field: string | null, ...keys: string[]): string | undefined =>
  field === null ? undefined : new RegExp(`(?:^|[\\s,;])(?:${keys.join('|')})=(\\d+)`).exec(field)?.[1]

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const duration = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const date = /^(\d{4}-\d\d-\d\d[T ]|[A-Z][a-z]+,? )/

/**
 * Milliseconds from now: seconds (`30`), a duration (`6m0s`), an instant in seconds, milliseconds, microseconds or nanoseconds
 * since 1970, or a date. `undefined` for anything else.
 */
function untilMs(given: string, now: number): number | undefined {
  // A list of limits, as in the IETF drafts, starts with the one that is nearest.
  const text = given.trim()
  const [leading] = text.split(/[,;]/)
  if (/^\d+(\.\d+)?$/.test(leading!)) return Math.max(0, ofNumber(Number(leading), now))
  if (duration.test(text)) {
    return [...text.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
      (sum, [, n, u]) => sum + Number(n) * unitMs[u!]!,
      0,
    )
  }
  const instant = date.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(instant) ? undefined : Math.max(0, instant - now)
}

/** Each unit of time since 1970 has its own range: a number of seconds reaches the year 5138 before it looks like milliseconds. */
function ofNumber(number: number, now: number): number {
  if (number > 1e17) return number / 1e6 - now
  if (number > 1e14) return number / 1000 - now
  if (number > 1e11) return number - now
  return number > 1e9 ? number * 1000 - now : number * 1000
}
