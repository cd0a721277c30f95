import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PipelineError, redact } from '../../index.ts'
import { newState, type Due } from '../../jobs/decide.ts'
import type { Job } from '../../jobs/job.ts'
import { currentAlerts, runsOnThisMachine, sendAlerts, type AlertFacts } from '../../jobs/alerts/send-alerts.ts'
import { jobNamed, readJobsFile, standardJobsFile, type JobsFile } from '../../jobs/jobs-file.ts'
import { jobSummary, type JobSummary } from '../../jobs/job-summary.ts'
import { prometheusText } from '../../jobs/prometheus.ts'
import { runJob, untilAsked } from '../../jobs/run-job.ts'
import { ScheduleStore } from '../../jobs/schedule-store.ts'
import { environment, Scheduler } from '../../jobs/scheduler.ts'
import { serveMetrics } from '../serve-metrics.ts'
import { alertsText, eventText, jobRow, minute } from '../schedule-text.ts'
import { done, failed, parseCommand, printJson, type CommandResult } from '../command.ts'
import { clean, plural, style, table } from '../style.ts'

const usage = `
sluice schedule                    runs the jobs of sluice.jobs.ts when they
                                   are due, until it is ended
sluice schedule once               runs what is due now, then ends
sluice schedule list               jobs, their last runs, and the next ones
sluice schedule run <job>          one job now, whether or not it is due
         [--interval-start 2025-01-01T00:00:00Z --interval-end …]
sluice schedule log <job> [run]    what a run said
sluice schedule alerts             what is open now; sends nothing
         [--test]                  sends a test to each channel

  --file <path>      the file that exports the jobs    [sluice.jobs.ts]
  --parallel <n>     jobs at the same time             [2]
  --metrics <port>   answers Prometheus at /metrics; 0.0.0.0:9464 from elsewhere
  --json             output as JSON; of a schedule, a line for each event
`

export async function run(args: string[]): Promise<CommandResult> {
  if (args[0] === 'exec') return exec(args.slice(1))
  const parsed = parseCommand(args, usage, {
    file: { type: 'string' },
    parallel: { type: 'string' },
    test: { type: 'boolean' },
    metrics: { type: 'string' },
    'interval-start': { type: 'string' },
    'interval-end': { type: 'string' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action = 'start', ...rest] = positionals
  const file = values.file ?? standardJobsFile
  const json = values.json === true
  const found = await readJobsFile(file)
  const { jobs } = found
  switch (action) {
    case 'start':
    case 'once':
      return schedule(found, {
        onlyDue: action === 'once',
        parallel: parallelOf(values.parallel),
        metrics: values.metrics,
        json,
      })
    case 'list':
      return list(file, jobs, json)
    case 'run':
      return runNow(file, jobNamed(jobs, rest[0]), values['interval-start'], values['interval-end'])
    case 'alerts':
      return alertsNow(found, values.test === true, json)
    case 'log':
      return log(file, jobNamed(jobs, rest[0]), rest[1])
  }
  throw new PipelineError(`schedule: there is no action "${action}"`, {
    code: 'WRONG_USE',
    fix: 'use one of: once, list, run, log, alerts; or nothing, to run the jobs',
  })
}

function parallelOf(text: string | undefined): number {
  const count = Number(text ?? 2)
  if (Number.isInteger(count) && count > 0) return count
  throw new PipelineError(`--parallel ${text}`, { code: 'WRONG_USE', fix: 'give a whole number: --parallel 4' })
}

const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))

/** What runs one job, with its name, the run and what it is for behind it. */
const execCommand = (file: string): string[] => [process.execPath, ...process.execArgv, main, 'schedule', 'exec', file]

async function schedule(
  { path: file, jobs, alerts }: JobsFile,
  {
    onlyDue,
    parallel,
    metrics,
    json,
  }: { onlyDue: boolean; parallel: number; metrics: string | undefined; json: boolean },
): Promise<CommandResult> {
  const store = new ScheduleStore(file)
  using _lock = store.lock()
  let failures = 0
  let looked = 0
  let news = true
  const scheduler = new Scheduler(jobs, store, {
    parallel,
    command: execCommand(file),
    emit(event) {
      if (event.type === 'ended' && event.outcome === 'failure') failures += 1
      news = true
      if (json) console.log(JSON.stringify({ at: new Date().toISOString(), ...event }))
      else console.log(eventText(event))
    },
    async look() {
      if (!news && Date.now() - looked < lookEveryMs) return
      ;[news, looked] = [false, Date.now()]
      store.writeSummary(file, summariesOf(jobs, store, new Date()))
      if (alerts.length === 0) return
      const errors = await sendAlerts(alerts, factsOf(jobs, store), { store, jobsFile: file })
      // Sent with the next look; what the schedule is for goes on.
      for (const { message } of errors) console.error(redact(message))
    },
  })
  const served =
    metrics === undefined
      ? undefined
      : await serveMetrics(metrics, () => prometheusText(jobs, store.read(), new Date()))
  if (served !== undefined && !json) console.log(`metrics at ${served.url}`)
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  if (!json && !onlyDue)
    console.log(`${plural(jobs.length, 'job')} of ${file}; Ctrl-C ends it, and what runs in order\n`)
  if (onlyDue) await scheduler.runDue(abort.signal)
  else await scheduler.run(abort.signal)
  served?.close()
  return onlyDue && failures > 0 ? failed : done
}

