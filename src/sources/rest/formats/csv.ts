import { PipelineError, withDriver } from '../../../errors/index.ts'
import type { CsvOptions } from '../spec.ts'
import { delimiterOf } from './csv-delimiter.ts'
import { tooLong, UnreadableLine } from './unreadable-line.ts'

const rowsPerPage = 1000
const sampleCharacters = 64 * 1024
/** No database has tables of so many. */
const mostColumns = 10_000
/** A quotation mark that is never closed would take in the rest of the file. */
const longestRecord = 64 * 1024 * 1024

export interface CsvFile {
  /** As errors call it. */
  name: string | undefined
  /** The delimiter that a content type or a name stands for. */
  expected?: string | undefined
}

/**
 * Rows of a CSV file, as strings by the names in its first line; an empty cell is null, a quoted one is an empty string.
 * Which columns are numbers or timestamps is declared by `columns` of the resource.
 */
export async function* csvRows(
  text: AsyncIterable<string>,
  file: CsvFile,
  options: CsvOptions = {},
): AsyncGenerator<unknown[]> {
  const { parse } = await withDriver('reading CSV', ['csv-parse'], () => import('csv-parse'))
  const { sample, rest } = await sampled(text)
  // Excel's way to name the delimiter.
  const [, stated] = /^sep=(.)\r?\n/i.exec(sample) ?? []
  const skipped = (options.skipLines ?? 0) + (stated === undefined ? 0 : 1)
  const quote = options.quote ?? '"'
  const clues = { quote, expected: file.expected, columns: options.columns?.length }
  const parser = parse({
    delimiter: options.delimiter ?? stated ?? delimiterOf(linesFrom(skipped, sample), file.name, clues),
    quote,
    // Found by itself, it would be the end of the first line only.
    record_delimiter: ['\r\n', '\n', '\r'],
    from_line: skipped + 1,
    max_record_size: longestRecord,
    skip_empty_lines: true,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  })
  let names = options.columns
  let failure: Error | undefined
  parser.on('error', (error) => (failure = error))
  let rows: unknown[] = []
  const take = (): void => {
    for (let cells: unknown = parser.read(); cells !== null; cells = parser.read()) {
      if (names === undefined) names = checkedNames(cells as (string | null)[], file.name)
      else rows.push(rowOf(names, cells as unknown[], file.name))
    }
    if ((failure as { code?: string } | undefined)?.code === 'CSV_MAX_RECORD_SIZE')
      throw tooLong('record', file.name, parser.info.lines, longestRecord)
    if (failure !== undefined) throw new UnreadableLine('CSV', file.name, parser.info.lines, failure)
  }
  for await (const chunk of startingWith(sample, rest)) {
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

function linesFrom(line: number, text: string): string {
  let at = 0
  for (let skipped = 0; skipped < line; skipped++) at = text.slice(at).search(/\n|$/) + at + 1
  return text.slice(at)
}

/** The first characters of a text, and what follows them. */
async function sampled(text: AsyncIterable<string>): Promise<{ sample: string; rest: AsyncIterator<string> }> {
  const rest = text[Symbol.asyncIterator]()
  let sample = ''
  while (sample.length < sampleCharacters) {
    const next = await rest.next()
    if (next.done === true) break
    sample += next.value
  }
  return { sample, rest }
}

async function* startingWith(sample: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  try {
    yield sample
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** Two columns of one name would become one. A column without a name gets one by its place. */
function checkedNames(header: readonly (string | null)[], file: string | undefined): string[] {
  if (header.length > mostColumns) throw tooManyColumns(header.length, file)
  const names = header.map((name, at) => (name === null || name.trim() === '' ? `column_${at + 1}` : name))
  const seen = new Set<string>()
  const twice = names.find((name) => seen.size === seen.add(name).size)
  if (twice === undefined) return names
  throw new PipelineError(`in ${file === undefined ? 'the CSV' : `"${file}"`} two columns are called "${twice}"`, {
    code: 'HTTP_NOT_JSON',
    fix: 'name the columns in the endpoint: csv: { skipLines: 1, columns: [ … ] }',
  })
}

/** All records have as many cells as the first one: the parser sees to it. */
function rowOf(names: readonly string[], cells: readonly unknown[], file: string | undefined): unknown {
  if (cells.length !== names.length) {
    throw new UnreadableLine('CSV', file, 1, new Error(`${cells.length} cells for ${names.length} declared columns`))
  }
  return Object.fromEntries(names.map((name, at) => [name, cells[at]]))
}

const tooManyColumns = (columns: number, file: string | undefined): PipelineError =>
  new PipelineError(
    `${file === undefined ? 'the CSV' : `"${file}"`} has ${columns.toLocaleString('en')} columns, and at most ${mostColumns.toLocaleString('en')} are read`,
    { code: 'LIMIT_EXCEEDED', fix: 'check the delimiter, or ask the API for fewer columns' },
  )
