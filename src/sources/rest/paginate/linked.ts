import { PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import { setBodyValue, setParams, type RestRequest } from '../request.ts'
import type { PaginatorSpec } from '../spec.ts'
import { flagAt, type Paginator } from './paginator.ts'

/** Goes where an answer points; relative links are resolved against the request they came with. */
function follow(request: RestRequest, link: string): boolean {
  try {
    request.url = new URL(link, request.url)
  } catch (error) {
    throw new PipelineError(`paging: the next link is no URL: ${JSON.stringify(link.slice(0, 80))}`, {
      code: 'PAGING_UNKNOWN',
      fix: 'correct the path of the link',
      cause: error,
    })
  }
  return true
}

export function jsonLinkPaginator(spec: { nextUrlPath?: string }): Paginator {
  const path = jsonPath(spec.nextUrlPath ?? 'next')
  return {
    first: () => undefined,
    next(request, { response }) {
      const link = path.first(response.body)
      // APIs end with null, "" or false.
      if (link === undefined || link === null || link === '' || link === false) return false
      if (typeof link === 'string') return follow(request, link)
      throw new PipelineError(`paging: expected a link at "${path.text}", got a ${typeof link}`, {
        code: 'PAGING_UNKNOWN',
        fix: 'correct nextUrlPath, or use a cursor or page_number paginator',
      })
    },
  }
}

export function headerLinkPaginator(spec: Extract<PaginatorSpec, { type: 'header_link' }>): Paginator {
  const relation = spec.linksNextKey ?? 'next'
  return {
    first: () => undefined,
    next(request, { response }) {
      const link = linkWith(response.headers.get('link'), relation)
      return link === undefined ? false : follow(request, link)
    },
  }
}

/** The address in a `Link` header (RFC 8288) whose relations include the given one. */
export function linkWith(header: string | null, relation: string): string | undefined {
  if (header === null) return undefined
  for (const match of header.matchAll(/<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+))*)/g)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(match[2]!)
    if ((rel?.[1] ?? rel?.[2] ?? '').split(/\s+/).includes(relation)) return match[1]
  }
  return undefined
}

export function headerCursorPaginator(spec: Extract<PaginatorSpec, { type: 'header_cursor' }>): Paginator {
  return {
    first: () => undefined,
    next(request, { response }) {
      const cursor = response.headers.get(spec.cursorKey ?? 'next')
      if (cursor === null || cursor === '') return false
      setParams(request.url, { [spec.cursorParam ?? 'cursor']: cursor })
      return true
    },
  }
}

export function cursorPaginator(spec: Extract<PaginatorSpec, { type: 'cursor' }>): Paginator {
  const path = jsonPath(spec.cursorPath ?? 'cursors.next')
  return {
    first: () => undefined,
    next(request, { response, rows }) {
      if (spec.stopAfterEmptyPage === true && rows.length === 0) return false
      if (spec.pageSize !== undefined && rows.length < spec.pageSize) return false
      if (spec.hasMorePath !== undefined && !flagAt(response.body, spec.hasMorePath)) return false
      const cursor = path.first(response.body)
      if (cursor === undefined || cursor === null || cursor === '' || cursor === false || cursor === 0) return false
      if (spec.cursorBodyPath !== undefined) setBodyValue(request, spec.cursorBodyPath, cursor)
      else setParams(request.url, { [spec.cursorParam ?? 'cursor']: cursor })
      return true
    },
  }
}

export function linkListPaginator(spec: Extract<PaginatorSpec, { type: 'link_list' }>): Paginator {
  const path = jsonPath(spec.linksPath)
  const known = new Set<string>()
  const open: string[] = []
  return {
    first: (request) => {
      known.add(request.url.href)
    },
    next(request, { response }) {
      for (const link of path.all(response.body).flat()) {
        // Answers further down may list the same addresses again.
        const href = typeof link === 'string' ? new URL(link, request.url).href : undefined
        if (href === undefined || known.has(href)) continue
        known.add(href)
        open.push(href)
      }
      const link = open.shift()
      return link === undefined ? false : follow(request, link)
    },
  }
}
