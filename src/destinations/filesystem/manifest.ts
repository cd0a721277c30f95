import { PipelineError } from '../../errors/index.ts'
import type { ObjectStore } from './object-store.ts'

/** A table as a manifest knows it: its columns with DuckDB's types, and the files that hold its rows. */
export interface ManifestTable {
  columns: Record<string, string>
  files: ManifestFile[]
}

/** A file, with the columns and types it was written with: they may have grown since. */
export interface ManifestFile {
  path: string
  columns: Record<string, string>
}

/** One version of a dataset. Only files that the newest manifest lists belong to it. */
export interface Manifest {
  version: number
  createdAt: string
  loadId: string | undefined
  tables: Record<string, ManifestTable>
}

const digits = 10
const keptVersions = 2

const pathOf = (dataset: string, version: number): string =>
  `${dataset}/_sluice/manifest-${String(version).padStart(digits, '0')}.json`

/** The newest version of a dataset; version 0 without tables when there is none. */
export async function newestManifest(store: ObjectStore, dataset: string): Promise<Manifest> {
  const newest = (await manifestPaths(store, dataset)).at(-1)
  if (newest === undefined) return { version: 0, createdAt: '', loadId: undefined, tables: {} }
  return JSON.parse((await store.read(newest)).toString()) as Manifest
}

const manifestPaths = async (store: ObjectStore, dataset: string): Promise<string[]> =>
  (await store.list(`${dataset}/_sluice`)).filter((path) => /\/manifest-\d+\.json$/.test(path)).sort()

/** Makes a version the newest. Fails when another writer was faster: then nothing of this one is visible. */
export async function publish(store: ObjectStore, dataset: string, manifest: Manifest): Promise<void> {
  if (await store.create(pathOf(dataset, manifest.version), JSON.stringify(manifest))) return
  throw new PipelineError(`another writer has changed ${store.location}/${dataset} since this load began`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: 'run again: the package waits, and is loaded on top of the other changes',
  })
}

/** Deletes manifests before the last ones, and files that no manifest lists any more. */
export async function removeOld(store: ObjectStore, dataset: string): Promise<void> {
  const paths = await manifestPaths(store, dataset)
  const kept = paths.slice(-keptVersions)
  const listed = new Set<string>()
  for (const path of kept) {
    const { tables } = JSON.parse((await store.read(path)).toString()) as Manifest
    for (const table of Object.values(tables)) for (const file of table.files) listed.add(file.path)
  }
  for (const path of paths.slice(0, -keptVersions)) {
    const { tables } = JSON.parse((await store.read(path)).toString()) as Manifest
    for (const file of Object.values(tables).flatMap((table) => table.files)) {
      if (!listed.has(file.path)) await store.remove(file.path)
    }
    await store.remove(path)
  }
}
