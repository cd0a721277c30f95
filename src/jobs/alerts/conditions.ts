import type { RunRecord } from '../../index.ts'
import { lateSince, type JobState } from '../decide.ts'
import type { Job } from '../job.ts'

// What is worth telling, worked out from what is on record.

export const alertKinds = ['failed', 'late', 'zero rows', 'volume', 'schema change', 'contract', 'credentials'] as const
export type AlertKind = (typeof alertKinds)[number]

export interface Alert {
  kind: AlertKind
  /** The same as long as it is about the same thing: what is open is told once. */
  id: string
  /** One line. */
  text: string
  fix?: string
  /** It happened, and cannot be over later. */
  isEvent?: boolean
}

/** What a run of a pipeline has loaded, in a run of a job. */
export interface LoadedRun extends Pick<RunRecord, 'id' | 'pipeline' | 'status' | 'tables' | 'changes' | 'error'> {
  jobRun: string
}

/** A job with what is on record of it: its last runs of pipelines, the newest first. */
export interface JobRecord {
  job: Job
  state: JobState
  runs: readonly LoadedRun[]
  /** The command that shows how it went. */
  shownBy: string
}

export interface ExpiringSecret {
  key: string
  expiresAt: Date
}

/** Everything that is open at a moment. */
export function openAlerts(records: readonly JobRecord[], expiring: readonly ExpiringSecret[], now: Date): Alert[] {
  return [
    ...records.flatMap((record) => [...failed(record), ...late(record, now), ...aboutData(record)]),
    ...expiring.map(({ key, expiresAt }) => credentials(key, expiresAt, now)),
  ]
}

function failed({ job, state, runs }: JobRecord): Alert[] {
  const { last } = state
  // A first failure that is tried again is nothing to wake somebody for.
  const isOver = last?.outcome === 'failure' && (state.failures === 0 || state.failures > job.retries)
  if (!isOver) return []
  const error = runs.find(({ jobRun, error: one }) => jobRun === last.run && one !== undefined)?.error
  const isContract = error?.code === 'CONTRACT_VIOLATED'
  const kind = isContract ? 'contract' : 'failed'
  const what = (isContract ? error.message.split('\n')[0] : last.error) ?? 'its run failed'
  return [
    {
      kind,
      id: `${kind} ${job.name}`,
      text: `${job.name} failed: ${what}`,
      ...(error === undefined ? {} : { fix: error.fix }),
    },
  ]
}

function late({ job, state, shownBy }: JobRecord, now: Date): Alert[] {
  const since = lateSince(job, state, now)
  if (since === undefined || state.running !== undefined) return []
  return [
    {
      kind: 'late',
      id: `late ${job.name}`,
      text: `${job.name} is late since ${minute(since)} UTC`,
      fix: `look at it: ${shownBy}`,
    },
  ]
}

const minute = (moment: Date): string => moment.toISOString().slice(0, 16).replace('T', ' ')

/** Of the newest run that ended well, against those before it. */
function aboutData({ job, runs }: JobRecord): Alert[] {
  const byPipeline = Map.groupBy(
    runs.filter(({ status }) => status === 'done'),
    ({ pipeline }) => pipeline,
  )
  return [...byPipeline.values()].flatMap(([newest, ...before]) => [
    ...schemaChange(job, newest!),
    ...volumes(job, newest!, before),
  ])
}

function schemaChange({ name }: Job, run: LoadedRun): Alert[] {
  const columns = run.changes.flatMap(({ table, created, columns: all }) =>
    created ? [`table ${table}`] : all.map(({ name: column, dataType }) => `${table}.${column} ${dataType}`),
  )
  if (columns.length === 0) return []
  const shown = columns.slice(0, 8).join(', ')
  const more = columns.length > 8 ? ` and ${columns.length - 8} more` : ''
  return [
    {
      kind: 'schema change',
      id: `schema ${name} ${run.id}`,
      text: `${name} has new columns: ${shown}${more}`,
      isEvent: true,
    },
  ]
}

/** Fewer runs than these say nothing of what is usual. */
const fewestRuns = 5
const fewestRows = 100
const oddFactor = 5

function volumes({ name }: Job, run: LoadedRun, before: readonly LoadedRun[]): Alert[] {
  const earlier = before.slice(0, 20)
  if (earlier.length < fewestRuns) return []
  const rowsOf = ({ tables }: LoadedRun): number => Object.values(tables).reduce((sum, rows) => sum + rows, 0)
  const sorted = earlier.map(rowsOf).sort((a, b) => a - b)
  const usual = sorted[Math.floor(sorted.length / 2)]!
  const rows = rowsOf(run)
  const at = `${name} ${run.pipeline}`
  if (rows === 0 && sorted[0]! > 0)
    return [
      {
        kind: 'zero rows',
        id: `zero ${at}`,
        text: `${name} loaded no row; it used to load ${number(usual)}`,
        fix: `sluice pipeline ${run.pipeline} explain`,
      },
    ]
  if (usual >= fewestRows && (rows < usual / oddFactor || rows > usual * oddFactor))
    return [
      {
        kind: 'volume',
        id: `volume ${at}`,
        text: `${name} loaded ${number(rows)} rows; it used to load ${number(usual)}`,
        fix: `sluice pipeline ${run.pipeline} compare`,
      },
    ]
  return []
}

const number = (value: number): string => value.toLocaleString('en-US')

function credentials(key: string, expiresAt: Date, now: Date): Alert {
  const isOver = expiresAt <= now
  return {
    kind: 'credentials',
    id: `credentials ${key}`,
    text: `${key} ${isOver ? 'has expired' : 'expires'} at ${minute(expiresAt)} UTC`,
    fix: `get a new one, then: sluice secrets set ${key}`,
  }
}
