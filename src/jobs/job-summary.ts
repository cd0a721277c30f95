import { lateSince, nextMoment, type JobState } from './decide.ts'
import type { Job } from './job.ts'

/** How a job stands, for those who only look: no code of it is needed to read this. */
export interface JobSummary {
  job: string
  /** In words: `every 1h`. */
  trigger: string
  status: 'running' | 'success' | 'failure' | 'never ran'
  /** When its last run ended, or the one that goes on began. */
  at?: string
  error?: string
  nextAt?: string
  lateSince?: string
}

export function jobSummary(job: Job, state: JobState, now: Date): JobSummary {
  const { last, running } = state
  const at = running?.startedAt ?? last?.endedAt
  const next = nextMoment(job, state)
  const late = lateSince(job, state, now)
  return {
    job: job.name,
    trigger: job.triggers.map(({ text }) => text).join('; ') || 'by hand',
    status: running === undefined ? (last?.outcome ?? 'never ran') : 'running',
    ...(at === undefined ? {} : { at }),
    ...(last?.error === undefined || running !== undefined ? {} : { error: last.error }),
    ...(next === undefined ? {} : { nextAt: next.toISOString() }),
    ...(late === undefined || running !== undefined ? {} : { lateSince: late.toISOString() }),
  }
}
