import {
  attach,
  attachToFailed,
  failedFacts,
  type FailedFacts,
  type FailedPackage,
  type Pipeline,
  PipelineError,
  refusedRows,
} from '../index.ts'
import { look, printJson } from './command.ts'
import { count, plural, style, table } from './style.ts'

/** `sluice pipeline x load-package [id]` */
export async function loadPackage(pipeline: Pipeline, [loadId]: readonly string[], json: boolean): Promise<void> {
  const packages = pipeline.packages().loaded()
  const found = loadId === undefined ? packages.at(-1) : packages.find((one) => one.loadId === loadId)
  if (found === undefined) {
    throw new PipelineError(`there is no load package ${loadId ?? ''}`, {
      code: 'WRONG_USE',
      fix: `see the last ones with: sluice pipeline ${pipeline.name} show`,
    })
  }
  const files = found.files.map(({ table: name, path, rows, bytes }) => ({ table: name, file: path, rows, bytes }))
  if (json) return printJson({ loadId: found.loadId, createdAt: found.createdAt, state: 'loaded', files })
  console.log(`load package ${found.loadId} of ${found.createdAt} is LOADED\n`)
  console.log(files.length === 0 ? 'no rows, only state' : table(files))
}

/** A package that was not loaded, with where it belongs. */
export const waitingText = ({
  loadId,
  dataset,
  address,
}: {
  loadId: string
  dataset: string
  address?: string
}): string => `${loadId} (for ${address === undefined ? '' : `${address}, `}dataset ${dataset})`

interface PackageChoice {
  all?: boolean | undefined
  force?: boolean | undefined
  json?: boolean | undefined
}

/** `sluice pipeline x drop-pending-packages [id …]` */
export function dropPending(
  pipeline: Pipeline,
  loadIds: readonly string[],
  { all = false, json }: PackageChoice,
): void {
  const dropped = pipeline.dropPendingPackages({ all, ...(loadIds.length === 0 ? {} : { loadIds }) })
  const left = pipeline
    .pendingPackages()
    .map(({ loadId, dataset, destination }) => ({ loadId, dataset, ...destination }))
  if (json === true) return printJson({ dropped, left })
  console.log(dropped.length === 0 ? 'nothing was pending' : `dropped: ${dropped.join(', ')}`)
  for (const one of left) console.log(`left: ${waitingText(one)}; drop it too with --all`)
}

/** `sluice pipeline x failed-packages` */
export async function failedPackages(pipeline: Pipeline, _args: readonly string[], json: boolean): Promise<void> {
  const failed = pipeline.failedPackages()
  if (json) return printJson(failed.map(failedFacts))
  if (failed.length === 0) return console.log('no package has failed')
  console.log(failed.map(failedText).join('\n\n'))
  console.log(`\nThe next run reads their rows again. Else: failed-packages show|retry|discard <id>`)
}

function failedText(failed: FailedPackage): string {
  const { loadId, failedAt, dataset, rows } = failedFacts(failed)
  const reasons = failed.refusals.map((refusal) => {
    const { resources, resource, table: name, line, message, fix, follows } = refusal
    const whose = `  ${resource ?? (resources.join(', ') || 'all resources')}`
    if (follows !== undefined) return `${whose}: follows package ${follows}`
    const where = [name === undefined ? '' : `, table ${name}`, line === undefined ? '' : `, line ${line}`].join('')
    return `${whose}${where}: ${message}\n    fix: ${fix}`
  })
  return [`package ${loadId} of ${failedAt}, ${plural(rows, 'row')} for dataset ${dataset}`, ...reasons].join('\n')
}

const failedUses = ['show', 'retry', 'discard']

/** `sluice pipeline x failed-packages show|retry|discard <id>` */
export async function changeFailed(
  name: string,
  [use = '', loadId]: readonly string[],
  options: PackageChoice,
): Promise<void> {
  const failed = look(name).failedPackages()
  const found = failed.find(({ manifest }) => manifest.loadId === loadId)
  if (!failedUses.includes(use) || found === undefined) {
    const ids = failed.map(({ manifest }) => manifest.loadId).join(', ') || 'none'
    throw new PipelineError(`failed-packages ${use}: expected show, retry or discard and one of these ids: ${ids}`, {
      code: 'WRONG_USE',
      fix: `see them with: sluice pipeline ${name} failed-packages`,
    })
  }
  const { manifest } = found
  if (use === 'show') return showFailed(found, options.json === true)
  if (use === 'discard') {
    attach(name).discardFailedPackage(manifest.loadId)
    if (options.json === true) printJson({ discarded: manifest.loadId })
    else console.log(`discarded: ${manifest.loadId}`)
    return
  }
  const rows = await attachToFailed(name, manifest.loadId).retryFailedPackage(manifest.loadId, {
    force: options.force === true,
  })
  if (options.json === true) printJson({ loadId: manifest.loadId, rows })
  else
    console.log(
      `loaded: ${
        Object.entries(rows)
          .map(([one, n]) => `${one} ${count(n)}`)
          .join(', ') || 'it was there already'
      }`,
    )
}

/** The reason and the tables; the refused line where the destination names it and the table is in one file. */
function showFailed(failed: FailedPackage, json: boolean): void {
  const rows = refusedRows(failed)
  if (json) return printJson({ ...failedFacts(failed), refused: rows })
  console.log(failedText(failed))
  console.log(`\n${table(failedFacts(failed).tables)}`)
  for (const { table: name, line, columns, text } of rows)
    console.log(`\n${name}, line ${line}: ${columns.join(',')}\n${text}`)
}

/** A failed package in one line, with the command that shows it. */
export function setAsideLine({ loadId, failedAt, refusals, commands }: FailedFacts): string {
  const whose = [...new Set(refusals.map(({ resource, resources }) => resource ?? resources.join(', ')))].join(', ')
  const what = `package ${loadId} of ${failedAt.slice(0, 19).replace('T', ' ')} was set aside for ${whose || 'all resources'}`
  return `${style.failed(what)}\n  ${style.faint(commands.show)}`
}
