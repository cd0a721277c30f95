import { leftLine, PipelineError, refusedLines, type RunEvent } from '../index.ts'
import { isWarning, noticeText } from './notice-text.ts'
import { shortLocation } from './run-summary.ts'
import { count, duration, plural, style } from './style.ts'

export type ProgressMode = 'auto' | 'bar' | 'log' | 'off'

interface Lane {
  rows: number
  pages: number
  begun: number
  ended: number | undefined
  waitUntil: number
  waitFor: string
}

/** Follows a run: updated in place on a terminal, plain lines where there is none. */
export class Progress {
  private readonly lanes = new Map<string, Lane>()
  private readonly mode: 'bar' | 'log' | 'off'
  private head = ''
  private loadedRows = 0
  private packages = 0
  private retries = 0
  private waits = 0
  private readonly skipped: string[] = []
  private readonly failed: string[] = []
  private readonly warnings = new Set<string>()
  private readonly notices = new Map<string, number>()
  private readonly begun = performance.now()
  private drawn = 0
  private timer: NodeJS.Timeout | undefined

  constructor(mode: ProgressMode) {
    const terminal = process.stderr.isTTY === true && process.env.CI === undefined && process.env.TERM !== 'dumb'
    this.mode = mode === 'auto' ? (terminal ? 'bar' : 'log') : mode
  }

  readonly on = (event: RunEvent): void => {
    this.take(event)
    if (this.mode === 'log') this.log(event)
    if (this.mode !== 'bar') return
    this.timer ??= setInterval(() => this.draw(), 100).unref()
    if (event.type === 'run-finished' || event.type === 'run-failed') this.stop()
  }

  /** What a person should know beside the tables: skipped ids, retries, waits. */
  get remarks(): string[] {
    return [
      ...this.failed,
      ...this.warnings,
      ...this.skipped.slice(0, 5).map((detail) => `skipped  ${detail}`),
      ...(this.skipped.length > 5 ? [`skipped  ${count(this.skipped.length - 5)} more`] : []),
      ...[...this.notices].slice(0, 8).map(([text, times]) => (times > 1 ? `${text} (${count(times)} times)` : text)),
      ...(this.retries > 0 ? [`retried  ${plural(this.retries, 'request')}`] : []),
      ...(this.waits > 0 ? [`waited   ${plural(this.waits, 'time')} for the rate limit`] : []),
    ]
  }

  /** A run that left something out must not look like one that found nothing new. */
  get isInDoubt(): boolean {
    return this.failed.length + this.skipped.length + this.warnings.size > 0
  }

  private take(event: RunEvent): void {
    switch (event.type) {
      case 'destination-wait':
        this.head = waitingFor(event)
        break
      case 'run-started':
        this.head = `${event.pipeline} → ${shortLocation(event.location)} / ${event.dataset}`
        for (const resource of event.resources) this.lanes.set(resource, newLane())
        break
      case 'resource-started':
        this.lane(event.resource).begun = performance.now()
        break
      case 'page': {
        const lane = this.lane(event.resource)
        lane.rows += event.rows
        lane.pages += 1
        break
      }
      case 'wait': {
        const lane = this.lane(event.resource)
        lane.waitUntil = performance.now() + event.ms
        lane.waitFor = waitText(event)
        if (event.reason === 'retry') this.retries += 1
        if (event.reason === 'rate limit') this.waits += 1
        break
      }
      case 'skipped':
        this.skipped.push(`${event.resource}: ${event.detail}`)
        break
      case 'resource-failed':
        this.lanes.delete(event.resource)
        this.failed.push(failedText(event))
        break
      case 'package-refused':
        this.failed.push(...refusedLines(event).map((line) => `refused  ${line}`))
        break
      case 'package-left':
        this.failed.push(`left     ${leftLine(event)}`)
        break
      case 'notice': {
        const text = noticeText(event.notice)
        if (isWarning(event.notice)) this.warnings.add(text)
        else this.notices.set(text, (this.notices.get(text) ?? 0) + 1)
        break
      }
      case 'resource-finished':
        this.lane(event.resource).ended = performance.now()
        break
      case 'package-loaded':
        this.packages += 1
        this.loadedRows += Object.values(event.rows).reduce((sum, rows) => sum + rows, 0)
        break
    }
  }

