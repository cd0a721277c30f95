import type { Job } from './job.ts'
import type { TimeTrigger } from './trigger.ts'

// What is to be run at a moment: worked out from the jobs and from what is kept of them, with no clock and no disk.

/** What is kept of a job. Moments as ISO 8601 in UTC. */
export interface JobState {
  /** When the scheduler saw it first: ticks count from then. */
  firstSeen: string
  /** Up to this tick everything is done, or given up. */
  doneUntil?: string
  /** How often the next run of it has failed. */
  failures: number
  /** Not before this. */
  retryAt?: string
  /** How often it has ended so: what jobs after it count. */
  successes: number
  failed: number
  /** Of jobs that this one comes after, how many of their ends it has answered; of inboxes, up to which mark. */
  seen: Record<string, number>
  running?: RunningJob
  lastSuccess?: string
  last?: { run: string; outcome: 'success' | 'failure'; endedAt: string; ms: number; error?: string }
}

export interface RunningJob {
  run: string
  startedAt: string
  pid: number
  started: string
  due: Due
}

/** A run that is to begin. */
export interface Due {
  /** The tick that it is for; absent for a run after another job, or one that was asked for. */
  tick?: string
  interval?: { start: string; end: string }
  /** Ticks before this one that it makes up for. */
  missed?: number
  attempt: number
  /** What was counted of the jobs before it. */
  seen?: Record<string, number>
}

export const newState = (now: Date): JobState => ({
  firstSeen: now.toISOString(),
  failures: 0,
  successes: 0,
  failed: 0,
  seen: {},
})

/** The run of a job that is due at a moment; `undefined` when none is. `marks`: how far inboxes have come. */
export function dueRun(
  job: Job,
  states: ReadonlyMap<string, JobState>,
  now: Date,
  marks: ReadonlyMap<string, number> = new Map(),
): Due | undefined {
  const state = states.get(job.name)!
  if (state.running !== undefined) return undefined
  if (state.retryAt !== undefined && Date.parse(state.retryAt) > now.getTime()) return undefined
  const due = timeDue(job, state, now) ?? afterDue(job, states, marks)
  return due === undefined ? undefined : { ...due, attempt: state.failures + 1 }
}

type Cause = Omit<Due, 'attempt'>

const timeOf = ({ triggers }: Job): TimeTrigger | undefined => triggers.find((one) => one.kind === 'time')

function timeDue(job: Job, state: JobState, now: Date): Cause | undefined {
  const trigger = timeOf(job)
  if (trigger === undefined) return undefined
  if (job.start !== undefined) return intervalDue(trigger, job.start, state, now)
  const from = new Date(state.doneUntil ?? state.firstSeen)
  const first = trigger.next(from)
  if (first === undefined || first > now) return undefined
  const tick = trigger.last(now) ?? first
  if (job.options.catchUp === false && now.getTime() - tick.getTime() > graceMs) return undefined
  return { tick: tick.toISOString(), ...(tick > first ? { missed: ticksBetween(trigger, from, tick) } : {}) }
}

/** A tick that is longer ago than this was missed. */
const graceMs = 60_000
const countedTicks = 10_000

function ticksBetween(trigger: TimeTrigger, from: Date, tick: Date): number {
  let count = 0
  for (let at = trigger.next(from); at !== undefined && at < tick && count < countedTicks; at = trigger.next(at))
    count += 1
  return count
}

/** The next interval, once its end has come. */
function intervalDue(trigger: TimeTrigger, begin: Date, { doneUntil }: JobState, now: Date): Cause | undefined {
  const start = doneUntil === undefined ? begin : new Date(doneUntil)
  const end = trigger.next(start)
  if (end === undefined || end > now) return undefined
  return { tick: end.toISOString(), interval: { start: start.toISOString(), end: end.toISOString() } }
}

/** One run for however many ends of the jobs before it, and webhooks, that were not answered yet. */
function afterDue(
  { triggers, name }: Job,
  states: ReadonlyMap<string, JobState>,
  marks: ReadonlyMap<string, number>,
): Cause | undefined {
  const { seen } = states.get(name)!
  const counts: Record<string, number> = {}
  let isDue = false
  for (const trigger of triggers) {
    if (trigger.kind === 'time') continue
    const [key, count] =
      trigger.kind === 'received'
        ? [`inbox ${trigger.inbox}`, marks.get(trigger.inbox) ?? 0]
        : [`${trigger.job.name} ${trigger.outcome}`, endsOf(states.get(trigger.job.name), trigger.outcome)]
    counts[key] = count
    const before = seen[key] ?? 0
    // An inbox whose folder was lost or restored counts from less than before.
    if (trigger.kind === 'received' ? count !== before : count > before) isDue = true
  }
  return isDue ? { seen: counts } : undefined
}

function endsOf(state: JobState | undefined, outcome: 'success' | 'failure' | 'completed'): number {
  const { successes = 0, failed = 0 } = state ?? {}
  return { success: successes, failure: failed, completed: successes + failed }[outcome]
}

export interface Ended {
  outcome: 'success' | 'failure'
  endedAt: Date
  ms: number
  error?: string
}

/** The state after a run has ended. */
export function afterRun(job: Job, state: JobState, { outcome, endedAt, ms, error }: Ended): JobState {
  const { running, retryAt: _, ...rest } = state
  const { due, run } = running!
  const last = { run, outcome, endedAt: endedAt.toISOString(), ms, ...(error === undefined ? {} : { error }) }
  const dealt = {
    ...(due.tick === undefined ? {} : { doneUntil: due.tick }),
    ...(due.seen === undefined ? {} : { seen: { ...state.seen, ...due.seen } }),
  }
  if (outcome === 'success') {
    return { ...rest, ...dealt, last, failures: 0, successes: state.successes + 1, lastSuccess: last.endedAt }
  }
  const failures = state.failures + 1
  const isOver = failures > job.retries
  // An interval is never given up: what comes after it would have a gap before it.
  if (isOver && due.interval === undefined) return { ...rest, ...dealt, last, failures: 0, failed: state.failed + 1 }
  const wait = Math.min(job.retryWaitMs * 2 ** (failures - 1), longestWaitMs)
  return {
    ...rest,
    last,
    failures,
    failed: state.failed + (failures === job.retries + 1 ? 1 : 0),
    retryAt: new Date(endedAt.getTime() + wait).toISOString(),
  }
}

const longestWaitMs = 3_600_000

/** When something may be due next; `undefined` when only another job, or a person, can bring it. */
export function nextMoment(job: Job, state: JobState): Date | undefined {
  if (state.running !== undefined) return undefined
  const tick = timeOf(job)?.next(new Date(state.doneUntil ?? job.start ?? state.firstSeen))
  if (state.retryAt === undefined) return tick
  const retry = new Date(state.retryAt)
  return tick === undefined || retry > tick ? retry : tick
}

/** Since when a job is late: a tick was not answered, or its data is older than it should be. */
export function lateSince(job: Job, state: JobState, now: Date): Date | undefined {
  const { freshnessMs } = job
  const aged =
    freshnessMs === undefined ? undefined : new Date(Date.parse(state.lastSuccess ?? state.firstSeen) + freshnessMs)
  const tick = timeOf(job)?.next(new Date(state.doneUntil ?? job.start ?? state.firstSeen))
  const overdue = tick === undefined ? undefined : new Date(tick.getTime() + overdueMs)
  const since = [aged, overdue]
    .filter((one) => one !== undefined && one <= now)
    .sort((a, b) => a!.getTime() - b!.getTime())
  return since[0]
}

/** A run that begins a little after its tick is not late. */
const overdueMs = 5 * 60_000
