import { compareRuns, PipelineError, refusedLines, type Pipeline, type RunRecord } from '../index.ts'
import { printJson, program } from './command.ts'
import { noticeText } from './notice-text.ts'
import { shortLocation } from './run-summary.ts'
import { clean, count, duration, plural, style } from './style.ts'

const shown = 20
const barWidth = 20

const marks: Record<RunRecord['status'], string> = {
  done: style.done('✓ done   '),
  failed: style.failed('✗ failed '),
  died: style.failed('✗ died   '),
  running: style.waiting('● running'),
}

const rowsOf = ({ tables }: RunRecord): number => Object.values(tables).reduce((sum, rows) => sum + rows, 0)
/** Its time, without the day. */
const short = ({ id }: RunRecord): string => `${id.slice(9, 15)}${id.slice(-5)}`
const rowCount = (rows: number, width: number): string =>
  `${count(rows).padStart(width)} ${rows === 1 ? 'row ' : 'rows'}`
const day = (run: RunRecord): string => run.startedAt.slice(0, 19).replace('T', ' ')

/** `sluice pipeline x runs` */
export async function runs(pipeline: Pipeline, _args: readonly string[], json: boolean): Promise<void> {
  const all = pipeline.runs()
  if (json) return printJson(all)
  if (all.length === 0) return console.log(`no run of ${pipeline.name} is on record yet`)
  const lines = all.slice(0, shown).map((run) => {
    const figures = `${duration(run.durationMs).padStart(9)} ${rowCount(rowsOf(run), 10).trimEnd()}`
    return `  ${run.id}  ${marks[run.status]}  ${day(run).slice(0, 16)}${figures}`
  })
  const more = all.length > shown ? `, the last ${shown} of ${count(all.length)}` : ''
  console.log([`${style.strong(pipeline.name)}: ${plural(all.length, 'run')}${more}`, '', ...lines, ''].join('\n'))
  console.log(style.faint(`one of them: ${program} pipeline ${pipeline.name} trace ${all[0]!.id}`))
}

/** `sluice pipeline x trace [run]` */
export async function trace(pipeline: Pipeline, [id]: readonly string[], json: boolean): Promise<void> {
  const run = foundRun(pipeline, id)
  if (json) return printJson(run)
  const lines = [
    `${style.strong(`run ${run.id}`)}  ${marks[run.status].trim()}  ${day(run)} UTC  ${duration(run.durationMs)}`,
    ...(run.location === undefined ? [] : [`${run.pipeline} → ${shortLocation(run.location)} / ${run.dataset}`]),
    '',
    ...timeline(run),
    ...section('requests', requestLines(run)),
    ...section('tables', tableLines(run)),
    ...section('noticed', noticeLines(run)),
    ...section('set aside', refusedPackageLines(run)),
    ...section('settings', settingLines(run)),
    ...errorLines(run),
  ]
  console.log(lines.join('\n'))
}

/** `sluice pipeline x requests [run]` */
export async function requests(pipeline: Pipeline, [id]: readonly string[], json: boolean): Promise<void> {
  const run = foundRun(pipeline, id)
  const all = pipeline.requests(run.id)
  if (json) return printJson(all)
  if (all.length === 0) return console.log(`no request of run ${run.id} was kept`)
  const lines = all.map(({ atMs, status, resource, method, url, ms }) => {
    const what = `${method} ${new URL(url).pathname}${new URL(url).search}`
    const state = status >= 400 ? style.failed(String(status)) : String(status)
    return `  ${duration(atMs).padStart(8)}  ${state}  ${clean(resource, 16).padEnd(16)} ${clean(what, 34).padEnd(34)} ${count(ms).padStart(6)} ms`
  })
  console.log([`${style.strong(`run ${run.id}`)}: ${plural(all.length, 'request')} kept`, '', ...lines, ''].join('\n'))
  console.log(style.faint('with headers and bodies: --json, or the dashboard'))
}

/** `sluice pipeline x compare [before] [after]` */
export async function compare(pipeline: Pipeline, [a, b]: readonly string[], json: boolean): Promise<void> {
  const [newest, before] = pipeline.runs(2)
  const [first, second] =
    a === undefined ? [before, newest] : [foundRun(pipeline, a), b === undefined ? newest : foundRun(pipeline, b)]
  if (first === undefined || second === undefined) {
    throw new PipelineError(`${pipeline.name} has no two runs on record`, {
      code: 'WRONG_USE',
      fix: `run it twice, or see what there is: sluice pipeline ${pipeline.name} runs`,
    })
  }
  const comparison = compareRuns(first, second)
  if (json) return printJson(comparison)
  const name = (width: number, text: string): string => clean(text, width).padEnd(width)
  const table = (rows: typeof comparison.tables, show: (value: number) => string): string[] =>
    rows.map(({ name: one, before: was, after: is }) => {
      const text = (value: number | undefined): string => (value === undefined ? '—' : show(value)).padStart(12)
      const sign = was === is ? ' ' : (is ?? 0) > (was ?? 0) ? '+' : '−'
      return `  ${name(36, one)}${text(was)}${text(is)}  ${sign}`
    })
  const redIfEmptied = (line: string, at: number): string =>
    comparison.emptied.includes(comparison.tables[at]!.name) ? style.failed(`${line} emptied`) : line
  const head = `  ${''.padEnd(36)}${short(first).padStart(12)}${short(second).padStart(12)}`
  console.log(
    [
      `${style.strong(pipeline.name)}: ${day(first)} ${marks[first.status].trim()} → ${day(second)} ${marks[second.status].trim()}`,
      '',
      style.faint(head),
      ...section('rows', table(comparison.tables, count).map(redIfEmptied)),
      ...section('took', table(comparison.durations, duration)),
      ...section('requests', table(comparison.requests, count)),
    ].join('\n'),
  )
}

