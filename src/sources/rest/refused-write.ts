import { errorIn, isOnlyError, messageIn } from './error-in-body.ts'
import type { Judge } from './response-actions.ts'

/** Codes of an error that mean the same as a status of HTTP. What a message says about the receiver is not one of them. */
const meanings: readonly [code: RegExp, status: number][] = [
  [/^(too_?many_?requests|rate_?limited|rate_?limit_?exceeded|(max_cost_)?throttled)$/i, 429],
  [/^(unauthenticated|unauthorized|invalid_?auth|not_?authed|account_inactive)$/i, 401],
  [/^(time_?out|timed_out|unavailable|service_unavailable|internal(_server)?_error|fatal_error)$/i, 503],
]
/** An error that says no more than that it is one. */
const unprocessable = 422

/**
 * Whether a write was refused by a response of status 2xx: by the rule for pages, where a response that is itself a record may have
 * a field called `error`. It counts as the status that the error states. Data next to a list of errors, as GraphQL has them, shows
 * that a part of the write may have been done.
 */
export const refusedWrite: Judge = ({ status, body }) => {
  if (status >= 400) return undefined
  const error = errorIn(body)
  if (error === undefined) return undefined
  const { errors, data } = body as { errors?: unknown; data?: unknown }
  const said = error.said === '' ? messageIn(body as object) : error.said
  if (error.isFlag || isOnlyError(body)) return { refused: statedStatus(body), said }
  if (!Array.isArray(errors) || errors.length === 0 || data === undefined) return undefined
  return hasValue(data) ? { refused: 500, said: `${said} (a part may be done)` } : { refused: statedStatus(body), said }
}

/** The first status that the fields of an error state, by number or by code; errors lie at most in a list in an object. */
function statedStatus(body: unknown): number {
  const stated = statedIn(body, 0).flatMap((value) => {
    const number = typeof value === 'number' || /^\d{3}$/.test(value) ? Number(value) : undefined
    if (number !== undefined) return number >= 400 && number < 600 ? [number] : []
    const meant = meanings.find(([code]) => code.test(String(value)))
    return meant === undefined ? [] : [meant[1]]
  })
  return stated[0] ?? unprocessable
}

const isStated = /^(status|status_?code|http_?status|http_?code|code|error|error_?code|err_?code|error_?type|type)$/i

function statedIn(value: unknown, depth: number): (number | string)[] {
  if (typeof value !== 'object' || value === null || depth > 3) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    if (typeof inner === 'object') return statedIn(inner, depth + 1)
    return isStated.test(name) && (typeof inner === 'number' || typeof inner === 'string') ? [inner] : []
  })
}

/** Something other than nulls and empty lists and objects. */
const hasValue = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.values(value).some(hasValue) : value !== null
