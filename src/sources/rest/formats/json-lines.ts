import { parseJson, parseLongJson } from '../../../extract/index.ts'
import { PipelineError } from '../../../errors/index.ts'
import { tooLong, UnreadableLine } from './unreadable-line.ts'

const linesPerPage = 1000
const mebibyte = 1024 * 1024
/** A page of long lines ends earlier, so that none of them takes long. */
const charactersPerPage = mebibyte
const longestLine = 64 * mebibyte

/** A JSON value in each line; empty lines are passed over. Lines are parsed a page at a time. */
export async function* jsonLines(text: AsyncIterable<string>, file: string | undefined): AsyncGenerator<unknown[]> {
  /** Parts of the line that has not ended: a long one is joined once. */
  let open: string[] = []
  let openLength = 0
  let lines: string[] = []
  let length = 0
  let done = 0
  const take = (line: string): void => {
    lines.push(line)
    length += line.length
  }
  const parsed = async (): Promise<unknown[]> => {
    const page = await parseLines(lines, file, done)
    done += lines.length
    lines = []
    length = 0
    return page
  }
  for await (const chunk of text) {
    const parts = chunk.split('\n')
    openLength += parts[0]!.length
    if (openLength > longestLine) throw tooLong('line', file, done + lines.length + 1, longestLine)
    open.push(parts[0]!)
    if (parts.length === 1) continue
    take(open.join(''))
    for (const line of parts.slice(1, -1)) {
      if (lines.length >= linesPerPage || length >= charactersPerPage) yield await parsed()
      take(line)
    }
    open = [parts.at(-1)!]
    openLength = open[0]!.length
    if (lines.length >= linesPerPage || length >= charactersPerPage) yield await parsed()
  }
  take(open.join(''))
  yield await parsed()
}

/** RFC 7464 begins each text with a record separator; a file may begin with a byte order mark. */
const withoutMark = (line: string): string =>
  line.startsWith('\u001e') || line.startsWith('\ufeff') ? line.slice(1) : line

async function parseLines(lines: readonly string[], file: string | undefined, before: number): Promise<unknown[]> {
  const full = lines.map(withoutMark).filter((line) => line.trim() !== '')
  try {
    const page = (await parseLongJson(`[${full.join(',')}]`)) as unknown[]
    if (page.length === full.length) return page
  } catch (error) {
    if (error instanceof PipelineError) throw error
    // Below, line by line: the one that is wrong is to be named.
  }
  return lines.flatMap((line, at) => {
    const own = withoutMark(line)
    if (own.trim() === '') return []
    try {
      return [parseJson(own)]
    } catch (error) {
      throw new UnreadableLine('JSONL', file, before + at + 1, error)
    }
  })
}
