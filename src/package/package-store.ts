import { randomUUID } from 'node:crypto'
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
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { replaceFile, syncFolder } from '../disk/index.ts'
import type { StateRow } from '../destinations/index.ts'
import { type ErrorCode, refuseNewer } from '../errors/index.ts'
import { failpoint } from '../failpoints/index.ts'
import type { Check, StoredSchema } from '../schema/index.ts'
import { checkSizes } from './package-sizes.ts'

/** A file of a package; `path` is relative to the package's folder. */
export interface PackageFile {
  table: string
  path: string
  columns: readonly string[]
  rows: number
  bytes: number
  longestLine: number
}

/** Where a package belongs: the destination's name and its address without user and password. */
export interface PackagePlace {
  name: string
  address: string
}

/** Resources whose rows and states go together, with their root tables: what can be loaded without the other groups. */
export interface PackageGroup {
  resources: string[]
  tables: string[]
}

/** Everything a load needs: written once, when the package is sealed. */
export interface PackageManifest {
  /** The `packageFormat` of its writer; packages from before 2026-11-26 have none and count as format 1. */
  format?: number
  loadId: string
  pipeline: string
  dataset: string
  /** Absent in packages of format 1. */
  destination?: PackagePlace
  /** The source's name in the pipeline state. Absent in packages of format 1. */
  source?: string
  /** Shared by the packages that one run makes of one source: each follows those sealed before it. */
  series?: string
  /** Absent where all of it goes together. */
  groups?: PackageGroup[]
  /** Of a loaded package: its groups were loaded one by one. */
  byGroup?: boolean
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
  /** Its groups are loaded one by one, because the destination has refused the whole. */
  byGroup?: boolean
}

/** Why a group of a package was set aside. */
export interface Refusal {
  resources: string[]
  /** The one of them whose table was refused. */
  resource?: string
  /** Their tables that the package has rows for, or replaces. Absent in refusals from before 2026-11-28. */
  tables?: string[]
  code: ErrorCode
  /** With secrets masked. */
  message: string
  fix: string
  table?: string
  column?: string
  /** The line in the table's file, counted from 1, where the destination names it. */
  line?: number
  /** The load id of the refused package that this one follows: its rows were not tried. */
  follows?: string
}

/** A package that the destination has refused: its rows are kept, its state is not committed. */
export interface FailedPackage extends LoadPackage {
  failedAt: string
  refusals: Refusal[]
}

/** Counted up when packages are written differently; older ones are still loaded. */
export const packageFormat = 2
const manifestName = 'package.json'
const failureName = 'failure.json'
const byGroupName = 'by-group'
const keptManifests = 100
/** Failed packages that a pipeline keeps; a further one takes the place of the oldest, and the run reports it. */
export const keptFailed = 20

/**
 * Load packages of one pipeline. `building/` holds open files, in a folder of each run, and is worthless after a crash; a
 * package exists once its folder has been renamed into `sealed/`; `loaded/` keeps the manifests of the last loads; `failed/` keeps whole packages
 * that the destination refused.
 */
export class PackageStore {
  readonly folder: string
  /** Of this run alone: should another one work here at the same time, neither writes to files of the other. */
  private readonly run = randomUUID()
  private files = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * Throws away what a killed run left half-written. Only for the holder of the pipeline's lock, who disposes the result
   * before releasing the lock.
   */
  reset(): Disposable {
    rmSync(this.path('building'), { recursive: true, force: true })
    failpoint('building-emptied')
    for (const name of ['building', 'sealed', 'loaded', 'failed'])
      mkdirSync(this.path(name), { recursive: true, mode: 0o700 })
    mkdirSync(this.building())
    return { [Symbol.dispose]: () => rmSync(this.building(), { recursive: true, force: true }) }
  }

  /** Path for a new data file. Its name is counted, never taken from data. */
  readonly nextFilePath = (): string => this.building(`${++this.files}.csv`)

  /** Moves files into a package and seals it: after this returns, a crash loses nothing of it. */
  seal(manifest: PackageManifest): LoadPackage {
    const draft = this.building(manifest.loadId)
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
    return this.pendingManifests().map((manifest) => this.open(manifest))
  }

  /** Their manifests alone, nothing of the packages checked. */
  pendingManifests(): PackageManifest[] {
    return this.names('sealed').map((name) => this.manifestIn('sealed', name))
  }

  /** A sealed package; throws when it is damaged or was written by a newer version. */
  open({ loadId }: PackageManifest): LoadPackage {
    return this.read(this.path('sealed', loadId))
  }

