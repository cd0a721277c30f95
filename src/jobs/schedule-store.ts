import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { removeDrafts, replaceFile } from '../disk/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { dataDir, PipelineError, type RefusedFacts } from '../index.ts'
import { isRunning as isRunningProcess, lockFolder, ownIdentity, type ProcessIdentity } from '../locks/index.ts'
import type { Told } from './alerts/alerts.ts'
import type { JobState } from './decide.ts'
import type { JobSummary } from './job-summary.ts'

/** How a run of a job ended, as its own process wrote it down. */
export interface RunOutcome {
  outcome: 'success' | 'failure' | 'interrupted'
  endedAt: string
  ms: number
  error?: string
  /** The error's code, where it has one. */
  code?: string
  /** Packages that the destination refused, where that is why it failed. */
  refusedPackages?: RefusedFacts[]
}

const keptRuns = 200

/** What is kept of the jobs of one file: their states, and the outcomes and logs of their runs. */
export class ScheduleStore {
  readonly folder: string

  constructor(jobsFile: string) {
    const real = realpathSync(jobsFile)
    const id = createHash('sha256').update(real).digest('hex').slice(0, 8)
    this.folder = join(dataDir(), 'schedules', `${basename(dirname(real))}-${id}`.replace(/[^\w.-]/g, '_'))
  }

  /** One scheduler at a time. */
  lock(): Disposable {
    const lock = lockFolder(
      this.folder,
      (pid) =>
        new PipelineError(`another scheduler runs these jobs already (process ${pid})`, {
          code: 'PIPELINE_BUSY',
          recovery: 'retry',
          fix: 'end that one first; sluice schedule list shows what it does',
        }),
    )
    try {
      for (const folder of [this.folder, join(this.folder, 'runs')]) removeDrafts(folder)
      return lock
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  }

  read(): Map<string, JobState> {
    const path = join(this.folder, 'state.json')
    if (!existsSync(path)) return new Map()
    return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, JobState>))
  }

  write(states: ReadonlyMap<string, JobState>): void {
    writeDurably(join(this.folder, 'state.json'), JSON.stringify(Object.fromEntries(states), null, 2))
  }

  logPath(run: string): string {
    mkdirSync(join(this.folder, 'runs'), { recursive: true, mode: 0o700 })
    return join(this.folder, 'runs', `${run}.log`)
  }

  /** A run says which process it is. */
  writeIdentity(run: string): void {
    this.logPath(run)
    writeDurably(join(this.folder, 'runs', `${run}.process.json`), JSON.stringify(ownIdentity))
  }

  identity(run: string): ProcessIdentity | undefined {
    const path = join(this.folder, 'runs', `${run}.process.json`)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity) : undefined
  }

  writeOutcome(run: string, outcome: RunOutcome): void {
    this.logPath(run)
    writeDurably(join(this.folder, 'runs', `${run}.json`), JSON.stringify(outcome))
  }

  /** `undefined` when its process ended without a word. */
  outcome(run: string): RunOutcome | undefined {
    const path = join(this.folder, 'runs', `${run}.json`)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunOutcome) : undefined
  }

  /** The ids of a job's runs, the newest first. */
  runsOf(job: string): string[] {
    const folder = join(this.folder, 'runs')
    const files = existsSync(folder) ? readdirSync(folder) : []
    return files
      .filter((file) => file.endsWith('.log') && file.slice(0, -'.log'.length).endsWith(`-${job}`))
      .map((file) => file.slice(0, -'.log'.length))
      .sort()
      .toReversed()
  }

  /** For those who only look. */
  writeSummary(file: string, jobs: readonly JobSummary[]): void {
    const summary: StoredSummary = { file: realpathSync(file), process: ownIdentity, jobs: [...jobs] }
    writeDurably(join(this.folder, 'summary.json'), JSON.stringify(summary, null, 2))
  }

  /** What a channel of alerts was told. */
  told(channel: string): Told {
    return this.allTold()[channel] ?? {}
  }

  writeTold(channel: string, told: Told): void {
    writeDurably(join(this.folder, 'alerts.json'), JSON.stringify({ ...this.allTold(), [channel]: told }, null, 2))
  }

  private allTold(): Record<string, Told> {
    const path = join(this.folder, 'alerts.json')
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Told>) : {}
  }

  /** Old logs go, so that a schedule of every minute does not fill the disk. */
  prune(job: string): void {
    for (const run of this.runsOf(job).slice(keptRuns))
      for (const ending of ['log', 'json', 'process.json'])
        rmSync(join(this.folder, 'runs', `${run}.${ending}`), { force: true })
  }
}

interface StoredSummary {
  file: string
  process: ProcessIdentity
  jobs: JobSummary[]
}

/** A schedule of this machine, as it last said. */
export interface ScheduleSummary {
  /** The file that declares its jobs. */
  file: string
  /** Its process is there. */
  isRunning: boolean
  jobs: JobSummary[]
}

/** A moment that has passed by this much without a run is late, whether or not anybody is there to say so. */
const overdueMs = 5 * 60_000

export function listSchedules(now = new Date()): ScheduleSummary[] {
  const folder = join(dataDir(), 'schedules')
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name, 'summary.json')
    if (!existsSync(path)) return []
    const { file, process: scheduler, jobs } = JSON.parse(readFileSync(path, 'utf8')) as StoredSummary
    const isRunning = isRunningProcess(scheduler)
    return [{ file, isRunning, jobs: isRunning ? jobs : jobs.map((job) => abandoned(job, now)) }]
  })
}

function abandoned(job: JobSummary, now: Date): JobSummary {
  const isOverdue = job.nextAt !== undefined && now.getTime() - Date.parse(job.nextAt) > overdueMs
  return isOverdue && job.lateSince === undefined ? { ...job, lateSince: job.nextAt! } : job
}

/** Readers see the old text or the new one, and so does the machine after a loss of power. */
function writeDurably(path: string, text: string): void {
  replaceFile(path, text, { durable: true, drafted: () => failpoint('schedule-drafted') })
  failpoint('schedule-written')
}
