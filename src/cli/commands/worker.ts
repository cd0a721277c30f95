import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { PipelineError, redact, secret, settingValue } from '../../index.ts'
import { shareRateBudgets } from '../../sources/rest/index.ts'
import { newState, type JobState } from '../../jobs/decide.ts'
import type { Job } from '../../jobs/job.ts'
import type { Told } from '../../jobs/alerts/alerts.ts'
import { currentAlerts, sendAlerts, type AlertFacts } from '../../jobs/alerts/send-alerts.ts'
import { prometheusText } from '../../jobs/prometheus.ts'
import { jobNamed, readJobsFile, standardJobsFile, type JobsFile } from '../../jobs/jobs-file.ts'
import { jobSummary } from '../../jobs/job-summary.ts'
import { partitionsOf } from '../../jobs/partition.ts'
import { serveItems } from '../../workers/executor.ts'
import { itemOptions, itemsOf, JobClock } from '../../workers/job-clock.ts'
import { postgresBudgets } from '../../workers/rate-budget.ts'
import { itemName } from '../../workers/work-item.ts'
import { WorkQueue } from '../../workers/work-queue.ts'
import { Worker } from '../../workers/worker.ts'
import { count, clean, plural, style, table } from '../style.ts'
import { done, failed, parseCommand, printJson, program, type CommandResult } from '../command.ts'
import { performItem } from '../perform-item.ts'
import { serveMetrics } from '../serve-metrics.ts'
import { alertsText, jobRow, minute } from '../schedule-text.ts'
import { workerText } from '../worker-text.ts'

const usage = `
sluice worker                does work items, and begins jobs that are due,
                             until it is ended; on any number of machines
sluice worker add <job>      begins a job now; its parts become items
         [--again]           also those that were loaded already
         [--wait]            until they are all through
sluice worker list           jobs, and their items
sluice worker dead           items whose tries are used up
sluice worker retry [id…]    has them tried again, all or some
sluice worker alerts         what is open now; sends nothing
sluice worker items <job>    prints the items of a job, for
         [--index <n>]       sluice run --work-item, or one of them

  --queue <url>      a PostgreSQL database     [workers.queue of the secrets]
  --file <path>      the file with the jobs    [sluice.jobs.ts]
  --parallel <n>     items at the same time    [2]
  --heartbeat <s>    of items that are added: silent for so long, a worker
                     has lost them             [30]
  --no-clock         does items, begins no job, and sends no alerts
  --metrics <port>   answers Prometheus at /metrics; 0.0.0.0:9464 from elsewhere
  --until-done       ends when nothing is left
  --json             output as JSON; of a worker, a line for each event
`

