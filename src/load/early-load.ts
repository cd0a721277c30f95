import { basename } from 'node:path'
import { ColumnFixed, type DestinationSession, type LoadFile, type LoadTransaction } from '../destinations/index.ts'
import { failpoint } from '../failpoints/index.ts'
import type { LoadPackage } from '../package/index.ts'
import { rootOf, type Schema } from '../schema/index.ts'
import { explained, loadInto, spanned, type LoadReceipt, type TableSpan } from './load-package.ts'
import { migrate, type SchemaChange } from './migrate.ts'

/** A file that will not change any more, of a package that is still growing. */
export interface EarlyFile {
  table: string
  file: LoadFile
  /** The table with those it belongs to, as they were when the file ended. */
  schema: Schema
}

/** What an early load has done when its package comes. */
export interface EarlyRows {
  /** Files whose rows are in, by their path below the package. */
  files: ReadonlySet<string>
  changes: readonly SchemaChange[]
  spans: readonly TableSpan[]
}

/** A server must not have a transaction open for hours: it keeps it from cleaning up. */
const longestOpenMs = 10 * 60_000

/**
 * A load that begins before its package is complete: files of new tables are appended inside the transaction that will
 * commit the whole. Nobody sees such a table before, waits for it, or is left with its rows; when anything goes wrong,
 * or takes too long, the transaction is rolled back, and the package is loaded as any other.
 */
export class EarlyLoad {
  private readonly session: DestinationSession
  private readonly loadId: string
  private readonly waiting: EarlyFile[] = []
  private readonly loaded = new Set<string>()
  private readonly changes: SchemaChange[] = []
  private readonly spans: TableSpan[] = []
  private readonly outcome: Promise<LoadReceipt | undefined>
  private reading: Promise<void> = Promise.resolve()
  private paused = false
  private sealed: LoadPackage | undefined
  private ended = false
  private wake: () => void = () => undefined

  /** Begins when `after` is done, on the same connection. */
  constructor(session: DestinationSession, loadId: string, after: Promise<void>) {
    this.session = session
    this.loadId = loadId
    const tooLong = setTimeout(() => this.end(), longestOpenMs)
    this.outcome = this.run(after).finally(() => clearTimeout(tooLong))
    // Whoever finishes the load sees its failure.
    this.outcome.catch(() => undefined)
  }

  offer(files: readonly EarlyFile[]): void {
    this.waiting.push(...files)
    this.wake()
  }

  /** Resolves when no file is being read: from then on files may be moved. */
  settled(): Promise<void> {
    this.paused = true
    return this.reading
  }

  /** Completes the load with its package; `undefined` when that is still to be loaded, as a whole. */
  finish(sealed: LoadPackage): Promise<LoadReceipt | undefined> {
    const { loadId, files } = sealed.manifest
    const inPackage = new Set(files.map((file) => file.path))
    const isWhole = loadId === this.loadId && [...this.loaded].every((path) => inPackage.has(path))
    if (isWhole && !this.ended) this.sealed = sealed
    this.end()
    return explained(sealed, () => this.outcome)
  }

  /** Rolls back what was appended. */
  async abandon(): Promise<void> {
    this.end()
    await this.outcome.catch(() => undefined)
  }

  private end(): void {
    this.ended = true
    this.wake()
  }

  private async run(after: Promise<void>): Promise<LoadReceipt | undefined> {
    try {
      await after
      // The system tables are made, and committed, first: other pipelines must not wait for this one to end.
      await this.session.transaction(async () => undefined)
      return await this.session.transaction(async (load) => {
        await this.appendWaiting(load)
        if (this.sealed === undefined) throw new Error('the load is given up')
        const early = { files: this.loaded, changes: this.changes, spans: this.spans }
        return await loadInto(load, this.sealed, { early })
      })
    } catch (error) {
      // With its package there, the error is the load's; before that, or without a widening, the whole can still be loaded.
      if (this.sealed !== undefined && !(error instanceof ColumnFixed)) throw error
      return undefined
    }
  }

  private async appendWaiting(load: LoadTransaction): Promise<void> {
    const before = await load.catalog.tables()
    while (!this.ended) {
      const next = this.paused ? undefined : this.waiting.shift()
      if (next === undefined) {
        await new Promise<void>((resolve) => (this.wake = resolve))
      } else if ([...next.schema.tables.keys()].every((table) => !before.has(table))) {
        const appended = this.append(load, next)
        this.reading = appended.catch(() => undefined)
        await appended
      }
    }
  }

  private async append(load: LoadTransaction, { table, file, schema }: EarlyFile): Promise<void> {
    this.changes.push(...(await migrate(load.catalog, schema)))
    const own = schema.tables.get(table)!
    await spanned(this.spans, rootOf(schema, own).name, () => load.loader.append(own, [file], this.loadId))
    this.loaded.add(basename(file.path))
    failpoint('rows-appended')
  }
}
