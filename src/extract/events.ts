import type { Notice } from '../normalize/index.ts'

/** What happens while rows come in. */
export type ExtractEvent =
  | { type: 'resource-started'; resource: string }
  /** What the first answer of a REST resource told: where rows are, and how it pages. */
  | {
      type: 'first-page'
      resource: string
      rowsAt: string
      /** Something is there. */
      matched: boolean
      /** Where else there are lists; told when nothing is there. */
      listsAt: string[]
      rows: number
      paginator: Record<string, unknown> | undefined
      isDetected: boolean
      hasNext: boolean
      /** The answer says itself that nothing follows. */
      isAll: boolean
      /** Why this cannot be all, where paging ends with this page. */
      doubt?: string
    }
  /** `normalizeMs`: how long it took to make lines of its rows. */
  | { type: 'page'; resource: string; rows: number; normalizeMs: number }
  /** `url` without its query, which may hold keys. */
  | {
      type: 'request'
      resource: string
      method: string
      url: string
      status: number
      ms: number
      /** The whole of it, secrets masked; only while the event is told. */
      exchange(): Exchange
    }
  | { type: 'wait'; resource: string; reason: 'rate limit' | 'retry' | 'report'; ms: number; detail: string }
  | { type: 'skipped'; resource: string; detail: string }
  /** Left out with all below it, as the source says; the others load. */
  | { type: 'resource-failed'; resource: string; error: unknown }
  | { type: 'resource-finished'; resource: string; rows: number; pages: number }
  | { type: 'notice'; notice: Notice | PagingNotice }

/** The pages of a resource ended, and something speaks against that being all its rows. */
export interface PagingNotice {
  kind: 'pages-in-doubt'
  /** The resource. */
  table: string
  column?: string
  detail: string
}

/** What was sent to an API and what came back. Secrets are masked; long bodies are cut. */
export interface Exchange {
  url: string
  requestHeaders: Record<string, string>
  requestBody?: string
  responseHeaders: Record<string, string>
  responseBody: string
  /** Characters of the body as it came. */
  responseLength: number
}