export async function run(args: string[]): Promise<CommandResult> {
  if (args[0] === 'exec') return exec(args[1]!, process.env.SLUICE_WORKER_QUEUE!)
  const parsed = parseCommand(args, usage, {
    queue: { type: 'string' },
    file: { type: 'string' },
    parallel: { type: 'string' },
    heartbeat: { type: 'string' },
    index: { type: 'string' },
    again: { type: 'boolean' },
    wait: { type: 'boolean' },
    'no-clock': { type: 'boolean' },
    metrics: { type: 'string' },
    'until-done': { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action = 'start', ...rest] = positionals
  const file = values.file ?? standardJobsFile
  const json = values.json === true
  const { jobs, alerts } = await readJobsFile(file)
  const local = jobs.find(({ triggers }) => triggers.some(({ kind }) => kind === 'received'))
  if (local !== undefined && action === 'start') {
    throw new PipelineError(`job ${local.name} begins by webhooks, which only the machine of sluice serve has`, {
      code: 'WRONG_USE',
      fix: 'run it there by sluice schedule, from a file of its own: --file webhooks.jobs.ts',
    })
  }
  if (action === 'items') return printItems(jobNamed(jobs, rest[0]), values.index)
  const actions: Record<string, (queue: WorkQueue) => Promise<CommandResult>> = {
    start: (queue) =>
      work(file, { jobs, alerts }, queue, {
        url,
        parallel: wholeNumber('--parallel', values.parallel ?? '2'),
        keepsClock: values['no-clock'] !== true,
        untilDone: values['until-done'] === true,
        metrics: values.metrics,
        json,
      }),
    add: (queue) =>
      add(jobNamed(jobs, rest[0]), queue, { again: values.again === true, wait: values.wait === true, json }),
    list: (queue) => list(jobs, queue, json),
    dead: (queue) => listDead(queue, json),
    retry: (queue) => retry(jobs, queue, rest),
    alerts: (queue) => alertsNow(jobs, queue, json),
  }
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (act === undefined) {
    throw new PipelineError(`worker: there is no action "${action}"`, {
      code: 'WRONG_USE',
      fix: 'use one of: add, list, dead, retry, alerts, items; or nothing, to work',
    })
  }
  const url = values.queue ?? queueUrl()
  const queue = await openQueue(url, wholeNumber('--heartbeat', values.heartbeat ?? '30'), action === 'start')
  try {
    return await act(queue)
  } finally {
    await queue.close()
  }
}

/** A worker waits for a database that is not there yet; whoever asks for something wants to know. */
async function openQueue(url: string, heartbeatSeconds: number, waits: boolean): Promise<WorkQueue> {
  for (;;) {
    try {
      return await WorkQueue.open(url, {
        heartbeatSeconds,
        onError: (error) => console.error(style.faint(`queue: ${clean(redact(error.message), 70)}`)),
      })
    } catch (error) {
      const isLost = error instanceof PipelineError ? error.recovery === 'retry' : isConnectionLost(error)
      if (!waits || !isLost) throw error
      console.error(`${style.failed('✗')} ${clean(redact((error as Error).message), 76)}`)
      await sleep(reopenMs)
    }
  }
}
const reopenMs = 2000

const isConnectionLost = (error: unknown): boolean =>
  /^(57P0\d|08\w{3}|ECONN\w+)$/.test(String((error as { code?: unknown }).code)) ||
  /connection terminated|connection timeout/i.test((error as Error).message)

const queueUrl = (): string => settingValue(secret('queue'), 'workers')

function wholeNumber(option: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new PipelineError(`${option} ${text}`, { code: 'WRONG_USE', fix: `give a whole number: ${option} 4` })
}

const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))

async function work(
  file: string,
  { jobs, alerts }: Pick<JobsFile, 'jobs' | 'alerts'>,
  queue: WorkQueue,
  {
    url,
    parallel,
    keepsClock,
    untilDone,
    metrics,
    json,
  }: {
    metrics: string | undefined
    url: string
    parallel: number
    keepsClock: boolean
    untilDone: boolean
    json: boolean
  },
): Promise<CommandResult> {
  let failures = 0
  const worker = new Worker(jobs, queue, {
    parallel,
    keepsClock,
    untilDone,
    ...(alerts.length === 0 ? {} : { look: () => tellAlerts(queue, alerts, jobs, file) }),
    command: [main, 'worker', 'exec', file],
    // Not among the arguments, which any process may read.
    environment: { SLUICE_WORKER_QUEUE: url },
    emit(event) {
      if (event.type === 'item-failed') failures += 1
      if (json) console.log(JSON.stringify({ at: new Date().toISOString(), ...event }))
      else {
        const line = workerText(event)
        if (line !== undefined) console.log(line)
      }
    },
  })
  const served =
    metrics === undefined
      ? undefined
      : await serveMetrics(metrics, async () => prometheusText(jobs, await queue.jobStates(), new Date()))
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  if (served !== undefined && !json) console.log(`metrics at ${served.url}`)
  if (!json) {
    console.log(`${plural(jobs.length, 'job')} of ${file}, ${plural(parallel, 'item')} at the same time`)
    console.log(style.faint('Ctrl-C gives back what is not through\n'))
  }
  await worker.run(abort.signal)
  served?.close()
  return untilDone && failures > 0 ? failed : done
}

/** By one worker for all. */
async function tellAlerts(
  queue: WorkQueue,
  alerts: JobsFile['alerts'],
  jobs: readonly Job[],
  file: string,
): Promise<void> {
  await queue.telling(async (told) => {
    const store = {
      told: (channel: string) => told.get(channel) ?? {},
      writeTold: (channel: string, what: Told) => void told.set(channel, what),
    }
    const errors = await sendAlerts(alerts, await factsOf(jobs, queue), { store, jobsFile: file })
    // Sent with the next look.
    for (const { message } of errors) console.error(redact(message))
  })
}

/** What jobs have come to, on all workers together. */
async function factsOf(jobs: readonly Job[], queue: WorkQueue): Promise<AlertFacts> {
  const [states, loaded] = [await queue.jobStates(), await queue.loadedRuns(jobs)]
  return { jobs, states, runsOf: ({ name }) => loaded.get(name) ?? [], shownBy: () => 'sluice worker list' }
}