const factsOf = (jobs: readonly Job[], store: ScheduleStore): AlertFacts => ({
  jobs,
  states: store.read(),
  runsOf: runsOnThisMachine(),
  shownBy: ({ name }) => `sluice schedule log ${name}`,
})

/** What becomes late does so without an event. */
const lookEveryMs = 60_000

function list(file: string, jobs: readonly Job[], json: boolean): CommandResult {
  const now = new Date()
  const summaries = summariesOf(jobs, new ScheduleStore(file), now)
  if (json) printJson(summaries)
  else {
    console.log(table(summaries.map((one) => jobRow(one, now))))
    for (const { job, lateSince: since } of summaries)
      if (since !== undefined) console.log(style.failed(`${job} is late since ${minute(since)} UTC`))
  }
  return done
}

function summariesOf(jobs: readonly Job[], store: ScheduleStore, now: Date): JobSummary[] {
  const states = store.read()
  return jobs.map((job) => jobSummary(job, states.get(job.name) ?? newState(now), now))
}

async function runNow(
  file: string,
  job: Job,
  start: string | undefined,
  end: string | undefined,
): Promise<CommandResult> {
  if ((start === undefined) !== (end === undefined))
    throw new PipelineError('an interval has a start and an end', {
      code: 'WRONG_USE',
      fix: 'give --interval-start and --interval-end',
    })
  for (const moment of [start, end])
    if (moment !== undefined && Number.isNaN(Date.parse(moment)))
      throw new PipelineError(`"${moment}" is no moment`, {
        code: 'WRONG_USE',
        fix: 'write it as 2025-01-31T00:00:00Z',
      })
  const due: Due = { attempt: 1, ...(start === undefined ? {} : { interval: { start, end: end! } }) }
  const run = `${new Date().toISOString().replaceAll(/[-:.Z]/g, '')}-${job.name}`
  const store = new ScheduleStore(file)
  const [program, ...args] = execCommand(file) as [string, ...string[]]
  // As the schedule runs it, but seen while it goes on.
  const child = spawn(program, [...args, job.name, run, JSON.stringify(due)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(job, due, run),
  })
  const log = createWriteStream(store.logPath(run), { flags: 'a', mode: 0o600 })
  // On a full disk the run goes on without its log.
  log.on('error', (error) => console.error(style.faint(`no log: ${error.message}`)))
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const)
    from.on('data', (part: Buffer) => {
      to.write(part)
      log.write(part)
    })
  // A terminal sends Ctrl-C to the run as well; this process waits for it.
  process.on('SIGINT', () => undefined)
  await once(child, 'close')
  log.end()
  const ended = store.outcome(run)
  if (ended?.outcome === 'success') return done
  console.error(`${style.failed('failed')}  ${ended?.error ?? 'its process ended without a word'}`)
  return failed
}

/** A run that the scheduler has begun, in its own process. */
async function exec([file, name, run, due]: readonly string[]): Promise<CommandResult> {
  const store = new ScheduleStore(file!)
  store.writeIdentity(run!)
  const job = jobNamed((await readJobsFile(file!)).jobs, name)
  const outcome = await runJob(job, {
    run: run!,
    due: JSON.parse(due!) as Due,
    signal: untilAsked(),
    runTarget,
  })
  store.writeOutcome(run!, outcome)
  return outcome.outcome === 'success' ? done : failed
}

/** Loaded only for those that need it: a function of one's own begins sooner. */
async function runTarget(args: readonly string[]): Promise<unknown> {
  const { run } = await import('./run.ts')
  return run([...args])
}

function log(file: string, job: Job, run: string | undefined): CommandResult {
  const store = new ScheduleStore(file)
  const runs = store.runsOf(job.name)
  const found = run === undefined ? runs[0] : runs.find((one) => one.startsWith(run))
  if (found === undefined) {
    const fix = runs.length === 0 ? 'it has not run yet' : `the last ones: ${runs.slice(0, 3).join(', ')}`
    throw new PipelineError(`there is no log of ${job.name}${run === undefined ? '' : ` ${run}`}`, {
      code: 'WRONG_USE',
      fix,
    })
  }
  process.stdout.write(readFileSync(store.logPath(found), 'utf8'))
  return done
}

async function alertsNow({ path, jobs, alerts }: JobsFile, test: boolean, json: boolean): Promise<CommandResult> {
  if (test) return testChannels(alerts)
  const open = currentAlerts(factsOf(jobs, new ScheduleStore(path)), new Date())
  if (json) printJson(open)
  else console.log(alertsText(open))
  return done
}

async function testChannels(alerts: JobsFile['alerts']): Promise<CommandResult> {
  if (alerts.length === 0)
    throw new PipelineError('the file declares no alerts', {
      code: 'WRONG_USE',
      fix: 'export const team = alerts({ to: slack({ url: … }) })',
    })
  const text = 'a test: alerts of this project come here'
  let failures = 0
  for (const { name, send } of alerts.flatMap(({ channels }) => channels)) {
    try {
      await send({ project: 'sluice', opened: [{ kind: 'failed', id: 'test', text }], closed: [] })
      console.log(`${style.done('✓')} ${name}`)
    } catch (error) {
      failures += 1
      console.log(
        `${style.failed('✗')} ${name}  ${clean(redact((error as PipelineError).summary ?? (error as Error).message), 60)}`,
      )
    }
  }
  return failures === 0 ? done : failed
}
