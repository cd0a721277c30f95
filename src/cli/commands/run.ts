import { existsSync, readFileSync } from 'node:fs'
import { LoadRefused, pipeline, PipelineError, Source, type RunOptions } from '../../index.ts'
import { inboxSource } from '../../inbox/index.ts'
import { platformByName, platformNames } from '../../sources/chats/registry.ts'
import { inFileSpelling, isSourceFile, loadSourceFile } from '../../sources/rest/index.ts'
import { logRuns } from '../../telemetry/index.ts'
import { standardLogger } from '../standard-logger.ts'
import { exportOtlp } from '../../telemetry/export-otlp.ts'
import { standardJobsFile } from '../../jobs/jobs-file.ts'
import { importProjectModule } from '../../jobs/project-module.ts'
import { parseWorkItem } from '../../workers/work-item.ts'
import { done, failed, parseCommand, printJson, type CommandResult } from '../command.ts'
import { Progress, type ProgressMode } from '../progress.ts'
import { runSummary } from '../run-summary.ts'

const usage = `
sluice run <pipeline.ts | name.source.yaml | platform | inbox:name>
sluice run --work-item <json>    an item of a job: sluice worker items

  --destination <name>     where to load to             [duckdb]
  --dataset <name>         the dataset                  [<pipeline>_dataset]
  --pipeline <name>        the pipeline's name          [the source's name]
  --resources <a,b>        only these resources
  --partition <name>       a part of the data, loaded once; with --partition-run
                           <id> once for each id
  --limit <pages>          only so many pages of each resource
  --refresh <mode>         drop_sources, drop_resources or drop_data first
  --write-disposition <d>  append, replace or merge, for all resources
  --allow-empty            replace may empty tables for which no rows come
  --file <path>            the jobs, for --work-item    [sluice.jobs.ts]
  --progress <mode>        auto, bar, log, json, off    [auto]
  --json                   the result as JSON on stdout
  --debug                  errors with their stack
`

/** `print` takes the summary of a run without `--json`. */
export async function run(args: string[], print: (text: string) => void = console.log): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    destination: { type: 'string' },
    dataset: { type: 'string' },
    pipeline: { type: 'string' },
    resources: { type: 'string' },
    limit: { type: 'string' },
    partition: { type: 'string' },
    'partition-run': { type: 'string' },
    'work-item': { type: 'string' },
    file: { type: 'string' },
    'write-disposition': { type: 'string' },
    refresh: { type: 'string' },
    'allow-empty': { type: 'boolean' },
    progress: { type: 'string' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  if (values['work-item'] !== undefined) return runItem(values['work-item'], values.file, values.json === true)
  const [target] = positionals
  if (target === undefined) throw wrongUse('run: what is to be run?', 'give a file: sluice run github.source.yaml')
  const found = await findSource(target)
  if (found === undefined) return done
  const source = selected(found.source, values.resources, values.limit)
  const name = values.pipeline ?? found.pipeline
  const dataset = values.dataset ?? found.dataset
  const loading = pipeline({
    name,
    destination: values.destination ?? 'duckdb',
    ...(dataset === undefined ? {} : { dataset }),
  })
  const mode = progressMode(values.progress)
  const progress = new Progress(mode === 'json' ? 'off' : mode)
  loading.on(progress.on)
  if (mode === 'json') logRuns(loading, await standardLogger())
  using interrupt = interruptSignal()
  const options: RunOptions = {
    ...dispositionOption(values['write-disposition']),
    ...(values.refresh === undefined ? {} : { refresh: values.refresh as 'drop_data' }),
    ...(values['allow-empty'] === true ? { allowEmpty: true } : {}),
    ...partitionOption(values.partition, values['partition-run']),
    signal: interrupt.signal,
  }
  const sendRest = await exportOtlp(loading, (message) => console.error(message))
  const info = await loading
    .run(source, options)
    .catch((error: unknown) => {
      if (error instanceof LoadRefused && values.json !== true) print(runSummary(error.info, progress))
      // The database wrote this one, not the source file.
      const isSpelled = isSourceFile(target) && !(error instanceof LoadRefused)
      throw isSpelled ? inFileSpelling(error) : error
    })
    .finally(sendRest)
  if (values.json === true) printJson(info)
  else print(runSummary(info, progress))
  return done
}

