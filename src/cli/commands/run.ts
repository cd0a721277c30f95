import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pipeline, PipelineError, Source, type RunOptions } from '../../index.ts'
import { platformByName, platformNames } from '../../sources/chats/registry.ts'
import { inFileSpelling, isSourceFile, loadSourceFile } from '../../sources/rest/index.ts'
import { done, parseCommand, printJson, type CommandResult } from '../command.ts'
import { Progress, type ProgressMode } from '../progress.ts'
import { runSummary } from '../run-summary.ts'

const usage = `
sluice run <pipeline.ts | name.source.yaml | platform>

  --destination <name>     where to load to             [duckdb]
  --dataset <name>         the dataset                  [<pipeline>_dataset]
  --pipeline <name>        the pipeline's name          [the source's name]
  --resources <a,b>        only these resources
  --limit <pages>          only so many pages of each resource
  --refresh <mode>         drop_sources, drop_resources or drop_data first
  --write-disposition <d>  append, replace or merge, for all resources
  --progress <mode>        auto, bar, log, off          [auto]
  --json                   the result as JSON on stdout
  --debug                  errors with their stack
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    destination: { type: 'string' },
    dataset: { type: 'string' },
    pipeline: { type: 'string' },
    resources: { type: 'string' },
    limit: { type: 'string' },
    'write-disposition': { type: 'string' },
    refresh: { type: 'string' },
    progress: { type: 'string' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
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
  const progress = new Progress(progressMode(values.progress))
  loading.on(progress.on)
  const options: RunOptions = {
    ...dispositionOption(values['write-disposition']),
    ...(values.refresh === undefined ? {} : { refresh: values.refresh as 'drop_data' }),
    signal: interruptSignal(),
  }
  const info = await loading.run(source, options).catch((error: unknown) => {
    throw isSourceFile(target) ? inFileSpelling(error) : error
  })
  if (values.json === true) printJson(info)
  else console.log(runSummary(info, progress.remarks))
  return done
}

interface Found {
  source: Source
  pipeline: string
  dataset?: string
}

/** A source file, a platform, or a module that exports a source. Modules that run by themselves give nothing. */
async function findSource(target: string): Promise<Found | undefined> {
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
  const module = await importModule(target)
  const exported = Object.values(module).find((value) => value instanceof Source)
  return exported === undefined ? undefined : { source: exported, pipeline: exported.name }
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error
    throw wrongUse(`Node ${process.versions.node} cannot run ${path}`, 'use Node 22.19 or newer, which runs TypeScript')
  }
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

function progressMode(given: string | undefined): ProgressMode {
  const mode = given ?? process.env.PROGRESS ?? 'auto'
  if (mode === 'auto' || mode === 'bar' || mode === 'log' || mode === 'off') return mode
  throw wrongUse(`--progress ${mode}`, 'use auto, bar, log or off')
}

/** The first Ctrl-C stops in order; the second ends at once. */
function interruptSignal(): AbortSignal {
  const abort = new AbortController()
  process.once('SIGINT', () => {
    abort.abort(
      new PipelineError('interrupted', {
        code: 'ABORTED',
        recovery: 'retry',
        fix: 'run again: what was loaded stays, the rest follows',
      }),
    )
  })
  return abort.signal
}

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })
