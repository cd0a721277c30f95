import { errorIn, isOnlyError } from './error-in-body.ts'
import type { RestRequest, RestResponse } from './request.ts'
import type { RowSelector } from './select.ts'

/** Why a response is not all that its request asked for, whatever its body. */
export function statusFault(
  { status, headers }: RestResponse,
  request: Pick<RestRequest, 'headers'>,
): string | undefined {
  if (status === 205) return 'no content'
  if (status !== 206 || Object.keys(request.headers).some((name) => name.toLowerCase() === 'range')) return undefined
  // APIs that page by it count rows there: "0-24/95", "items 0-24/95".
  const range = headers.get('content-range')
  return range !== null && !/^\s*bytes\b/i.test(range)
    ? undefined
    : 'a part of the content that the request did not ask for'
}

/**
 * Why a response is not a page of rows although its status is 2xx: it holds nothing at all, or an error, is not ready yet, or
 * lacks the list of rows where there must be one. `undefined` for a page.
 */
export function pageFault(
  { status, body, text, rows: streamed }: RestResponse,
  selector: Pick<RowSelector, 'at' | 'place'>,
  mustMatch: boolean,
): string | undefined {
  if (status === 204 || status >= 400 || streamed !== undefined) return undefined
  if (text === '') return status === 202 ? 'no rows yet' : 'an empty body'
  const found = selector.at(body)
  const hasNone = found === undefined || found === null || (Array.isArray(found) && found.length === 0)
  const error = errorIn(body)
  // A response that is itself the row may have an error among its data; it is an error when it has nothing else.
  const isError = found === body ? isOnlyError(body) : hasNone || error?.isFlag === true
  if (error !== undefined && isError) return `an error${error.said === '' ? '' : `: ${error.said}`}`
  if (status === 202 && (hasNone || !Array.isArray(found))) return 'no rows yet'
  return mustMatch && found === undefined ? `nothing at "${selector.place}"` : undefined
}
