import { PipelineError } from '../errors/index.ts'
import { canonicalJson, contentId, digestId } from '../schema/index.ts'

/**
 * Recognizes rows that an earlier run has loaded, by their primary key or their content: rows at the position where the
 * cursor stopped, and rows beyond it that a limited run took. Only rows at the position are hashed, and those at the end of
 * each page, when it is known which they are.
 */
export class LoadedRows {
  private readonly resource: string
  private readonly keys: readonly string[]
  private readonly stored: ReadonlySet<string>
  private readonly beyond: ReadonlySet<string>
  private boundary: Set<string>
  /** Rows of the current page that are at the furthest position so far. */
  private readonly pending: unknown[] = []
  /** Rows that this run takes, while it may have to leave the cursor where it is. */
  private readonly taken: Set<string> | undefined

  constructor(
    resource: string,
    keys: readonly string[],
    known: { atBoundary: readonly string[]; beyond: readonly string[]; isLimited: boolean },
  ) {
    this.resource = resource
    this.keys = keys
    this.stored = new Set(known.atBoundary.map(shortened))
    this.boundary = new Set(this.stored)
    this.beyond = new Set(known.beyond)
    this.taken = known.isLimited ? new Set(known.beyond) : undefined
  }

  /** Hashes of the rows at the position. */
  get atBoundary(): string[] {
    return [...this.boundary]
  }

  get boundaryGrew(): boolean {
    return this.boundary.size !== this.stored.size
  }

  /** Hashes of rows beyond the stored position: those of this run too, or only those of earlier ones. */
  beyondStored(withThisRun: boolean): string[] {
    return [...(withThisRun && this.taken !== undefined ? this.taken : this.beyond)]
  }

  /** Rows beyond the position are to be recognized or remembered. */
  get looksBeyond(): boolean {
    return this.taken !== undefined || this.beyond.size > 0
  }

  /** The row moved the position. */
  restart(row: unknown): void {
    this.boundary.clear()
    this.pending.length = 0
    this.pending.push(row)
  }

  /** The row is at the position. */
  add(row: unknown): void {
    this.pending.push(row)
  }

  /** The position moved to where no row is. */
  clear(): void {
    this.boundary.clear()
    this.pending.length = 0
  }

  /** The page is complete. */
  settle(): void {
    for (const row of this.pending) {
      if (!this.isIn(this.boundary, row)) this.boundary.add(this.hashOf(row))
    }
    this.pending.length = 0
  }

  /** True for a row at the stored position that was loaded with it. */
  wasAtBoundary(row: unknown): boolean {
    return this.stored.size > 0 && this.isIn(this.stored, row)
  }

  /** True for a row that a limited run loaded. Of a row that changed since, the cursor value differs. */
  wasTaken(row: unknown, cursor: string): boolean {
    const hash = digestId(`${cursor} ${this.hashOf(row)}`)
    if (this.beyond.has(hash)) return true
    this.taken?.add(hash)
    return false
  }

  /** Every row must have its key, also those that need no hash. */
  checkKey(row: unknown): void {
    for (const key of this.keys) {
      if ((row as Record<string, unknown>)[key] !== undefined) continue
      throw new PipelineError(`resource "${this.resource}": a row has no "${key}", which is its primary key`, {
        code: 'CURSOR_MISSING',
        resource: this.resource,
        fix: 'name the key as the rows spell it',
      })
    }
  }

  /** dlt hashes a key that is declared as a list of one column as a list. */
  private isIn(hashes: ReadonlySet<string>, row: unknown): boolean {
    if (hashes.has(this.hashOf(row))) return true
    return this.keys.length === 1 && hashes.has(hashOfValue([this.keyOf(row, 0)]))
  }

  private hashOf(row: unknown): string {
    if (this.keys.length === 0) return shortened(contentId(row))
    if (this.keys.length === 1) return hashOfValue(this.keyOf(row, 0))
    return hashOfValue(this.keys.map((_, at) => this.keyOf(row, at)))
  }

  private keyOf(row: unknown, at: number): unknown {
    return (row as Record<string, unknown>)[this.keys[at]!]
  }
}

/** Hashes have 9 bytes, as in dlt since 1.29. Older states hold longer ones, which start with the same 12 characters. */
const shortened = (hash: string): string => hash.slice(0, 12)
const hashOfValue = (value: unknown): string => shortened(digestId(canonicalJson(value)))