/** An item of a job, in a process that another engine has begun for it. */
async function runItem(text: string, file: string = standardJobsFile, json: boolean): Promise<CommandResult> {
  const item = parseWorkItem(text === '-' ? readFileSync(0, 'utf8') : text)
  const { performItem } = await import('../perform-item.ts')
  using interrupt = interruptSignal()
  // With --json there is one value on stdout: the outcome.
  const outcome = await performItem(file, item, { signal: interrupt.signal, print: json ? console.error : console.log })
  if (json) printJson({ ...item, ...outcome })
  return outcome.outcome === 'success' ? done : failed
}

interface Found {
  source: Source
  pipeline: string
  dataset?: string
}

/** A source file, a platform, or a module that exports a source. Modules that run by themselves give nothing. */
async function findSource(target: string): Promise<Found | undefined> {
  if (target.startsWith('inbox:')) {
    const made = inboxSource(target.slice('inbox:'.length))
    return { source: made, pipeline: made.name }
  }
  const platform = existsSync(target) ? undefined : await platformByName(target)
  if (platform !== undefined) {
    return { source: platform(), pipeline: `${target}_pipeline`, dataset: `${target}_data` }
  }
  if (!existsSync(target)) {
    throw wrongUse(`run: there is no file "${target}"`, `give a file, or a platform: ${platformNames.join(', ')}`)
  }
  if (isSourceFile(target)) {
    const source = loadSourceFile(target)
    return { source, pipeline: source.name }
  }
  const module = await importProjectModule(target)
  const exported = Object.values(module).find((value) => value instanceof Source)
  return exported === undefined ? undefined : { source: exported, pipeline: exported.name }
}

function selected(source: Source, resources: string | undefined, limit: string | undefined): Source {
  const chosen =
    resources === undefined ? source : source.withResources(...resources.split(',').map((one) => one.trim()))
  if (limit === undefined) return chosen
  const pages = Number(limit)
  if (!Number.isInteger(pages) || pages < 0)
    throw wrongUse(`--limit ${limit}: expected a number of pages`, 'use --limit 1')
  return chosen.limit(pages)
}

function dispositionOption(given: string | undefined): RunOptions {
  if (given === undefined) return {}
  if (given === 'append' || given === 'replace' || given === 'merge') return { writeDisposition: given }
  throw wrongUse(`--write-disposition ${given}`, 'use append, replace or merge')
}

const partitionOption = (name: string | undefined, run: string | undefined): RunOptions =>
  name === undefined ? {} : { partition: { name, ...(run === undefined ? {} : { run }) } }

function progressMode(given: string | undefined): ProgressMode | 'json' {
  const mode = given ?? process.env.PROGRESS ?? 'auto'
  if (mode === 'auto' || mode === 'bar' || mode === 'log' || mode === 'json' || mode === 'off') return mode
  throw wrongUse(`--progress ${mode}`, 'use auto, bar, log, json or off')
}

/** The first Ctrl-C stops in order; the second ends at once. */
function interruptSignal(): { signal: AbortSignal } & Disposable {
  const abort = new AbortController()
  const stop = (): void =>
    abort.abort(
      new PipelineError('interrupted', {
        code: 'ABORTED',
        recovery: 'retry',
        fix: 'run again: what was loaded stays, the rest follows',
      }),
    )
  process.once('SIGINT', stop)
  return { signal: abort.signal, [Symbol.dispose]: () => process.off('SIGINT', stop) }
}

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })
