import { PipelineError } from '../index.ts'
import type { Partition } from '../jobs/index.ts'

/** A piece of work of its own: a job, or one part of it. As JSON it goes through the queue, or to `sluice run --work-item`. */
export interface WorkItem {
  job: string
  /** The run of the job that it belongs to. */
  run: string
  partition?: Partition
  interval?: { start: string; end: string }
  /** 1 for the first try. @default 1 */
  attempt?: number
}

/** Reads a work item that came from elsewhere. */
export function parseWorkItem(text: string): WorkItem {
  const wrong = (message: string): PipelineError =>
    new PipelineError(`work item: ${message}`, {
      code: 'WRONG_USE',
      fix: 'give one that sluice worker items prints: {"job":"backfill","run":"…","partition":{"name":"2025-01-31"}}',
    })
  let item: WorkItem
  try {
    item = JSON.parse(text) as WorkItem
  } catch (cause) {
    throw wrong(`it is no JSON: ${(cause as Error).message}`)
  }
  if (typeof item !== 'object' || item === null || typeof item.job !== 'string') throw wrong('it names no job')
  const { partition, interval, attempt = 1 } = item
  if (partition !== undefined && typeof partition.name !== 'string') throw wrong('its part has no name')
  const moments = interval === undefined ? [] : [interval.start, interval.end]
  if (moments.some((moment) => Number.isNaN(Date.parse(moment)))) throw wrong('its interval has no start and end')
  if (!Number.isInteger(attempt) || attempt < 1) throw wrong('its attempt is no number from 1 on')
  return { ...item, run: item.run ?? 'by hand', attempt }
}

/** How people call it: `backfill 2025-01-31`. */
export function itemName({ job, partition, interval }: WorkItem): string {
  if (partition !== undefined) return `${job} ${partition.name}`
  return interval === undefined ? job : `${job} ${interval.start.slice(0, 16)}`
}
