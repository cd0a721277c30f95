import { bodyText, type RestRequest } from '../request.ts'
import { params, plainName } from './names.ts'
import type { Page } from './paginator.ts'

/** How many rows a request asks for, in its parameters or its body. */
export function askedSize({ url, body, data }: Pick<RestRequest, 'url' | 'body' | 'data'>): number | undefined {
  const form = data === undefined ? [] : new URLSearchParams(bodyText({ data, body } as RestRequest)!)
  for (const [key, value] of [...url.searchParams, ...form, ...Object.entries(body ?? {})]) {
    const size = params.size.test(plainName(key)) ? Number(value) : Number.NaN
    if (Number.isInteger(size) && size > 0) return size
  }
  return undefined
}

/**
 * Whether a page has fewer rows than pages have. Where the request asks for a size, the server may serve smaller pages than
 * that: then the first page shows how long they are.
 */
export function shortPages(pageSize: number | undefined): (request: RestRequest, page: Page) => boolean {
  let size: number | undefined
  return (request, { count }) => {
    if (pageSize === undefined) return false
    if (size !== undefined) return count < size
    const isAsked = askedSize(request) !== undefined
    size = isAsked && count > 0 ? Math.min(count, pageSize) : pageSize
    return count < size
  }
}
