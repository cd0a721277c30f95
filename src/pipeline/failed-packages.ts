import { readdirSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineError } from '../errors/index.ts'
import { loadPackage } from '../load/index.ts'
import { PackageStore, type FailedPackage, type LoadPackage } from '../package/index.ts'
import { system } from '../schema/index.ts'
import { everything, isEverything, partOf } from './package-loads.ts'
import { goesTo } from './package-place.ts'
import type { RunEnvironment } from './run.ts'

/** The folders of a pipeline's working data that hold packages: its own, and one for each of its parts. */
export function packageFolders(dataDir: string): string[] {
  const parts = join(dataDir, 'partitions')
  const names = existsSync(parts) ? readdirSync(parts).sort() : []
  return [dataDir, ...names.map((name) => join(parts, name))]
}

export const packageStore = (folder: string): PackageStore => new PackageStore(join(folder, 'packages'))

/** The folder that holds a failed package, and the package. */
export function findFailed(dataDir: string, loadId: string): { folder: string; failed: FailedPackage } {
  for (const folder of packageFolders(dataDir)) {
    const failed = packageStore(folder)
      .failed()
      .find(({ manifest }) => manifest.loadId === loadId)
    if (failed !== undefined) return { folder, failed }
  }
  throw new PipelineError(`there is no failed package ${loadId}`, {
    code: 'WRONG_USE',
    fix: 'see which there are: sluice pipeline <name> failed-packages',
  })
}

/**
 * Loads a failed package after all, with its state. With `force` its rows alone, also where newer ones were loaded since.
 * Returns the rows by table.
 */
export async function retryFailed(
  environment: RunEnvironment,
  failed: FailedPackage,
  force: boolean,
): Promise<Record<string, number>> {
  const { store, session } = environment
  const { manifest } = failed
  if (!goesTo(environment.target, manifest, environment.remembered)) {
    throw wrong(
      failed,
      'belongs to another destination or dataset',
      'use the pipeline with the destination and dataset that it belongs to',
    )
  }
  if (store.isFollowed(manifest)) {
    throw wrong(
      failed,
      'is followed by packages that wait',
      `run the pipeline first: sluice run, or drop them: sluice pipeline ${manifest.pipeline} drop-pending-packages`,
    )
  }
  const whole = store.openFailed(failed)
  const rows = new Map<string, number>()
  for (const part of await partsOf(environment, whole)) {
    const since = force ? undefined : await loadedSince(environment, part, whole)
    if (since !== undefined) {
      throw wrong(
        failed,
        `is older than what table "${since}" got since, which may be the same rows read again`,
        `discard it: sluice pipeline ${manifest.pipeline} failed-packages discard ${manifest.loadId} — or load its rows all the same, with retry --force`,
      )
    }
    const sealed = force ? { ...part, manifest: { ...part.manifest, state: undefined } } : part
    const receipt = await loadPackage(session, sealed, { isSecondTry: true })
    if (!receipt.alreadyLoaded)
      for (const [table, count] of receipt.rows) rows.set(table, (rows.get(table) ?? 0) + count)
  }
  store.finish(whole)
  return Object.fromEntries(rows)
}

/** Deletes a failed package, unless packages that wait follow it. */
export function discardFailed(store: PackageStore, failed: FailedPackage): void {
  if (store.isFollowed(failed.manifest)) {
    const fix = 'run the pipeline first: packages that follow a failed one are loaded without its resources'
    throw wrong(failed, 'is followed by packages that wait', fix)
  }
  store.discard(failed.manifest.loadId)
}

/** The groups of a failed package that were not loaded. */
async function partsOf(environment: RunEnvironment, whole: FailedPackage): Promise<LoadPackage[]> {
  const { groups } = whole.manifest
  // One that was refused as a whole is loaded as a whole, with the state that is stored now.
  if (groups === undefined) return [whole]
  if (whole.refusals.some((refusal) => isEverything(whole.manifest, refusal))) {
    return [await partOf(environment, whole, everything(whole.manifest), 0)].filter((part) => part !== undefined)
  }
  const parts: LoadPackage[] = []
  for (const [at, group] of groups.entries()) {
    const isRefused = whole.refusals.some(({ resources }) => group.resources.some((name) => resources.includes(name)))
    const part = isRefused ? await partOf(environment, whole, group, at) : undefined
    if (part !== undefined) parts.push(part)
  }
  return parts
}

/** A table of the part that got rows from packages which are newer, and not of the same run. */
async function loadedSince(
  { session, store }: RunEnvironment,
  part: LoadPackage,
  { manifest }: FailedPackage,
): Promise<string | undefined> {
  const { reader } = session
  const known = await reader.tables()
  const siblings = store.loaded().filter(({ series }) => series !== undefined && series === manifest.series)
  const own = [manifest, ...siblings].map(({ loadId }) => loadId)
  const { tables } = part.manifest.schema
  const names = [...part.manifest.files.map((file) => file.table), ...part.manifest.replaced]
  for (const table of new Set(names)) {
    if (tables[table]?.parent !== undefined || !known.has(table)) continue
    const rows = await reader.rows(
      `SELECT DISTINCT l.load_id AS load_id FROM ${reader.tableName(table)} AS t JOIN ${reader.tableName(system.loads)} AS l ` +
        `ON l.load_id = t.${reader.quote(system.loadId)} WHERE l.inserted_at > CAST($1 AS ${reader.momentType})`,
      [manifest.createdAt],
    )
    if (rows.some((row) => !own.some((id) => String(row.load_id).startsWith(id)))) return table
  }
  return undefined
}

const wrong = ({ manifest }: FailedPackage, what: string, fix: string): PipelineError =>
  new PipelineError(`failed package ${manifest.loadId} ${what}`, { code: 'WRONG_USE', fix })
