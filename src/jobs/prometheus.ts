import { lateSince, nextMoment, newState, type JobState } from './decide.ts'
import type { Job } from './job.ts'

type Value = number | undefined

/** What Prometheus asks of a job: its name, what it is, and its value. */
const metrics: readonly (readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  value: (job: Job, state: JobState, now: Date) => Value,
])[] = [
  ['sluice_job_runs_succeeded_total', 'counter', 'Runs that succeeded', (_, { successes }) => successes],
  ['sluice_job_runs_failed_total', 'counter', 'Runs whose tries were all in vain', (_, { failed }) => failed],
  ['sluice_job_failures', 'gauge', 'Tries of the next run that have failed', (_, { failures }) => failures],
  ['sluice_job_running', 'gauge', '1 while it runs', (_, { running }) => (running === undefined ? 0 : 1)],
  [
    'sluice_job_late',
    'gauge',
    '1 while it is late',
    (job, state, now) => (lateSince(job, state, now) === undefined ? 0 : 1),
  ],
  [
    'sluice_job_last_success_timestamp_seconds',
    'gauge',
    'When it succeeded last',
    (_, { lastSuccess }) => seconds(lastSuccess),
  ],
  [
    'sluice_job_last_duration_seconds',
    'gauge',
    'How long its last run took',
    (_, { last }) => (last === undefined ? undefined : last.ms / 1000),
  ],
  [
    'sluice_job_next_run_timestamp_seconds',
    'gauge',
    'When it is due next',
    (job, state) => seconds(nextMoment(job, state)?.toISOString()),
  ],
]

const seconds = (moment: string | undefined): Value => (moment === undefined ? undefined : Date.parse(moment) / 1000)

/** The states of jobs in the text format of Prometheus. */
export function prometheusText(jobs: readonly Job[], states: ReadonlyMap<string, JobState>, now: Date): string {
  return metrics
    .flatMap(([name, type, help, valueOf]) => {
      const lines = jobs.flatMap((job) => {
        const value = valueOf(job, states.get(job.name) ?? newState(now), now)
        return value === undefined ? [] : [`${name}{job="${job.name}"} ${value}`]
      })
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
    })
    .join('\n')
    .concat('\n')
}
