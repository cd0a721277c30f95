import { inspect } from 'node:util'
import { LoadRefused, PipelineError, redact } from '../index.ts'
import type { Due } from './decide.ts'
import type { Job } from './job.ts'
import { windowName, type Partition } from './partition.ts'
import type { RunOutcome } from './schedule-store.ts'

/** What is to be done of a job. */
export interface JobWork {
  run: string
  due: Pick<Due, 'interval' | 'attempt'>
  partition?: Partition | undefined
  signal: AbortSignal
  /** `sluice run` with these arguments; throws when it fails. */
  runTarget(args: readonly string[]): Promise<unknown>
}

/** Runs a job in this process; tells how it ended, and throws nothing. */
export async function runJob(job: Job, work: JobWork): Promise<RunOutcome> {
  const startedAt = performance.now()
  let failure: Pick<RunOutcome, 'error' | 'code' | 'refusedPackages'> | undefined
  try {
    await runWhat(job, work)
  } catch (cause) {
    const isKnown = cause instanceof PipelineError
    const [first] = redact(isKnown ? cause.summary : String((cause as Error)?.message ?? cause)).split('\n')
    failure = {
      error: first!,
      ...(isKnown ? { code: cause.code } : {}),
      ...(cause instanceof LoadRefused ? { refusedPackages: cause.info.refusedFacts } : {}),
    }
    console.error(
      isKnown
        ? `failed  ${redact(`${cause.summary}\n  fix: ${cause.fix}`)}`
        : redact(inspect(cause, { depth: 5 }), { byName: true }),
    )
  }
  return {
    outcome: failure === undefined ? 'success' : work.signal.aborted ? 'interrupted' : 'failure',
    endedAt: new Date().toISOString(),
    ms: Math.round(performance.now() - startedAt),
    ...failure,
  }
}

async function runWhat(job: Job, { run, due, partition, signal, runTarget }: JobWork): Promise<void> {
  const { run: target, args = [] } = job.options
  if (typeof target === 'string') {
    await runTarget([target, ...args, ...(partition === undefined ? [] : partOptions(partition))])
    return
  }
  const { interval, attempt } = due
  const stretch = interval === undefined ? undefined : { ...interval, name: windowName(interval.start, interval.end) }
  await target({
    job: job.name,
    run,
    interval: interval === undefined ? undefined : { start: new Date(interval.start), end: new Date(interval.end) },
    partition: partition ?? stretch,
    attempt,
    signal,
  })
}

const partOptions = ({ name, run = '', resources }: Partition): string[] => [
  '--partition',
  name,
  '--partition-run',
  run,
  ...(resources === undefined ? [] : ['--resources', resources.join(',')]),
]

/** Aborted when the process is asked to end. */
export function untilAsked(): AbortSignal {
  const abort = new AbortController()
  const stop = (): void => abort.abort(new PipelineError('interrupted', { code: 'ABORTED', fix: 'run it again' }))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return abort.signal
}
