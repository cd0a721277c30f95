import { PipelineError } from '../../index.ts'
import { draftSource, readDocument, sourceFileText, type Draft } from '../../sources/rest/openapi/index.ts'
import { allowLogin } from '../../egress/index.ts'
import {
  lintSource,
  loadSourceFile,
  logInSource,
  originsOf,
  readSourceSpec,
  type Finding,
} from '../../sources/rest/index.ts'
import { draftSourceFile } from '../../workbench/source-draft.ts'
import { probeFacts, probeProblems, probeSourceFile, type Probe } from '../../workbench/probe-source.ts'
import { done, printJson, program, type CommandResult } from '../command.ts'
import { clean, count, duration, plural, style, wrap } from '../style.ts'

// What can be done with a source file: made from a description, checked, tried, logged in to.

type Values = Record<string, string | boolean | undefined>

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })

function needFile(path: string | undefined, action: string): string {
  if (path === undefined) throw wrongUse(`source ${action}: which file?`, `sluice source ${action} github.source.yaml`)
  return path
}

/** `sluice source from-openapi`: writes a source file, and tells what it could not find. */
export async function fromOpenApi(place: string | undefined, values: Values): Promise<CommandResult> {
  if (place === undefined)
    throw wrongUse('source from-openapi: which description?', 'sluice source from-openapi openapi.yaml')
  const only = typeof values.only === 'string' ? values.only.split(',').map((one) => one.trim()) : undefined
  const name = typeof values.name === 'string' ? values.name : undefined
  if (values.output === '-') {
    process.stdout.write(sourceFileText(draftSource(await readDocument(place), { name, only })))
    return done
  }
  const { path, draft } = await draftSourceFile(place, {
    overwrite: values.force === true,
    ...(typeof values.output === 'string' ? { path: values.output } : {}),
    ...(name === undefined ? {} : { name }),
    ...(only === undefined ? {} : { only }),
  })
  if (values.json === true) printJson({ file: path, ...report(draft) })
  else console.log(summary(path, draft))
  return done
}

function report({ operations, resources, leftOut, baseUrl, auth }: Draft) {
  const lists = resources.filter(({ isList }) => isList)
  const paged = lists.filter(({ endpoint }) => endpoint.paginator !== undefined)
  return {
    operations,
    resources: resources.length,
    lists: lists.length,
    baseUrl: baseUrl ?? null,
    auth: auth?.type ?? null,
    withPaginator: paged.length,
    withKey: lists.filter(({ primaryKey }) => primaryKey !== undefined).length,
    withParent: resources.filter(({ parent }) => parent !== undefined).length,
    needSettings: resources.filter(({ needs }) => needs.length > 0).map(({ name, needs }) => ({ name, needs })),
    leftOut: Object.fromEntries(leftOut),
  }
}

function summary(path: string, draft: Draft): string {
  const told = report(draft)
  const row = (name: string, text: string): string =>
    `  ${name.padEnd(10)} ${wrap(text, 66).join(`\n${' '.repeat(13)}`)}`
  const missing = (found: number, all: number): string => (found === all ? '' : `, ${count(all - found)} not found`)
  const needed = [...new Set(told.needSettings.flatMap(({ needs }) => needs))]
  const left = Object.entries(told.leftOut).map(([why, times]) => `${count(times)} that ${why}`)
  return [
    `${path}: ${plural(told.resources, 'resource')} from ${plural(told.operations, 'operation')}`,
    '',
    row('base URL', told.baseUrl ?? 'not found: put yours into the file'),
    row('auth', told.auth === null ? 'not found: add client.auth' : String(told.auth)),
    row(
      'paging',
      `${count(told.withPaginator)} of ${plural(told.lists, 'list')}${missing(told.withPaginator, told.lists)}: told by the first answer`,
    ),
    row('keys', `${count(told.withKey)} of ${plural(told.lists, 'list')}${missing(told.withKey, told.lists)}`),
    row('parents', `${plural(told.withParent, 'resource')} below others`),
    ...(needed.length === 0
      ? []
      : [
          row(
            'settings',
            `${plural(told.needSettings.length, 'resource')} not selected until you give ${needed.slice(0, 6).join(', ')}${needed.length > 6 ? ` and ${needed.length - 6} more` : ''}`,
          ),
        ]),
    ...(left.length === 0 ? [] : [row('left out', left.join(', '))]),
    '',
    `check it: ${program} source lint ${path}`,
    `try it:   ${program} source probe ${path}`,
  ].join('\n')
}

