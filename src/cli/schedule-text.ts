import type { Alert } from '../jobs/alerts/conditions.ts'
import type { JobSummary } from '../jobs/job-summary.ts'
import type { ScheduleEvent } from '../jobs/scheduler.ts'
import { clean, duration, style, wrap } from './style.ts'

const clock = (): string => style.faint(new Date().toISOString().slice(11, 19))

/** A line of a schedule that goes on. */
export function eventText(event: ScheduleEvent): string {
  const name = clean(event.job, 24).padEnd(24)
  switch (event.type) {
    case 'started': {
      const { interval, tick, missed, attempt } = event.due
      const what =
        interval === undefined
          ? tick === undefined
            ? ''
            : `for ${minute(tick)}`
          : `${minute(interval.start)} – ${minute(interval.end)}`
      const more = [
        ...(missed === undefined ? [] : [`makes up for ${missed}`]),
        ...(attempt > 1 ? [`try ${attempt}`] : []),
      ]
      return `${clock()}  ${name} ${style.waiting('●')} ${[what, ...more].filter((one) => one !== '').join(', ')}`.trimEnd()
    }
    case 'found':
      return `${clock()}  ${name} ${style.waiting('●')} still runs, as process ${event.pid}`
    case 'late':
      return `${clock()}  ${name} ${style.failed('✗')} takes too long, and is asked to end`
    case 'ended': {
      if (event.outcome === 'success') return `${clock()}  ${name} ${style.done('✓')} ${duration(event.ms)}`
      if (event.outcome === 'interrupted')
        return `${clock()}  ${name} ${style.waiting('·')} interrupted; it runs again when the schedule does`
      const again = event.retryAt === undefined ? '' : `\n${' '.repeat(37)}again at ${event.retryAt.slice(11, 19)}`
      return `${clock()}  ${name} ${style.failed('✗')} ${clean(event.error, 43)}${again}`
    }
  }
}

export const minute = (moment: string): string => moment.slice(0, 16).replace('T', ' ')

/** A job as a row of a list. */
export function jobRow({ job, trigger, status, at, nextAt }: JobSummary, now: Date): Record<string, string> {
  const lasts = { running: '● since', success: '✓', failure: '✗', 'never ran': 'never' }[status]
  const last = at === undefined ? lasts : `${lasts} ${ago(now, at)}${status === 'running' ? '' : ' ago'}`
  const next =
    nextAt === undefined
      ? ''
      : Date.parse(nextAt) <= now.getTime()
        ? 'now'
        : `in ${ago(new Date(nextAt), now.toISOString())}`
  return { job, trigger, last, next }
}

/** A stretch of time, in the unit that tells most. */
function ago(later: Date, earlier: string): string {
  const seconds = Math.max(0, (later.getTime() - Date.parse(earlier)) / 1000)
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** Alerts that are open. */
export function alertsText(open: readonly Alert[]): string {
  const indent = ' '.repeat(17)
  const indented = (text: string): string => wrap(text, 62).join(`\n${indent}`)
  const lines = open.flatMap(({ kind, text, fix }) => [
    `${style.failed('✗')} ${kind.padEnd(14)} ${indented(text)}`,
    ...(fix === undefined ? [] : [style.faint(`${indent}${indented(`fix: ${fix}`)}`)]),
  ])
  return open.length === 0 ? 'nothing is open' : lines.join('\n')
}
