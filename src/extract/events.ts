import type { Notice } from '../normalize/index.ts'

/** What happens while rows come in. */
export type ExtractEvent =
  | { type: 'resource-started'; resource: string }
  | { type: 'page'; resource: string; rows: number; total?: number }
  | { type: 'request'; resource: string; status: number; ms: number }
  | { type: 'wait'; resource: string; reason: 'rate limit' | 'retry'; ms: number; detail: string }
  | { type: 'skipped'; resource: string; detail: string }
  | { type: 'resource-finished'; resource: string; rows: number; pages: number }
  | { type: 'notice'; notice: Notice }
