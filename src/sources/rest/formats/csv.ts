import { withDriver } from '../../../errors/index.ts'
import type { CsvOptions } from '../spec.ts'
import { unreadableLine } from './unreadable-line.ts'

const rowsPerPage = 1000

/**
 * Rows of a CSV file, as texts by the names in its first line; an empty cell is null, a quoted one is an empty text.
 * Which columns are numbers or times is said by `columns` of the resource.
 */
export async function* csvRows(
  text: AsyncIterable<string>,
  file: string | undefined,
  options: CsvOptions = {},
): AsyncGenerator<unknown[]> {
  const { parse } = await withDriver('reading CSV', ['csv-parse'], () => import('csv-parse'))
  const parser = parse({
    bom: true,
    delimiter: options.delimiter ?? (file?.toLowerCase().endsWith('.tsv') === true ? '\t' : ','),
    quote: options.quote ?? '"',
    columns: options.columns === undefined ? checkedNames : [...options.columns],
    skip_empty_lines: true,
    cast: (value, { quoting, header }) => (value === '' && !quoting && !header ? null : value),
  })
  let failure: Error | undefined
  parser.on('error', (error) => (failure = error))
  let rows: unknown[] = []
  const take = (): void => {
    for (let row: unknown = parser.read(); row !== null; row = parser.read()) rows.push(row)
    if (failure !== undefined) throw unreadableLine('CSV', file, parser.info.lines, failure)
  }
  for await (const chunk of text) {
    parser.write(chunk)
    take()
    if (rows.length >= rowsPerPage) {
      yield rows
      rows = []
    }
  }
  const ended = new Promise<void>((resolve) => parser.once('close', resolve))
  parser.end()
  take()
  await ended
  take()
  if (rows.length > 0) yield rows
}

/** Two columns of one name would become one. */
function checkedNames(names: string[]): string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`two columns are called "${twice}"; name them all with csv.columns`)
  return names
}