  /** From here on the package's groups are loaded one by one. */
  splitByGroup({ folder, manifest }: LoadPackage): LoadPackage {
    replaceFile(join(folder, byGroupName), '', { durable: true })
    failpoint('package-split')
    return { folder, manifest, byGroup: true }
  }

  /** Moves a package out of the way of the others; returns the load ids of old failed packages that it displaced. */
  setAside(manifest: PackageManifest, refusals: readonly Refusal[]): string[] {
    const folder = this.path('sealed', manifest.loadId)
    const failure = { failedAt: new Date().toISOString(), refusals }
    replaceFile(join(folder, failureName), JSON.stringify(failure), { durable: true })
    failpoint('refusal-noted')
    mkdirSync(this.path('failed'), { recursive: true, mode: 0o700 })
    renameSync(folder, this.path('failed', manifest.loadId))
    syncFolder(this.path('failed'))
    syncFolder(this.path('sealed'))
    failpoint('package-set-aside')
    const old = this.names('failed')
      .slice(0, -keptFailed)
      .filter((name) => !this.isFollowed(this.manifestIn('failed', name)))
    for (const name of old) this.discard(name)
    return old
  }

  /** Packages that the destination refused, oldest first. */
  failed(): FailedPackage[] {
    return this.names('failed').map((name) => {
      const folder = this.path('failed', name)
      const failure = readJson<Pick<FailedPackage, 'failedAt' | 'refusals'>>(join(folder, failureName))
      return { folder, manifest: this.manifestIn('failed', name), ...failure }
    })
  }

  /** A failed package, whole; throws when it is damaged. */
  openFailed(failed: FailedPackage): FailedPackage {
    return { ...failed, ...this.read(failed.folder), byGroup: true }
  }

  /** Deletes a failed package. */
  discard(loadId: string): void {
    const trash = this.building(`${loadId}.discarded`)
    renameSync(this.path('failed', loadId), trash)
    failpoint('failed-moved-out')
    rmSync(trash, { recursive: true, force: true })
  }

  /** True while packages wait that were sealed after this one in the same run. */
  isFollowed({ series, loadId }: PackageManifest): boolean {
    return series !== undefined && this.pendingManifests().some((one) => one.series === series && one.loadId > loadId)
  }

  /** Neither pending nor failed packages are left. */
  get isEmpty(): boolean {
    return this.names('sealed').length + this.names('failed').length === 0
  }

  /** Manifests of finished loads, oldest first. */
  loaded(): PackageManifest[] {
    return this.names('loaded').map((name) => readJson<PackageManifest>(this.path('loaded', name)))
  }

  /** Deletes a package's rows after they were loaded; its manifest stays for a while. */
  finish({ folder, manifest: sealed, byGroup }: LoadPackage): void {
    const manifest = byGroup === true ? { ...sealed, byGroup } : sealed
    // One rename each: a process killed in between leaves a whole package or none, never half of one.
    const name = `${manifest.loadId}.json`
    writeFileSync(this.building(name), JSON.stringify(manifest))
    failpoint('loaded-drafted')
    renameSync(this.building(name), this.path('loaded', name))
    failpoint('loaded-noted')
    const trash = this.building(`${manifest.loadId}.loaded`)
    renameSync(folder, trash)
    failpoint('package-moved-out')
    rmSync(trash, { recursive: true, force: true })
    failpoint('package-removed')
    const old = this.names('loaded').slice(0, -keptManifests)
    for (const name of old) rmSync(this.path('loaded', name), { force: true })
  }

  /** Deletes packages that were not loaded, all or those that are chosen; returns their load ids. */
  dropPending(isChosen: (manifest: PackageManifest) => boolean = () => true): string[] {
    const names = this.names('sealed').filter((name) => isChosen(this.manifestIn('sealed', name)))
    for (const name of names) {
      const trash = this.building(`${name}.dropped`)
      renameSync(this.path('sealed', name), trash)
      rmSync(trash, { recursive: true, force: true })
    }
    return names
  }

  private read(folder: string): LoadPackage {
    const manifest = readJson<PackageManifest>(join(folder, manifestName))
    refuseNewer(`load package ${manifest.loadId}`, manifest.format, packageFormat)
    const sealed = { folder, manifest, byGroup: existsSync(join(folder, byGroupName)) }
    checkSizes(sealed)
    return sealed
  }

  private manifestIn(state: string, name: string): PackageManifest {
    return readJson(this.path(state, name, manifestName))
  }

  private names(state: string): string[] {
    const folder = this.path(state)
    return existsSync(folder) ? readdirSync(folder).sort() : []
  }

  private building(...parts: string[]): string {
    return this.path('building', this.run, ...parts)
  }

  private path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

function writeDurably(path: string, text: string): void {
  const descriptor = openSync(path, 'wx')
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