async function alertsNow(jobs: readonly Job[], queue: WorkQueue, json: boolean): Promise<CommandResult> {
  const open = currentAlerts(await factsOf(jobs, queue), new Date())
  if (json) printJson(open)
  else console.log(alertsText(open))
  return done
}

/** In the process that does items. */
async function exec(file: string, queue: string): Promise<CommandResult> {
  shareRateBudgets(await postgresBudgets(queue))
  serveItems((item, signal) => performItem(file, item, { signal, print: console.log }))
  return new Promise(() => undefined)
}

const pollMs = 500

async function add(
  job: Job,
  queue: WorkQueue,
  { again, wait, json }: { again: boolean; wait: boolean; json: boolean },
): Promise<CommandResult> {
  const clock = new JobClock([job], queue, () => undefined)
  const run = await clock.beginNow(job, { again })
  if (run === undefined) {
    throw new PipelineError(`${job.name} runs already`, {
      code: 'PIPELINE_BUSY',
      recovery: 'retry',
      fix: `see how far it is: ${program} worker list`,
    })
  }
  const items = (await queue.run(run))!.items
  if (!wait) {
    if (json) printJson({ run, items })
    else console.log(`${plural(items, 'item')} of ${job.name} wait for a worker: ${program} worker`)
    return done
  }
  for (;;) {
    // With no other worker's clock, this one sees the end.
    await clock.tick()
    const state = (await queue.run(run))!
    if (process.stdout.isTTY && !json) process.stdout.write(`\r${count(state.done)} of ${plural(items, 'item')}`)
    if (state.endedAt !== undefined) {
      if (json) printJson(state)
      else console.log(`\r${count(state.done)} of ${plural(items, 'item')} of ${job.name} are through`)
      return state.done >= items ? done : failed
    }
    await sleep(pollMs)
  }
}

async function list(jobs: readonly Job[], queue: WorkQueue, json: boolean): Promise<CommandResult> {
  const now = new Date()
  const states = await queue.jobStates()
  const [counts, runs] = [await queue.counts(), await queue.runsUnderWay()]
  const rows = jobs.map((job) => {
    const state: JobState = states.get(job.name) ?? newState(now)
    const { waiting = 0, active = 0, dead = 0 } = counts.get(job.name) ?? {}
    const under = runs.get(job.name)
    const through = under === undefined ? '' : `${count(under.done)} of ${count(under.items)}`
    return { summary: jobSummary(job, state, now), waiting, active, dead, through }
  })
  if (json) printJson(rows.map(({ summary, ...numbers }) => ({ ...summary, ...numbers })))
  else {
    console.log(
      table(
        rows.map(({ summary, ...numbers }) => {
          const { job, last, next } = jobRow(summary, now)
          return { job, last, next, ...numbers }
        }),
      ),
    )
  }
  return done
}

async function listDead(queue: WorkQueue, json: boolean): Promise<CommandResult> {
  const found = await queue.deadItems()
  if (json) printJson(found)
  else if (found.length === 0) console.log('none: nothing has used up its tries')
  else {
    for (const { id, item, error, at } of found) {
      console.log(`${style.failed('✗')} ${clean(itemName(item), 40).padEnd(40)} ${minute(at.toISOString())} UTC`)
      console.log(`  ${clean(error, 76)}\n  ${style.faint(id)}`)
    }
    console.log(`\ntry them again: ${program} worker retry`)
  }
  return done
}

async function retry(jobs: readonly Job[], queue: WorkQueue, ids: readonly string[]): Promise<CommandResult> {
  const revived = await queue.revive(ids.length === 0 ? undefined : new Set(ids), ({ job }) =>
    itemOptions(jobNamed(jobs, job)),
  )
  console.log(`${plural(revived, 'item')} wait for a worker again`)
  return done
}

/** For hosts that do each item in a process of their own. */
async function printItems(job: Job, index: string | undefined): Promise<CommandResult> {
  const parts = job.options.partitions === undefined ? [undefined] : await partitionsOf(job.options.partitions)
  const items = itemsOf(job, 'by hand', { attempt: 1 }, undefined, parts)
  const chosen = index === undefined ? items : items.slice(Number(index), Number(index) + 1)
  if (chosen.length === 0) {
    throw new PipelineError(`${job.name} has no item ${index}; it has ${items.length}`, {
      code: 'WRONG_USE',
      fix: 'count from 0',
    })
  }
  for (const item of chosen) console.log(JSON.stringify(item))
  return done
}
