import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { StateRow } from '../destinations/index.ts'
import { PipelineError, refuseNewer } from '../errors/index.ts'
import { failpoint } from '../failpoints/index.ts'
import type { Check, StoredSchema } from '../schema/index.ts'

/** A file of a package; `path` is relative to the package's folder. */
export interface PackageFile {
  table: string
  path: string
  columns: readonly string[]
  rows: number
  bytes: number
  longestLine: number
}

/** Everything a load needs: written once, when the package is sealed. */
export interface PackageManifest {
  /** Of the package: `packageFormat` of what wrote it; none before 2026-11-26, which was the first. */
  format?: number
  loadId: string
  pipeline: string
  dataset: string
  createdAt: string
  schema: StoredSchema
  /** The pipeline state that belongs to these rows. */
  state: StateRow | undefined
  files: PackageFile[]
  /** Root tables whose content this package replaces, with or without rows. */
  replaced: string[]
  /** Tables to drop, and tables to empty, before anything is written. */
  dropped: string[]
  truncated: string[]
  /** What the rows of a table must fulfil. */
  checks: Record<string, Check[]>
}

/** A sealed package on disk. */
export interface LoadPackage {
  folder: string
  manifest: PackageManifest
}

/** Counted up when a package is written in another way; older ones are still loaded. */
const packageFormat = 1
const manifestName = 'package.json'
const keptManifests = 100

/**
 * Load packages of one pipeline. `building/` holds open files and is worthless after a crash; a package exists once its
 * folder has been renamed into `sealed/`; `loaded/` keeps the manifests of the last loads.
 */
export class PackageStore {
  readonly folder: string
  private files = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /** Throws away what a killed run left half-written. Only for the holder of the pipeline's lock. */
  reset(): void {
    rmSync(this.path('building'), { recursive: true, force: true })
    failpoint('building-emptied')
    for (const name of ['building', 'sealed', 'loaded']) mkdirSync(this.path(name), { recursive: true, mode: 0o700 })
  }

  /** Path for a new data file. Its name is counted, never taken from data. */
  readonly nextFilePath = (): string => this.path('building', `${++this.files}.csv`)

  /** Moves files into a package and seals it: after this returns, a crash loses nothing of it. */
  seal(manifest: PackageManifest): LoadPackage {
    const draft = this.path('building', manifest.loadId)
    mkdirSync(draft)
    failpoint('package-begun')
    const files = manifest.files.map((file) => {
      const name = basename(file.path)
      renameSync(file.path, join(draft, name))
      failpoint('package-file-moved')
      return { ...file, path: name }
    })
    const sealed = { format: packageFormat, ...manifest, files }
    writeDurably(join(draft, manifestName), JSON.stringify(sealed))
    syncFolder(draft)
    failpoint('package-described')
    const folder = this.path('sealed', manifest.loadId)
    renameSync(draft, folder)
    syncFolder(this.path('sealed'))
    failpoint('package-sealed')
    return { folder, manifest: sealed }
  }

  /** Sealed packages that are not loaded yet, oldest first. */
  pending(): LoadPackage[] {
    return this.names('sealed').map((name) => this.read(this.path('sealed', name)))
  }

  /** Manifests of finished loads, oldest first. */
  loaded(): PackageManifest[] {
    return this.names('loaded').map(
      (name) => JSON.parse(readFileSync(this.path('loaded', name), 'utf8')) as PackageManifest,
    )
  }

  /** Deletes a package's rows after they were loaded; its manifest stays for a while. */
  finish({ folder, manifest }: LoadPackage): void {
    // One rename each: a process killed in between leaves a whole package or none, never half of one.
    const name = `${manifest.loadId}.json`
    writeFileSync(this.path('building', name), JSON.stringify(manifest))
    failpoint('loaded-drafted')
    renameSync(this.path('building', name), this.path('loaded', name))
    failpoint('loaded-noted')
    const trash = this.path('building', `${manifest.loadId}.loaded`)
    renameSync(folder, trash)
    failpoint('package-moved-out')
    rmSync(trash, { recursive: true, force: true })
    failpoint('package-removed')
    const old = this.names('loaded').slice(0, -keptManifests)
    for (const name of old) rmSync(this.path('loaded', name), { force: true })
  }

  /** Deletes packages that were not loaded; returns their load ids. */
  dropPending(): string[] {
    const names = this.names('sealed')
    for (const name of names) {
      const trash = this.path('building', `${name}.dropped`)
      renameSync(this.path('sealed', name), trash)
      rmSync(trash, { recursive: true, force: true })
    }
    return names
  }

  private read(folder: string): LoadPackage {
    const manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as PackageManifest
    refuseNewer(`load package ${manifest.loadId}`, manifest.format, packageFormat)
    for (const file of manifest.files) {
      const path = join(folder, file.path)
      const size = existsSync(path) ? statSync(path).size : 0
      if (size !== file.bytes) throw damaged(manifest, file, size)
    }
    return { folder, manifest }
  }

  private names(state: string): string[] {
    const folder = this.path(state)
    return existsSync(folder) ? readdirSync(folder).sort() : []
  }

  private path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }
}

function damaged(manifest: PackageManifest, file: PackageFile, size: number): PipelineError {
  return new PipelineError(
    `load package ${manifest.loadId} is damaged: ${file.path} (table "${file.table}") has ${size} bytes, expected ${file.bytes}`,
    {
      code: 'PACKAGE_DAMAGED',
      fix: `drop it with: sluice pipeline ${manifest.pipeline} drop-pending-packages — the next run reads its rows again`,
    },
  )
}

function writeDurably(path: string, text: string): void {
  const descriptor = openSync(path, 'wx')
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes renames and new names in a folder survive a power cut. */
function syncFolder(path: string): void {
  // Windows cannot open folders; its renames are journaled.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