export function foundRun(pipeline: Pipeline, id: string | undefined): RunRecord {
  const run = id === undefined ? pipeline.runs(1)[0] : pipeline.findRun(id)
  if (run !== undefined) return run
  throw new PipelineError(id === undefined ? `no run of ${pipeline.name} is on record` : `there is no run ${id}`, {
    code: 'WRONG_USE',
    fix: `see what there is: sluice pipeline ${pipeline.name} runs`,
  })
}

/** Resources and packages over time, to the right. */
function timeline(run: RunRecord): string[] {
  const whole = Math.max(run.durationMs, 1)
  const place = (ms: number): number => Math.min(barWidth - 1, Math.floor((ms / whole) * barWidth))
  const bar = (from: number, to: number, sign: string): string => {
    const [start, end] = [place(from), Math.max(place(to), place(from))]
    return (' '.repeat(start) + sign.repeat(end - start + 1)).padEnd(barWidth)
  }
  const resources = Object.entries(run.resources).map(([name, one]) => {
    const end = one.finishedMs ?? run.durationMs
    const waited = one.waitedMs > 0 ? `  waited ${duration(one.waitedMs)}` : ''
    const state = one.error === undefined ? '' : style.failed('  ✗')
    return `  ${clean(name, 18).padEnd(18)} ${bar(one.startedMs, end, '━')} ${duration(end - one.startedMs).padStart(8)} ${rowCount(one.rows, 10)}${waited}${state}`
  })
  const packages = run.packages.map(({ loadMs = 0, loadedMs, rows }, at) => {
    const title = `package ${at + 1}`
    if (loadedMs === undefined) return `  ${title.padEnd(18)} ${'not loaded'.padEnd(barWidth)}`
    return `  ${title.padEnd(18)} ${bar(loadedMs - loadMs, loadedMs, '▬')} ${duration(loadMs).padStart(8)} ${rowCount(rows, 10)}`
  })
  return [...resources, ...packages]
}

function requestLines(run: RunRecord): string[] {
  return Object.entries(run.resources).flatMap(([name, { requests }]) =>
    Object.entries(requests).map(([status, { count: times, ms, slowest }]) => {
      const figures = `${status} ×${count(times)}`.padEnd(12)
      const speed = `${Math.round(ms / times)} ms each, slowest ${slowest.ms} ms`
      return `  ${clean(name, 18).padEnd(18)} ${figures} ${speed}`
    }),
  )
}

function tableLines({ tables, changes }: RunRecord): string[] {
  return Object.entries(tables).map(([table, rows]) => {
    const change = changes.filter((one) => one.table === table)
    const columns = change.flatMap((one) =>
      one.columns.map(({ name, widened }) => (widened ? `${name} (wider)` : name)),
    )
    const news = change.some(({ created }) => created)
      ? 'new table'
      : columns.length === 0
        ? ''
        : clean(`+ ${columns.join(', ')}`, 34)
    return `  ${clean(table, 28).padEnd(28)} ${rowCount(rows, 11)}  ${news}`.trimEnd()
  })
}

const noticeLines = ({ notices, failedChecks, resources }: RunRecord): string[] => [
  ...notices.map(
    ({ notice, times }) => `  ${clean(noticeText(notice), 62)}${times > 1 ? `, ${count(times)} times` : ''}`,
  ),
  ...failedChecks.map(
    ({ table, check, failing }) => `  ${clean(table, 28)}: ${plural(failing, 'row')} failed ${clean(check, 34)}`,
  ),
  ...Object.entries(resources)
    .filter(([, { skipped }]) => skipped > 0)
    .map(([name, { skipped }]) => `  ${clean(name, 28)}: ${plural(skipped, 'part')} skipped`),
]

const refusedPackageLines = ({ refusedPackages = [] }: RunRecord): string[] =>
  refusedPackages.flatMap((one) => [
    ...refusedLines(one).map((line) => `  ${line}`),
    ...(one.commands === undefined ? [] : [style.faint(`  ${one.commands.show}`)]),
  ])

function errorLines({ error, resources }: RunRecord): string[] {
  const failed = Object.entries(resources).flatMap(([name, { error: one }]) =>
    one === undefined ? [] : [`${name}: ${one.message}`, `  fix: ${one.fix}`],
  )
  if (error === undefined) return failed.length === 0 ? [] : ['', ...failed]
  return ['', `${style.failed(error.code)}  ${error.message}`, `  fix: ${error.fix}`]
}

const settingLines = ({ settings }: RunRecord): string[] =>
  settings.map(({ name, provider }) => `  ${clean(name, 56).padEnd(56)} ${provider}`)

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', style.faint(title), ...lines]
