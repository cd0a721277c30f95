import type { TableHints } from '../normalize/index.ts'

export type MarkHints = TableHints & {
  tableName?: string
  /**
   * Rows to load instead of a row that cannot be stored: it nests too deep, brings too many keys, or a value that no column
   * takes. Without it, such a row ends the run. Each row of the page is tried first, which takes twice the time.
   */
  otherwise?(row: unknown, error: Error): MarkedRows
}

/** Rows that carry hints of their own; made by `withHints`. */
export class MarkedRows {
  readonly rows: readonly unknown[]
  readonly hints: MarkHints

  constructor(rows: readonly unknown[], hints: MarkHints) {
    this.rows = rows
    this.hints = hints
  }
}

/** Yielded from a resource: these rows, and hints or a table name that hold from here on. */
export const withHints = (rows: unknown, hints: MarkHints): MarkedRows =>
  new MarkedRows(Array.isArray(rows) ? rows : [rows], hints)

/** Rows that go through a resource together: all of them marked alike, or none. */
export type Page = readonly unknown[] | MarkedRows

export const rowsOf = (page: Page): readonly unknown[] => (page instanceof MarkedRows ? page.rows : page)

/** Other rows with the marks of a page. */
export const withRows = (page: Page, rows: readonly unknown[]): Page =>
  page instanceof MarkedRows ? new MarkedRows(rows, page.hints) : rows

const isMarked = (row: unknown): boolean => row instanceof MarkedRows

/** A page among whose rows are marked ones, as pages that are marked alike. */
export function separated(page: Page): readonly Page[] {
  const rows = rowsOf(page)
  if (!rows.some(isMarked)) return [page]
  const pages: Page[] = []
  let plain: unknown[] = []
  const endPlain = (): void => {
    if (plain.length > 0) pages.push(withRows(page, plain))
    plain = []
  }
  for (const row of rows) {
    if (!(row instanceof MarkedRows)) {
      plain.push(row)
      continue
    }
    endPlain()
    const hints = page instanceof MarkedRows ? { ...page.hints, ...row.hints } : row.hints
    pages.push(...separated(new MarkedRows(row.rows, hints)))
  }
  endPlain()
  return pages
}