/** `sluice source lint`: what can be told without asking the API. */
export function lint(path: string | undefined, json: boolean): CommandResult {
  const file = needFile(path, 'lint')
  const spec = readSourceSpec(file)
  const findings = lintSource(spec)
  const errors = findings.filter(({ level }) => level === 'error').length
  const result = { exitCode: errors > 0 ? 1 : 0 }
  if (json) {
    const names = errors > 0 ? [] : loadSourceFile(file).resources.map(({ name }) => name)
    printJson({ source: spec.name, resources: names, findings })
    return result
  }
  if (errors === 0) console.log(`${file} is right: ${plural(spec.resources.length, 'resource')} in source ${spec.name}`)
  else console.log(`${file}: ${plural(errors, 'error')}`)
  for (const level of ['error', 'warning', 'hint'] as const) {
    for (const [message, paths] of grouped(findings.filter((one) => one.level === level)))
      console.log(findingText(level, paths, message))
  }
  return result
}

/** The same finding at many places is said once. */
function grouped(findings: readonly Finding[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { path, message } of findings) groups.set(message, [...(groups.get(message) ?? []), path])
  return groups
}

function findingText(level: Finding['level'], paths: readonly string[], message: string): string {
  const colour = { error: style.failed, warning: style.waiting, hint: style.faint }[level]
  const more = paths.length > 3 ? ` and ${count(paths.length - 3)} more` : ''
  const places = wrap(`${paths.slice(0, 3).join(', ')}${more}`, 70)
  return [
    '',
    `${colour(level.padEnd(8))} ${places.join(`\n${' '.repeat(9)}`)}`,
    ...wrap(message, 70).map((line) => `${' '.repeat(9)}${line}`),
  ].join('\n')
}

/** `sluice source probe`: one live request for each resource, and what its answer tells. */
export async function probe(path: string | undefined, values: Values): Promise<CommandResult> {
  const file = needFile(path, 'probe')
  const resources =
    typeof values.resources === 'string' ? values.resources.split(',').map((one) => one.trim()) : undefined
  const all = await probeSourceFile(file, resources)
  if (values.json === true) printJson(all.map(probeFacts))
  else for (const one of all) console.log(probeText(one))
  const isWrong = (one: Probe): boolean => one.error !== undefined || probeProblems(one).length > 0
  return { exitCode: all.some(isWrong) ? 1 : 0 }
}

function probeText({ resource, status, ms, firstPage, error, columns }: Probe): string {
  const indent = ' '.repeat(4)
  const found = probeProblems({ firstPage })
  const isWrong = error !== undefined || found.length > 0
  const mark = isWrong ? style.failed('✗') : firstPage === undefined ? style.waiting('·') : style.done('✓')
  const head = `${mark} ${style.strong(resource)}${status === undefined ? '' : `  ${status} in ${duration(ms!)}`}`
  const lines = (text: string): string[] =>
    text.split('\n').flatMap((part) => wrap(part, 74).map((line) => indent + line))
  const problem = error === undefined ? [] : [...lines(error.summary ?? String(error)), ...lines(`fix: ${error.fix}`)]
  if (firstPage === undefined && error !== undefined) return [head, ...problem, ''].join('\n')
  if (firstPage === undefined) return [head, ...lines('was not asked: its parent gave no row'), ''].join('\n')
  const { rows, rowsAt, paginator, isDetected, hasNext } = firstPage
  const { type = error === undefined ? 'its own' : 'unknown', ...options } = paginator ?? {}
  const settings = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`)
  const doubts = found.flatMap(({ problem: text, fix }) => [...lines(text), ...lines(`fix: ${fix}`)])
  const how = `${String(type)}${settings.length === 0 ? '' : ` (${settings.join(', ')})`}${isDetected ? ', recognised' : ''}`
  const types = columns.slice(0, 12).map(({ name, dataType }) => `${name} ${dataType}`)
  const more = columns.length > 12 ? ` and ${count(columns.length - 12)} more` : ''
  return [
    head,
    ...lines(`${plural(rows, 'row')} at ${rowsAt}; paging: ${how}${hasNext ? ', there is a next page' : ''}`),
    ...(types.length === 0 ? [] : lines(`${types.join(', ')}${more}`).map(style.faint)),
    ...doubts,
    ...problem,
    '',
  ].join('\n')
}

/** `sluice source login`: a person agrees in a browser, once. */
export async function login(path: string | undefined): Promise<CommandResult> {
  const spec = readSourceSpec(needFile(path, 'login'))
  const origins = originsOf(spec, process.cwd())
  console.error(`${clean(spec.name, 30)} sends its token to ${clean(origins.join(', '), 60)}`)
  const abort = new AbortController()
  process.once('SIGINT', () => abort.abort(new PipelineError('interrupted', { code: 'ABORTED', fix: 'run it again' })))
  await logInSource(spec, {
    signal: abort.signal,
    show: (address) =>
      console.error(`open this address in a browser, and agree:\n\n${address}\n\nwaiting; Ctrl-C ends it`),
  })
  allowLogin(process.cwd(), spec.name, origins)
  console.error(`${style.done('logged in')}: runs of ${spec.name} use it from here on`)
  return done
}
