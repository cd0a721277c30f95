/** What must hold for the rows of a load before readers see them. Plain data, so that it goes with the package. */
export type Check = { severity?: CheckSeverity } & (
  | { type: 'not_null'; column: string }
  | { type: 'unique'; columns: readonly string[] }
  | { type: 'accepted'; column: string; values: readonly (string | number | boolean)[] }
  | { type: 'row_count'; min?: number; max?: number }
  /** The newest value of the column is at most so old. */
  | { type: 'freshness'; column: string; maxAgeSeconds: number }
  /** A query for rows that must not be; `{table}` is the table, `{load_id}` the load, quoted. */
  | { type: 'sql'; name: string; query: string }
)

/** `block`: nothing of the package is loaded; `quarantine`: the rows go to `<table>_quarantine`; `warn`: only told. */
export type CheckSeverity = 'block' | 'warn' | 'quarantine'

/** A check in words, for messages. */
export function checkName(check: Check): string {
  switch (check.type) {
    case 'not_null':
    case 'accepted':
      return `${check.type}(${check.column})`
    case 'unique':
      return `unique(${check.columns.join(', ')})`
    case 'row_count':
      return `row_count(${check.min ?? 0} to ${check.max ?? 'any'})`
    case 'freshness':
      return `freshness(${check.column}, ${check.maxAgeSeconds} s)`
    case 'sql':
      return check.name
  }
}

/** Rows that a check can point at and that can therefore be set aside. */
export const pointsAtRows = (check: Check): boolean => ['not_null', 'unique', 'accepted'].includes(check.type)
