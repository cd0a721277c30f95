import { stringify } from 'yaml'
import {
  attach,
  dbml,
  diffSchemas,
  failedFacts,
  listPipelines,
  mermaid,
  type Pipeline,
  PipelineError,
  type Schema,
  storedSchema,
} from '../../index.ts'
import { done, look, parseCommand, printJson, type CommandResult } from '../command.ts'
import { explain } from '../explain.ts'
import { changeFailed, dropPending, failedPackages, loadPackage, setAsideLine, waitingText } from '../load-packages.ts'
import { compare, requests, runs, trace } from '../run-history.ts'
import { serveDashboard } from '../serve-dashboard.ts'
import { count, plural, style, table } from '../style.ts'

const usage = `
sluice pipeline --list
sluice pipeline <name> <action>

  show                   tables, rows and the last loads; opens the dashboard
         [--text] [--port n] [--no-open]      only the text; where; not by itself
  info                   where the data is and what is pending
  runs                   what ran, when, and how it ended
  trace [run]            one run: its timeline, requests, tables, error
  explain [run]          why it failed, or loaded too little
  compare [run] [run]    what is other in a run than in one before it
  requests [run]         what was asked of the API, and what it said
  query "<sql>"          runs a query; nothing it says can change the data
  schema [--format f]    the schema: yaml, json, mermaid or dbml
  schema-diff [v1] [v2]  what changed between two versions
  state                  what the sources remember
  load-package [id]      what a load package held
  failed-packages        packages that the destination refused, and why
         show <id>           tables, reason, and the rows where they are known
         retry <id>          loads it after all; --force: also over newer rows
         discard <id>        deletes it
  drop-pending-packages  deletes packages that were not loaded, of the last
         [id …] [--all]      destination and dataset; those named; all
  sync                   forgets what is only on this machine
  drop [resources]       drops tables and state, of all or some resources
         [--source s] [--state-only] [--local]   only the working data

  --json                 output as JSON
`

type Action = (pipeline: Pipeline, args: readonly string[], json: boolean) => Promise<void>
const actions: Record<string, Action> = {
  show,
  info,
  runs,
  trace,
  explain,
  compare,
  requests,
  query,
  'schema-diff': schemaDiff,
  state,
  'load-package': loadPackage,
  'failed-packages': failedPackages,
  'failed-jobs': failedPackages,
  sync,
}

/** What needs more than to look. */
const changing = new Set<Action>([sync])

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    list: { type: 'boolean', short: 'l' },
    source: { type: 'string' },
    'state-only': { type: 'boolean' },
    local: { type: 'boolean' },
    format: { type: 'string' },
    text: { type: 'boolean' },
    port: { type: 'string' },
    'no-open': { type: 'boolean' },
    all: { type: 'boolean' },
    force: { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [name, actionName = 'show', ...rest] = positionals
  if (values.list === true || name === undefined) {
    list(values.json === true)
    return done
  }
  if (actionName === 'schema') {
    await schema(look(name), values.json === true ? 'json' : (values.format ?? 'yaml'))
    return done
  }
  if (actionName === 'drop') {
    await drop(attach(name), rest, values)
    return done
  }
  if (actionName === 'drop-pending-packages') {
    dropPending(attach(name), rest, values)
    return done
  }
  if ((actionName === 'failed-packages' || actionName === 'failed-jobs') && rest.length > 0) {
    await changeFailed(name, rest, values)
    return done
  }
  const action = Object.hasOwn(actions, actionName) ? actions[actionName] : undefined
  if (action === undefined) {
    throw new PipelineError(`pipeline: there is no action "${actionName}"`, {
      code: 'WRONG_USE',
      fix: `use one of: ${[...Object.keys(actions), 'drop-pending-packages', 'schema', 'drop'].join(', ')}`,
    })
  }
  await action(changing.has(action) ? attach(name) : look(name), rest, values.json === true)
  // Programs that read the text want it to end.
  if (action === show && process.stdout.isTTY && values.json !== true && values.text !== true) {
    console.log()
    const { port, 'no-open': stays } = values
    await serveDashboard(`/p/${encodeURIComponent(name)}`, { port, opens: stays !== true })
  }
  return done
}

function list(json: boolean): void {
  const pipelines = listPipelines()
  if (json) printJson(pipelines)
  else if (pipelines.length === 0) console.log('no pipeline has run yet; try: sluice demo')
  else
    console.log(
      table(
        pipelines.map((one) => ({ ...one })),
        ['name', 'destination', 'dataset'],
      ),
    )
}

interface TableCount {
  table: string
  rows: number
  columns: number
}

async function tableCounts(pipeline: Pipeline): Promise<TableCount[]> {
  const data = pipeline.dataset()
  const tables = await data.tables()
  const rows = await data.rowCounts(tables.keys())
  return [...tables].map(([table, columns]) => ({
    table,
    rows: rows.get(table)!,
    columns: columns.size,
  }))
}

