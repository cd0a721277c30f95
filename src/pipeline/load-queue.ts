import { EarlyLoad, type EarlyFile } from '../load/index.ts'
import type { LoadPackage } from '../package/index.ts'
import type { LoadedPackage } from './load-info.ts'
import type { PackageLimits } from './package-builder.ts'
import type { PackageLoads } from './package-loads.ts'
import type { RunEnvironment } from './run.ts'

/** Sealed packages wait here for the loader. One may wait while one loads; then extraction waits too. */
export class LoadQueue {
  private readonly environment: RunEnvironment
  private readonly loads: PackageLoads
  private readonly abort = new AbortController()
  private readonly loaded: LoadedPackage[] = []
  private last: Promise<void> = Promise.resolve()
  private beforeLast: Promise<void> = Promise.resolve()
  private early: EarlyLoad | undefined

  constructor(environment: RunEnvironment, loads: PackageLoads) {
    this.environment = environment
    this.loads = loads
  }

  /** Aborted as soon as a load fails that may succeed when it is tried again. */
  get failed(): AbortSignal {
    return this.abort.signal
  }

  /** A part is loaded in one transaction, beside others that load parts of the same tables. */
  get takesEarly(): boolean {
    const { destination, partition } = this.environment
    return destination.capabilities.load.early && partition === undefined
  }

  get limits(): PackageLimits {
    const { limits, partition } = this.environment
    if (partition !== undefined) return { maxBytes: Infinity, maxAgeMs: Infinity, fileBytes: Infinity }
    // Only an early load gains by files of a certain size.
    return this.takesEarly ? limits : { ...limits, fileBytes: Infinity }
  }

  /** Files of a package that still grows; its load may begin with them. */
  offer(loadId: string, files: readonly EarlyFile[]): void {
    if (files.length === 0) return
    this.early ??= new EarlyLoad(this.environment.session, loadId, this.last)
    this.early.offer(files)
  }

  /** Resolves when nobody reads a file that is to be moved. */
  async settled(): Promise<void> {
    await this.early?.settled()
  }

  async abandonEarly(): Promise<void> {
    await this.early?.abandon()
    this.early = undefined
  }

  /** Runs work that needs the session to itself: after the loads that wait, before the next one. */
  async between<T>(work: () => Promise<T>): Promise<T> {
    await this.abandonEarly()
    const before = this.last
    const done = before.then(work)
    this.last = before.then(() =>
      done.then(
        () => undefined,
        () => undefined,
      ),
    )
    this.last.catch(() => undefined)
    return done
  }

  /** Takes a package; resolves when there is room for the next one. */
  push(sealed: LoadPackage): Promise<void> {
    const room = this.beforeLast
    this.beforeLast = this.last
    this.last = this.loadAfter(this.last, sealed, this.early)
    this.early = undefined
    // The failure is thrown from `drain`; until then nobody awaits this promise.
    this.last.catch((error: unknown) => this.abort.abort(error))
    return room
  }

  private async loadAfter(previous: Promise<void>, sealed: LoadPackage, early: EarlyLoad | undefined): Promise<void> {
    await previous
    this.loaded.push(...(await this.loads.load(sealed, { recovered: false, early })))
  }

  async drain(): Promise<LoadedPackage[]> {
    await this.last
    return this.loaded
  }
}
