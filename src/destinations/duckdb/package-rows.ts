import type { BulkLoad } from '../sql/sql-destination.ts'
import { literal } from './dialect.ts'

/** The rows of a package's files as a table function: DuckDB reads the text with types given, nothing guessed. */
export function packageRows(
  load: Pick<BulkLoad, 'files' | 'longestLine' | 'ordered'>,
  cells: readonly { name: string; type: string }[],
): string {
  const columns = cells.map(({ name, type }) => `${literal(name)}: ${literal(type)}`)
  return (
    `read_csv([${load.files.map(literal).join(', ')}], columns = {${columns.join(', ')}}, auto_detect = false, ` +
    `header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n', nullstr = '', ` +
    `allow_quoted_nulls = false, parallel = ${!load.ordered}, ${bufferOptions(load.longestLine)})`
  )
}

/** Every thread holds a buffer; longer lines need larger ones than these. */
function bufferOptions(longestLine: number): string {
  const line = Math.max(1024 * 1024, longestLine)
  return `max_line_size = ${line}, buffer_size = ${Math.max(16 * 1024 * 1024, 2 * line)}`
}
