import { randomUUID } from 'node:crypto'
import { PipelineError, refuseNewer } from '../../errors/index.ts'
import { failpoint } from '../../failpoints/index.ts'
import type { ObjectStore } from '../stores/index.ts'

/** A table as a manifest knows it: its columns with DuckDB's types, and the files that hold its rows. */
export interface ManifestTable {
  columns: Record<string, string>
  /** The columns and types that files were written with; they may have grown since. */
  shapes: Record<string, string>[]
  files: ManifestFile[]
}

export interface ManifestFile {
  path: string
  /** Index into the table's shapes. */
  shape: number
  /** The one value that each partition column has in this file. */
  partition?: Record<string, string | null>
}

/** One version of a dataset. Only files that the newest manifest lists belong to it. */
export interface Manifest {
  /** `manifestFormat` of what wrote it; none before 2026-11-26, which was the first. */
  format?: number
  version: number
  /** Of this version and no other; none before 2026-11-26. */
  id?: string
  /** The ids of the versions that this one was made from, the latest first, as far back as `remembered`. */
  standsOn?: string[]
  createdAt: string
  loadId: string | undefined
  tables: Record<string, ManifestTable>
}

/** How many old versions stay, for readers that began before. */
export interface Retention {
  /** @default 2 */
  versions?: number
  /** Versions younger than this stay too, however many. @default 0 */
  days?: number
}

const digits = 10

const pathOf = (dataset: string, version: number): string =>
  `${dataset}/_sluice/manifest-${String(version).padStart(digits, '0')}.json`

const manifestPaths = async (store: ObjectStore, dataset: string): Promise<string[]> =>
  (await store.list(`${dataset}/_sluice`)).filter((path) => /\/manifest-\d+\.json$/.test(path)).sort()

/** Counted up when datasets of files are written in another way; older ones are still read. */
export const manifestFormat = 1

/** How many versions may be published after one before its writer can no longer tell that they stand on it. */
const remembered = 50

const overtaken = (store: ObjectStore, dataset: string): PipelineError =>
  new PipelineError(`another writer has changed ${store.location}/${dataset} since this load began`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: 'run again: the package waits, and is loaded on top of the other changes',
  })

/** One version; `undefined` when it was listed, and another writer has removed it since. */
async function readManifest(store: ObjectStore, dataset: string, path: string): Promise<Manifest | undefined> {
  let content: Buffer
  try {
    content = await store.read(path)
  } catch (error) {
    if ((await manifestPaths(store, dataset)).includes(path)) throw error
    return undefined
  }
  const manifest = JSON.parse(content.toString()) as Manifest
  refuseNewer(`${store.location}/${path}`, manifest.format, manifestFormat)
  return manifest
}

/** The newest version of a dataset; version 0 without tables when there is none. */
export async function newestManifest(store: ObjectStore, dataset: string): Promise<Manifest> {
  for (;;) {
    const newest = (await manifestPaths(store, dataset)).at(-1)
    if (newest === undefined) return { version: 0, createdAt: '', loadId: undefined, tables: {} }
    const manifest = await readManifest(store, dataset, newest)
    if (manifest !== undefined) return manifest
  }
}

/**
 * Makes tables the newest version, on top of the version they were made from. Fails when another writer was faster:
 * then nothing of this one is visible.
 */
export async function publish(
  store: ObjectStore,
  dataset: string,
  before: Manifest,
  change: Pick<Manifest, 'loadId' | 'tables'>,
): Promise<void> {
  const version = before.version + 1
  if (version === 1) await refuseOverwriting(store, dataset)
  const id = randomUUID()
  const standsOn = before.id === undefined ? [] : [before.id, ...(before.standsOn ?? [])].slice(0, remembered)
  const manifest: Manifest = {
    format: manifestFormat,
    version,
    id,
    standsOn,
    createdAt: new Date().toISOString(),
    ...change,
  }
  const path = pathOf(dataset, version)
  const content = JSON.stringify(manifest)
  // What is there may be ours: the answer to an earlier try was lost on the way.
  if (!(await store.create(path, content)) && (await store.read(path)).toString() !== content)
    throw overtaken(store, dataset)
  // The name was free; also after others had used it and removed it again, while this writer slept.
  if ((await manifestPaths(store, dataset)).at(-1) === path) return
  const newest = await newestManifest(store, dataset)
  if (newest.id !== id && newest.standsOn?.includes(id) !== true) throw overtaken(store, dataset)
}

/** Some stores take `If-None-Match` and overwrite all the same; on those, one of two writers would be lost silently. */
async function refuseOverwriting(store: ObjectStore, dataset: string): Promise<void> {
  const probe = `${dataset}/_sluice/create-only`
  const content = 'Written once, to see that this store does not overwrite what it was told to create.'
  await store.create(probe, content)
  if (!(await store.create(probe, content))) return
  throw new PipelineError(`${store.location} overwrites objects that are there, although told not to`, {
    code: 'LOAD_FAILED',
    fix: 'use a store with conditional writes: Amazon S3, Google Cloud Storage, Azure, Cloudflare R2, MinIO, a local disk',
  })
}

/** Deletes versions that are no longer to be kept, and the files that only they list. */
export async function removeOld(store: ObjectStore, dataset: string, retention: Retention): Promise<void> {
  const { versions = 2, days = 0 } = retention
  const paths = await manifestPaths(store, dataset)
  const oldest = Date.now() - days * 86_400_000
  for (let at = 0; at < paths.length - Math.max(1, versions); at++) {
    const expired = await readManifest(store, dataset, paths[at]!)
    const next = await readManifest(store, dataset, paths[at + 1]!)
    // Another writer is doing the same.
    if (expired === undefined || next === undefined) return
    // Kept from the moment it was replaced, not from the moment it was written.
    if (Date.parse(next.createdAt) > oldest) return
    await removeFilesOnlyIn(expired, next, store)
    await store.remove(paths[at]!)
    failpoint('old-version-removed')
  }
}

async function removeFilesOnlyIn(expired: Manifest, next: Manifest, store: ObjectStore): Promise<void> {
  // A version that was published too late: its load is tried again, and writes the same files.
  if (expired.id !== undefined && next.standsOn?.includes(expired.id) !== true) return
  // A file that a version no longer lists is never listed again: load ids are unique.
  const listed = new Set(filesOf(next))
  for (const path of filesOf(expired)) {
    if (listed.has(path)) continue
    await store.remove(path)
    failpoint('old-file-removed')
  }
}

const filesOf = ({ tables }: Manifest): string[] =>
  Object.values(tables).flatMap(({ files }) => files.map(({ path }) => path))
