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
const manifestFormat = 1

async function readManifest(store: ObjectStore, path: string): Promise<Manifest> {
  const manifest = JSON.parse((await store.read(path)).toString()) as Manifest
  refuseNewer(`${store.location}/${path}`, manifest.format, manifestFormat)
  return manifest
}

/** The newest version of a dataset; version 0 without tables when there is none. */
export async function newestManifest(store: ObjectStore, dataset: string): Promise<Manifest> {
  const newest = (await manifestPaths(store, dataset)).at(-1)
  return newest === undefined
    ? { version: 0, createdAt: '', loadId: undefined, tables: {} }
    : readManifest(store, newest)
}

/** Makes a version the newest. Fails when another writer was faster: then nothing of this one is visible. */
export async function publish(store: ObjectStore, dataset: string, manifest: Manifest): Promise<void> {
  if (manifest.version === 1) await refuseOverwriting(store, dataset)
  const path = pathOf(dataset, manifest.version)
  const content = JSON.stringify({ format: manifestFormat, ...manifest })
  if (await store.create(path, content)) return
  // Ours: the answer to an earlier try was lost on the way.
  if ((await store.read(path)).toString() === content) return
  throw new PipelineError(`another writer has changed ${store.location}/${dataset} since this load began`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: 'run again: the package waits, and is loaded on top of the other changes',
  })
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
    const expired = await readManifest(store, paths[at]!)
    // Kept from the moment it was replaced, not from the moment it was written.
    const next = await readManifest(store, paths[at + 1]!)
    if (Date.parse(next.createdAt) > oldest) return
    // A file that a version no longer lists is never listed again: load ids are unique.
    const listed = new Set(filesOf(next))
    for (const path of filesOf(expired)) {
      if (listed.has(path)) continue
      await store.remove(path)
      failpoint('old-file-removed')
    }
    await store.remove(paths[at]!)
    failpoint('old-version-removed')
  }
}

const filesOf = ({ tables }: Manifest): string[] =>
  Object.values(tables).flatMap(({ files }) => files.map(({ path }) => path))
