import { excerpt, PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestRequest } from '../request.ts'
import type { CursorSpec, HeaderCursorSpec, HeaderLinkSpec, KeysetSpec, LinkListSpec } from './paginator-spec.ts'
import { flagAt, type Page, type Paginator } from './paginator.ts'
import { nextOf } from './next-of.ts'
import { shortPages } from './page-size.ts'
import { writerTo } from './place.ts'

/** A link against the address it came from. A name and password in it are not taken: the source says who asks. */
function linkedFrom(base: URL, link: string): URL {
  const url = new URL(link, base)
  url.username = ''
  url.password = ''
  return url
}

/** Goes where an answer points; relative links are resolved against the request they came with. */
function follow(request: RestRequest, link: string): boolean {
  try {
    request.url = linkedFrom(request.url, link)
  } catch (error) {
    throw new PipelineError(`paging: the next link is no URL: ${JSON.stringify(excerpt(link, 80))}`, {
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
    nextPath: path.text,
    first: () => undefined,
    next(request, { response }) {
      const found = path.first(response.body)
      const link = Array.isArray(found) ? nextOf(found) : found
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

export function headerLinkPaginator(spec: HeaderLinkSpec): Paginator {
  const relation = spec.linksNextKey ?? 'next'
  return {
    first: () => undefined,
    next(request, { response }) {
      const link = linkWith(response.headers.get('link'), relation)
      return link === undefined ? false : follow(request, link)
    },
  }
}

const value = String.raw`"((?:[^"\\]|\\.)*)"|([^\s;,"]+)`
const oneParameter = new RegExp(String.raw`;\s*([\w*-]+)\s*(?:=\s*(?:${value}))?`, 'g')
const oneLink = new RegExp(
  String.raw`<([^>]*)>((?:\s*;\s*[\w*-]+\s*(?:=\s*(?:${value.replaceAll(/\((?!\?)/g, '(?:')}))?)*)`,
  'g',
)

/**
 * The address in a `Link` header (RFC 8288) whose relations include the given one. A link that says `results="false"`, as
 * Sentry's do, leads to an empty page.
 */
export function linkWith(header: string | null, relation: string): string | undefined {
  if (header === null) return undefined
  for (const [, address, text] of header.matchAll(oneLink)) {
    const parameters = new Map<string, string>()
    for (const [, name, quoted, plain] of text!.matchAll(oneParameter)) {
      // Only the first one of a name counts.
      const key = name!.toLowerCase()
      if (!parameters.has(key)) parameters.set(key, quoted ?? plain ?? '')
    }
    const relations = (parameters.get('rel') ?? '').toLowerCase().split(/\s+/)
    if (relations.includes(relation.toLowerCase()) && parameters.get('results')?.toLowerCase() !== 'false')
      return address
  }
  return undefined
}

export function headerCursorPaginator(spec: HeaderCursorSpec): Paginator {
  const write = writerTo(
    { param: spec.cursorParam, bodyPath: spec.cursorBodyPath, header: spec.cursorHeader },
    'cursor',
  )
  return {
    first(request) {
      if (spec.initialCursor !== undefined) write(request, spec.initialCursor)
    },
    next(request, { response }) {
      const cursor = response.headers.get(spec.cursorKey ?? 'next')
      if (cursor === null || cursor === '') return false
      write(request, cursor)
      return true
    },
  }
}

type Ends = Pick<CursorSpec, 'stopAfterEmptyPage' | 'pageSize' | 'hasMorePath'>

/** Whether a page says itself that no other follows. */
function endings(spec: Ends): (request: RestRequest, page: Page) => boolean {
  const isShort = shortPages(spec.pageSize)
  return (request, page) =>
    (spec.stopAfterEmptyPage === true && page.count === 0) ||
    isShort(request, page) ||
    (spec.hasMorePath !== undefined && spec.hasMorePath !== null && !flagAt(page.response.body, spec.hasMorePath))
}

export function cursorPaginator(spec: CursorSpec): Paginator {
  const isEnd = endings(spec)
  const path = jsonPath(spec.cursorPath ?? 'cursors.next')
  const write = writerTo(
    { param: spec.cursorParam, bodyPath: spec.cursorBodyPath, header: spec.cursorHeader },
    'cursor',
  )
  return {
    nextPath: path.text,
    first(request) {
      if (spec.initialCursor !== undefined) write(request, spec.initialCursor)
    },
    next(request, page) {
      if (isEnd(request, page)) return false
      const cursor = path.first(page.response.body)
      if (cursor === undefined || cursor === null || cursor === '' || cursor === false || cursor === 0) return false
      write(request, cursor)
      return true
    },
  }
}

/** The key of the last row is where the next page begins; an empty page is the end. */
export function keysetPaginator(spec: KeysetSpec): Paginator {
  const isEnd = endings(spec)
  const path = jsonPath(spec.keyPath ?? 'id')
  const write = writerTo({ param: spec.keyParam, bodyPath: spec.keyBodyPath, header: spec.keyHeader }, 'after')
  return {
    first(request) {
      if (spec.initialKey !== undefined) write(request, spec.initialKey)
    },
    next(request, page) {
      if (page.count === 0 || isEnd(request, page)) return false
      const key = path.first(page.rows.at(-1))
      if (key === undefined || key === null) {
        throw new PipelineError(`paging: the last row of a page has no "${path.text}"`, {
          code: 'PAGING_UNKNOWN',
          fix: 'name a field by which the API sorts, and which every row has, as keyPath',
        })
      }
      write(request, typeof key === 'object' ? String(key) : key)
      return true
    },
  }
}

export function linkListPaginator(spec: LinkListSpec): Paginator {
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
        const href = typeof link === 'string' ? linkedFrom(request.url, link).href : undefined
        if (href === undefined || known.has(href)) continue
        known.add(href)
        open.push(href)
      }
      const link = open.shift()
      return link === undefined ? false : follow(request, link)
    },
  }
}