  /** Resources that are only read for others have no line of their own. */
  private lane(resource: string): Lane {
    return this.lanes.get(resource) ?? newLane()
  }

  private draw(): void {
    const now = performance.now()
    const room = Math.max(0, ...[...this.lanes.keys()].map((name) => name.length))
    const lanes = [...this.lanes].map(([name, lane]) => laneLine(name.padEnd(room), lane, now))
    const lines = [this.head, '', ...lanes, '', this.totals(now)]
    const height = (process.stderr.rows || 24) - 1
    const shown = lines.length > height ? [...lines.slice(0, height - 2), '  …', lines.at(-1)!] : lines
    const width = process.stderr.columns || 80
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A` : ''
    process.stderr.write(up + shown.map((line) => `${clip(line, width)}\u001b[K\n`).join('') + '\u001b[J')
    this.drawn = shown.length
  }

  private totals(now: number): string {
    const rows = [...this.lanes.values()].reduce((sum, lane) => sum + lane.rows, 0)
    return `  extracted ${count(rows)} · loaded ${count(this.loadedRows)} in ${plural(this.packages, 'package')}  ${duration(now - this.begun)}`
  }

  private stop(): void {
    clearInterval(this.timer)
    this.draw()
  }

  private log(event: RunEvent): void {
    const line = logLine(event)
    if (line !== undefined) console.error(`${new Date().toISOString()} ${line}`)
  }
}

const newLane = (): Lane => ({
  rows: 0,
  pages: 0,
  begun: performance.now(),
  ended: undefined,
  waitUntil: 0,
  waitFor: '',
})

function waitText({ reason, detail }: Extract<RunEvent, { type: 'wait' }>): string {
  if (reason === 'retry') return `after ${detail}`
  return reason === 'report' ? `for the report ${detail}` : `for the rate limit (${detail})`
}

const waitingFor = ({ holder }: Extract<RunEvent, { type: 'destination-wait' }>): string =>
  `waiting for ${holder}, which has the destination open`

function failedText({ resource, error }: Extract<RunEvent, { type: 'resource-failed' }>): string {
  const message = error instanceof PipelineError ? error.summary : String(error)
  return `failed   ${resource}, and is left out: ${message}`
}

function laneLine(name: string, lane: Lane, now: number): string {
  const label = `  ${name} `
  const rows = `${count(lane.rows).padStart(10)} rows  ${plural(lane.pages, 'page').padStart(11)}`
  if (lane.ended !== undefined) return `${label}${style.done('✓')} ${rows}  ${duration(lane.ended - lane.begun)}`
  if (lane.waitUntil > now + 200) {
    return `${label}${style.waiting('●')} waiting ${duration(lane.waitUntil - now)} ${lane.waitFor}`
  }
  const perSecond = Math.round(lane.rows / Math.max((now - lane.begun) / 1000, 0.1))
  return `${label}· ${rows}  ${count(perSecond)} rows/s`
}

/** Cuts a line to the terminal's width; colour codes take no room. */
function clip(line: string, width: number): string {
  // oxlint-disable-next-line no-control-regex
  const plain = line.replace(/\u001b\[\d+m/g, '')
  return plain.length <= width ? line : `${plain.slice(0, width - 1)}…`
}

function logLine(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'destination-wait':
      return waitingFor(event)
    case 'run-started':
      return `started ${event.pipeline} → ${event.location} / ${event.dataset}`
    case 'resource-finished':
      return `${event.resource}: ${plural(event.rows, 'row')}, ${plural(event.pages, 'page')}`
    case 'wait':
      return `${event.resource}: waiting ${duration(event.ms)} (${event.reason}: ${event.detail})`
    case 'skipped':
      return `${event.resource}: skipped, ${event.detail}`
    case 'resource-failed':
      return failedText(event)
    case 'package-refused':
      return refusedLines(event).join('; ')
    case 'package-left':
      return leftLine(event)
    case 'package-loaded': {
      const rows = Object.values(event.rows).reduce((sum, one) => sum + one, 0)
      return `package ${event.loadId} loaded: ${plural(rows, 'row')} in ${duration(event.ms)}`
    }
    default:
      return undefined
  }
}
