import { itemName } from '../workers/work-item.ts'
import type { WorkerEvent } from '../workers/worker.ts'
import { clean, duration, plural, style } from './style.ts'

const clock = (): string => style.faint(new Date().toISOString().slice(11, 19))
const indent = ' '.repeat(10)

/** A line of a worker that goes on; nothing for what only programs want to know. */
export function workerText(event: WorkerEvent): string | undefined {
  switch (event.type) {
    case 'begun': {
      const { interval, tick } = event.due
      const what =
        interval === undefined
          ? tick === undefined
            ? ''
            : ` for ${tick.slice(0, 16)}`
          : ` for ${interval.start.slice(0, 16)}`
      return `${clock()}  ${style.waiting('●')} ${style.strong(clean(event.job, 30))}${what}: ${plural(event.items, 'item')}`
    }
    case 'over':
      return event.outcome === 'success'
        ? `${clock()}  ${style.done('✓')} ${style.strong(clean(event.job, 30))} is through after ${duration(event.ms)}`
        : `${clock()}  ${style.failed('✗')} ${style.strong(clean(event.job, 30))}: ${clean(event.error, 40)}`
    case 'item-begun':
      return undefined
    case 'item-done':
      return `${clock()}  ${style.done('✓')} ${clean(itemName(event.item), 54).padEnd(54)} ${duration(event.ms).padStart(9)}`
    case 'item-failed': {
      const said = event.said
        .trimEnd()
        .split('\n')
        .filter((line) => !/^\s+at /.test(line))
        .slice(-saidLines)
        .map((line) => `${indent}  ${style.faint(clean(line, 68))}`)
      return [
        `${clock()}  ${style.failed('✗')} ${clean(itemName(event.item), 44)}, try ${event.item.attempt ?? 1}`,
        `${indent}  ${clean(event.error, 68)}`,
        ...(event.said.trim() === '' ? [] : said),
      ].join('\n')
    }
    case 'item-given-back':
      return `${clock()}  ${style.waiting('·')} ${clean(itemName(event.item), 40)} is given back\n${indent}  ${clean(event.reason, 68)}`
    case 'item-lost':
      return `${clock()}  ${style.waiting('·')} ${clean(itemName(event.item), 40)} went to another worker`
    case 'trouble':
      return `${clock()}  ${style.failed('✗')} ${clean(event.message, 68)}`
  }
}

/** Of what a failed item said, the end tells most. */
const saidLines = 8
