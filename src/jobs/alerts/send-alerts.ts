import { basename, dirname, resolve } from 'node:path'
import { attach, expiringSecrets, listPipelines, type RunRecord } from '../../index.ts'
import { newState, type JobState } from '../decide.ts'
import type { Job } from '../job.ts'
import { toTell, type Alerts, type Told } from './alerts.ts'
import { openAlerts, type Alert, type JobRecord, type LoadedRun } from './conditions.ts'

const keptRuns = 25
const soonMs = 7 * 86_400_000

/** What is known of jobs, for alerts. */
export interface AlertFacts {
  jobs: readonly Job[]
  states: ReadonlyMap<string, JobState>
  /** Runs of the pipelines of a job, the newest first. */
  runsOf(job: Job): readonly LoadedRun[]
  /** The command that shows how a job went. */
  shownBy(job: Job): string
}

/** What channels were told, from one look to the next. */
export interface ToldStore {
  told(channel: string): Told
  writeTold(channel: string, told: Told): void
}

/** What is open now. */
export function currentAlerts({ jobs, states, runsOf, shownBy }: AlertFacts, now: Date): Alert[] {
  const records = jobs.map((job): JobRecord => {
    return { job, state: states.get(job.name) ?? newState(now), runs: runsOf(job), shownBy: shownBy(job) }
  })
  return openAlerts(records, expiringSecrets(new Date(now.getTime() + soonMs)), now)
}

/** A run that the schedule began says so in its command: `… schedule exec <file> <job> <run> …`. */
function begunBySchedule(run: RunRecord): { job: string | undefined; loaded: LoadedRun } {
  const { args } = run.command
  const at = args.indexOf('exec')
  const [job, jobRun = ''] = at > 0 && args[at - 1] === 'schedule' ? args.slice(at + 2) : []
  return { job, loaded: { ...run, jobRun } }
}

/** What jobs have run on this machine, of the last runs of all pipelines. */
export function runsOnThisMachine(): AlertFacts['runsOf'] {
  const all = listPipelines()
    .flatMap(({ name }) => attach(name, { readOnly: { timeoutMs: 1000 } }).runs(keptRuns))
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    .map(begunBySchedule)
  return ({ name }) => all.flatMap(({ job, loaded }) => (job === name ? [loaded] : []))
}

/**
 * Tells each channel what is new for it, and what is over; what could not be sent is sent the next time. Returns the errors of
 * channels.
 */
export async function sendAlerts(
  all: readonly Alerts[],
  facts: AlertFacts,
  { store, jobsFile, now = new Date() }: { store: ToldStore; jobsFile: string; now?: Date },
): Promise<Error[]> {
  const open = currentAlerts(facts, now)
  const project = basename(dirname(resolve(jobsFile)))
  const errors: Error[] = []
  for (const [index, one] of all.entries())
    for (const [at, channel] of one.channels.entries()) {
      const key = `${index} ${at} ${channel.name}`
      const { opened, closed, told } = toTell(one, open, store.told(key), now)
      if (opened.length === 0 && closed.length === 0) continue
      try {
        await channel.send({ project, opened, closed })
        store.writeTold(key, told)
      } catch (error) {
        errors.push(error as Error)
      }
    }
  return errors
}
