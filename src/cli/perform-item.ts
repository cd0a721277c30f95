import { readJobsFile, jobNamed } from '../jobs/jobs-file.ts'
import { runJob } from '../jobs/run-job.ts'
import type { RunOutcome } from '../jobs/schedule-store.ts'
import type { WorkItem } from '../workers/work-item.ts'

/** Does a work item in this process. */
export async function performItem(
  file: string,
  item: WorkItem,
  { signal, print }: { signal: AbortSignal; print(text: string): void },
): Promise<RunOutcome> {
  const job = jobNamed((await readJobsFile(file)).jobs, item.job)
  // What `sluice run` does ends in order by what a terminal sends.
  const interrupt = (): void => void process.emit('SIGINT')
  signal.addEventListener('abort', interrupt, { once: true })
  try {
    const { run, interval, partition, attempt = 1 } = item
    return await runJob(job, {
      run,
      due: { attempt, ...(interval === undefined ? {} : { interval }) },
      partition,
      signal,
      runTarget: async (args) => (await import('./commands/run.ts')).run([...args], print),
    })
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}
