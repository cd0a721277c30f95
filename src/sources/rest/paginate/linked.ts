import { PipelineError } from '../../../errors/index.ts'
import { jsonPath } from '../../../extract/index.ts'
import type { RestRequest } from '../request.ts'
import type { CursorSpec, HeaderCursorSpec, HeaderLinkSpec, KeysetSpec, LinkListSpec } from './paginator-spec.ts'
import { flagAt, type Page, type Paginator } from './paginator.ts'
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

/** The address in a `Link` header (RFC 8288) whose relations include the given one. */
export function linkWith(header: string | null, relation: string): string | undefined {
  if (header === null) return undefined
  for (const [, address, parameters] of header.matchAll(oneLink)) {
    for (const [, name, quoted, plain] of parameters!.matchAll(oneParameter)) {
      if (name!.toLowerCase() !== 'rel') continue
      const relations = (quoted ?? plain ?? '').split(/\s+/)
      if (relations.some((one) => one.toLowerCase() === relation.toLowerCase())) return address
      // Only the first one counts.
      break
    }
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

/** A page that says itself that no other follows. */
const isEnd = (spec: Ends, { response, count }: Page): boolean =>
  (spec.stopAfterEmptyPage === true && count === 0) ||
  (spec.pageSize !== undefined && count < spec.pageSize) ||
  (spec.hasMorePath !== undefined && spec.hasMorePath !== null && !flagAt(response.body, spec.hasMorePath))

export function cursorPaginator(spec: CursorSpec): Paginator {
  const path = jsonPath(spec.cursorPath ?? 'cursors.next')
  const write = writerTo(
    { param: spec.cursorParam, bodyPath: spec.cursorBodyPath, header: spec.cursorHeader },
    'cursor',
  )
  return {
    first(request) {
      if (spec.initialCursor !== undefined) write(request, spec.initialCursor)
    },
    next(request, page) {
      if (isEnd(spec, page)) return false
      const cursor = path.first(page.response.body)
      if (cursor === undefined || cursor === null || cursor === '' || cursor === false || cursor === 0) return false
      write(request, cursor)
      return true
    },
  }
}

/** The key of the last row is where the next page begins; an empty page is the end. */
export function keysetPaginator(spec: KeysetSpec): Paginator {
  const path = jsonPath(spec.keyPath ?? 'id')
  const write = writerTo({ param: spec.keyParam, bodyPath: spec.keyBodyPath, header: spec.keyHeader }, 'after')
  return {
    first(request) {
      if (spec.initialKey !== undefined) write(request, spec.initialKey)
    },
    next(request, page) {
      if (page.count === 0 || isEnd(spec, page)) return false
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
