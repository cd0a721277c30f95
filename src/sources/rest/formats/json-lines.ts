import { parseJson } from '../../../extract/index.ts'
import { UnreadableLine } from './unreadable-line.ts'

const linesPerPage = 1000

/** A JSON value in each line; empty lines are passed over. Lines are parsed a page at a time. */
export async function* jsonLines(text: AsyncIterable<string>, file: string | undefined): AsyncGenerator<unknown[]> {
  let rest = ''
  let lines: string[] = []
  let done = 0
  const parsed = (): unknown[] => {
    const page = parseLines(lines, file, done)
    done += lines.length
    lines = []
    return page
  }
  for await (const chunk of text) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    for (const part of parts) {
      lines.push(part)
      if (lines.length === linesPerPage) yield parsed()
    }
  }
  lines.push(rest)
  yield parsed()
}

/** RFC 7464 begins each text with a record separator; a file may begin with a byte order mark. */
const withoutMark = (line: string): string =>
  line.startsWith('\u001e') || line.startsWith('\ufeff') ? line.slice(1) : line

function parseLines(lines: readonly string[], file: string | undefined, before: number): unknown[] {
  const full = lines.map(withoutMark).filter((line) => line.trim() !== '')
  try {
    const page = parseJson(`[${full.join(',')}]`) as unknown[]
    if (page.length === full.length) return page
  } catch {
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
