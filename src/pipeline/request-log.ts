import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Exchange } from '../extract/index.ts'
import type { RunEvent } from './events.ts'

/** Of requests that were answered alike, the first ones are kept; of failures more. */
const kept = { fine: 5, failed: 20 }
const keptInAll = 500

/** A request that was kept, with its answer. */
export interface LoggedRequest extends Exchange {
  resource: string
  method: string
  /** 0 when there was no answer. */
  status: number
  ms: number
  /** From the start of the run. */
  atMs: number
}

type RequestEvent = Extract<RunEvent, { type: 'request' }>

/** The requests of a run that are kept to be looked at: a line of JSON each, beside its record. */
export class RequestLog {
  private readonly path: string
  private readonly counts = new Map<string, number>()
  private total = 0

  constructor(folder: string, run: string) {
    this.path = requestLogPath(folder, run)
  }

  take({ exchange, ...event }: RequestEvent, atMs: number): void {
    const { resource, method, status, ms } = event
    const key = `${status} ${resource}`
    const known = this.counts.get(key) ?? 0
    if (this.total >= keptInAll || known >= (status >= 400 || status === 0 ? kept.failed : kept.fine)) return
    this.counts.set(key, known + 1)
    this.total += 1
    const line: LoggedRequest = { resource, method, status, ms: Math.round(ms), atMs: Math.round(atMs), ...exchange() }
    if (this.total === 1) mkdirSync(join(this.path, '..'), { recursive: true, mode: 0o700 })
    appendFileSync(this.path, `${JSON.stringify(line)}\n`, { mode: 0o600 })
  }
}

const requestLogPath = (folder: string, run: string): string => join(folder, `${run}.requests.jsonl`)

/** In the order they were sent. A line that was cut off by a crash is left out. */
export function readRequestLog(folder: string, run: string): LoggedRequest[] {
  const path = requestLogPath(folder, run)
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LoggedRequest]
      } catch {
        return []
      }
    })
}

export const removeRequestLog = (folder: string, run: string): void =>
  rmSync(requestLogPath(folder, run), { force: true })