async function show(pipeline: Pipeline, _args: readonly string[], json: boolean): Promise<void> {
  const target = pipeline.lastTarget!
  const tables = await tableCounts(pipeline)
  const loads = pipeline
    .packages()
    .loaded()
    .toReversed()
    .slice(0, 5)
    .map(({ loadId, createdAt, files }) => ({
      load_id: loadId,
      created: createdAt,
      rows: files.reduce((sum, file) => sum + file.rows, 0),
    }))
  const failed = pipeline.failedPackages().map(failedFacts)
  if (json) return printJson({ pipeline: pipeline.name, ...target, tables, loads, failed })
  console.log(`${style.strong(pipeline.name)} → ${target.location} / ${target.dataset}\n`)
  console.log(tables.length === 0 ? 'no tables yet' : table(tables as unknown as Record<string, unknown>[]))
  if (loads.length > 0) console.log(`\n${table(loads)}`)
  if (failed.length > 0) console.log(`\n${failed.map(setAsideLine).join('\n')}`)
  if (tables[0] !== undefined) {
    console.log(
      `\ntry: sluice pipeline ${pipeline.name} query 'select * from ${target.dataset}.${tables[0].table} limit 5'`,
    )
  }
}

async function info(pipeline: Pipeline, _args: readonly string[], json: boolean): Promise<void> {
  const waiting = pipeline.pendingPackages()
  const pending = waiting.map(({ loadId }) => loadId)
  const failed = pipeline.failedPackages().map(({ manifest }) => manifest.loadId)
  const facts = { pipeline: pipeline.name, ...pipeline.lastTarget, workingData: pipeline.dataDir, pending, failed }
  const packages = waiting.map(({ loadId, dataset, destination }) => ({ loadId, dataset, ...destination }))
  if (json) return printJson({ ...facts, packages })
  for (const [name, value] of Object.entries({ ...facts, pending: packages.map(waitingText) })) {
    console.log(`${name.padEnd(12)} ${Array.isArray(value) ? value.join(', ') || 'nothing' : String(value)}`)
  }
}

async function query(pipeline: Pipeline, [sql]: readonly string[], json: boolean): Promise<void> {
  if (sql === undefined) {
    throw new PipelineError('query: which SQL?', {
      code: 'WRONG_USE',
      fix: `sluice pipeline ${pipeline.name} query "select 1"`,
    })
  }
  const rows = await pipeline.dataset().query(sql).toArray()
  if (json) return printJson(rows.map(plainRow))
  if (rows.length > 0) console.log(table(rows.slice(0, 1000)))
  console.log(
    style.faint(rows.length > 1000 ? `first 1,000 of ${count(rows.length)} rows` : plural(rows.length, 'row')),
  )
}

const plainRow = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ]),
  )

const formats: Record<string, (schema: Schema) => string> = {
  json: (one) => JSON.stringify(storedSchema(one), null, 2),
  yaml: (one) => stringify(storedSchema(one)).trimEnd(),
  mermaid,
  dbml,
}

async function schema(pipeline: Pipeline, format: string): Promise<void> {
  const print = Object.hasOwn(formats, format) ? formats[format] : undefined
  if (print === undefined) {
    throw new PipelineError(`--format ${format}`, {
      code: 'WRONG_USE',
      fix: `use one of: ${Object.keys(formats).join(', ')}`,
    })
  }
  const newest = new Map((await pipeline.schemas()).map((one) => [one.name, one]))
  for (const one of newest.values()) console.log(print(one))
}

async function schemaDiff(pipeline: Pipeline, [from, to]: readonly string[], json: boolean): Promise<void> {
  const versions = await pipeline.schemas()
  const find = (version: string | undefined, standard: number): Schema => {
    const found =
      version === undefined ? versions.at(standard) : versions.find((one) => String(one.version) === version)
    if (found !== undefined) return found
    throw new PipelineError(`there is no version ${version ?? 'before this one'} of the schema`, {
      code: 'WRONG_USE',
      fix: `choose from: ${versions.map((one) => one.version).join(', ')}`,
    })
  }
  const [before, after] = [find(from, -2), find(to, -1)]
  const changes = diffSchemas(before, after)
  if (json) return printJson({ from: before.version, to: after.version, changes })
  console.log(`${after.name}: version ${before.version} → ${after.version}`)
  console.log(changes.length === 0 ? 'no column changed' : changes.join('\n'))
}

async function state(pipeline: Pipeline): Promise<void> {
  printJson((await pipeline.state()) ?? {})
}

async function sync(pipeline: Pipeline, _args: readonly string[], json: boolean): Promise<void> {
  const state = await pipeline.sync()
  const sources = Object.keys(state?.sources ?? {})
  if (json) printJson({ pipeline: pipeline.name, sources })
  else
    console.log(`${pipeline.name} is as its destination knows it: ${sources.join(', ') || 'no source has loaded yet'}`)
}

interface DropOptions {
  source?: string | undefined
  'state-only'?: boolean | undefined
  local?: boolean | undefined
  json?: boolean | undefined
}

async function drop(pipeline: Pipeline, resources: readonly string[], options: DropOptions): Promise<void> {
  if (options.local === true) {
    pipeline.drop()
    if (options.json === true) printJson({ dropped: pipeline.name })
    else console.log(`dropped the working data of ${pipeline.name}; its tables are still there`)
    return
  }
  const source = options.source ?? (await pipeline.defaultSource())
  if (source === undefined) {
    throw new PipelineError(`pipeline "${pipeline.name}" has loaded nothing yet`, {
      code: 'WRONG_USE',
      fix: 'there is nothing to drop; for the working data add --local',
    })
  }
  const stateOnly = options['state-only'] === true
  const tables = await pipeline.dropResources(source, resources.length === 0 ? undefined : resources, { stateOnly })
  if (options.json === true) printJson({ source, tables, stateOnly })
  else console.log(stateOnly ? `${source}: state dropped` : `${source}: dropped ${tables.join(', ') || 'no tables'}`)
}
