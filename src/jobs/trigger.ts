import { Cron } from 'croner'
import { PipelineError } from '../index.ts'
import { durationMs, type Duration } from './duration.ts'

/** When a job is to run. */
export type Trigger = TimeTrigger | AfterTrigger | ReceivedTrigger

/** Moments that follow one another. */
export interface TimeTrigger {
  kind: 'time'
  /** As it was written, for people. */
  text: string
  /** For hosts with a schedule of their own; absent where cron cannot say it. */
  cron?: { expression: string; timezone: string }
  /** The first tick after a moment; `undefined` when there is none. */
  next(after: Date): Date | undefined
  /** The last tick up to a moment, the moment included. */
  last(upTo: Date): Date | undefined
}

export type Outcome = 'success' | 'failure' | 'completed'

export interface AfterTrigger {
  kind: 'after'
  readonly text: string
  job: { readonly name: string }
  outcome: Outcome
}

/** Something that was sent to an address of `sluice serve`. */
export interface ReceivedTrigger {
  kind: 'received'
  readonly text: string
  inbox: string
}

/**
 * By a cron expression of five fields, or six with seconds, in a time zone. On the day that a clock is set forward, a time that
 * does not exist is the first one after it; on the day that it is set back, a time that comes twice counts once.
 */
export function cron(expression: string, { timezone = 'UTC' }: { timezone?: string } = {}): TimeTrigger {
  let pattern: Cron
  try {
    pattern = new Cron(expression, { timezone, paused: true })
    pattern.nextRun()
  } catch (cause) {
    throw new PipelineError(`cron: "${expression}" in ${timezone} cannot be read: ${(cause as Error).message}`, {
      code: 'WRONG_USE',
      fix: "write five fields and a time zone: cron('15 6 * * 1-5', { timezone: 'Europe/Berlin' })",
      cause,
    })
  }
  return {
    kind: 'time',
    text: timezone === 'UTC' ? expression : `${expression} ${timezone}`,
    cron: { expression, timezone },
    next: (after) => pattern.nextRun(after) ?? undefined,
    // Its own search backwards leaves out the moment itself.
    last: (upTo) => pattern.previousRuns(1, new Date(upTo.getTime() + 1))[0],
  }
}

/** Each time that a duration has passed, counted from a moment. */
export function every(duration: Duration, { from = '1970-01-01T00:00:00Z' }: { from?: string } = {}): TimeTrigger {
  const ms = durationMs(duration, 'every')
  const anchor = Date.parse(from)
  if (Number.isNaN(anchor))
    throw new PipelineError(`every: "${from}" is no moment`, {
      code: 'WRONG_USE',
      fix: 'write it as 2025-01-31T06:00:00Z',
    })
  const at = (count: number): Date => new Date(anchor + count * ms)
  return {
    kind: 'time',
    text: `every ${duration}`,
    ...asCron(ms, anchor),
    next: (after) => at(Math.floor((after.getTime() - anchor) / ms) + 1),
    last: (upTo) => at(Math.floor((upTo.getTime() - anchor) / ms)),
  }
}

/** A duration as cron says it: parts of an hour or a day that come out even. */
function asCron(ms: number, anchor: number): Pick<TimeTrigger, 'cron'> {
  const [minutes, hours] = [ms / 60_000, ms / 3_600_000]
  const expression =
    anchor % 86_400_000 !== 0
      ? undefined
      : Number.isInteger(minutes) && 60 % minutes === 0
        ? minutes === 60
          ? '0 * * * *'
          : `*/${minutes} * * * *`
        : Number.isInteger(hours) && 24 % hours === 0
          ? hours === 24
            ? '0 0 * * *'
            : `0 */${hours} * * *`
          : undefined
  return expression === undefined ? {} : { cron: { expression, timezone: 'UTC' } }
}

/** Once, at a moment. */
export function at(moment: string): TimeTrigger {
  const time = new Date(moment)
  if (Number.isNaN(time.getTime()))
    throw new PipelineError(`at: "${moment}" is no moment`, {
      code: 'WRONG_USE',
      fix: 'write it as 2025-01-31T06:00:00Z',
    })
  return {
    kind: 'time',
    text: `at ${time.toISOString()}`,
    next: (after) => (after < time ? time : undefined),
    last: (upTo) => (upTo >= time ? time : undefined),
  }
}

/** When another job has ended so. */
export const after = (job: { readonly name: string }, outcome: Outcome = 'success'): AfterTrigger => ({
  kind: 'after',
  // Jobs have their names only once the file is read.
  get text() {
    return `after ${outcome === 'completed' ? '' : `${outcome} of `}${job.name}`
  },
  job,
  outcome,
})

/** When webhooks have come in under a name: `job({ run: 'inbox:chatlio', trigger: received('chatlio') })`. */
export const received = (inbox: string): ReceivedTrigger => ({
  kind: 'received',
  text: `webhooks of ${inbox}`,
  inbox,
})
