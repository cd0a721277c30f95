import { PipelineError } from '../../../errors/index.ts'

const candidates = [',', '\t', ';', '|'] as const
type Delimiter = (typeof candidates)[number]
/** How often each delimiter stands outside of quotes in a line. */
type Counts = Record<Delimiter, number>

interface Clues {
  quote: string
  /** What the content type or the file's name says. */
  expected: string | undefined
  /** How many columns the source declares. */
  columns: number | undefined
}

/**
 * The delimiter of a file, from its first lines: the one that the first line has. Where it has several, it is the one that
 * all lines have equally often; where that is not clear, the source has to declare it.
 */
export function delimiterOf(sample: string, file: string | undefined, { quote, expected, columns }: Clues): string {
  const [first, ...others] = countsOf(sample, quote)
  if (first === undefined) return ','
  const present = candidates.filter((one) => first[one] > 0)
  if (present.some((one) => one === expected)) return expected!
  const fitting = present.filter((one) => columns !== undefined && first[one] === columns - 1)
  if (fitting.length === 1) return fitting[0]!
  if (present.length === 0) {
    const hidden = candidates.find((one) => one !== ',' && isEven(one, others) && (others[0]?.[one] ?? 0) > 0)
    if (hidden === undefined || columns === 1) return ','
    throw unclear(file, `its first line has one column, but all other lines have ${spelled(hidden)}`, hidden)
  }
  const even = others.length === 0 ? present : present.filter((one) => isEven(one, [first, ...others]))
  if (present.length === 1 || others.length === 0) return present[0]!
  if (even.length === 1) return even[0]!
  throw unclear(file, `its first line has ${present.map(spelled).join(' and ')}`, present.at(-1)!)
}

const isEven = (delimiter: Delimiter, lines: readonly Counts[]): boolean =>
  lines.every((line) => line[delimiter] === lines[0]![delimiter])

const spelled = (delimiter: string): string => (delimiter === '\t' ? 'tabs' : JSON.stringify(delimiter))

const unclear = (file: string | undefined, why: string, delimiter: string): PipelineError =>
  new PipelineError(`the delimiter of ${file === undefined ? 'the CSV' : `"${file}"`} is not clear: ${why}`, {
    code: 'HTTP_NOT_JSON',
    fix: `declare it in the endpoint, such as csv: { delimiter: ${JSON.stringify(delimiter)} }`,
  })

/** One entry a line that is not empty. The last line of a sample may be cut, so it counts only when it is the only one. */
function countsOf(sample: string, quote: string): Counts[] {
  const lines: Counts[] = []
  let counts = none()
  let [isQuoted, isEmpty] = [false, true]
  const end = (): void => {
    if (!isEmpty) lines.push(counts)
    counts = none()
    isEmpty = true
  }
  for (const character of sample) {
    if (quote !== '' && character === quote) isQuoted = !isQuoted
    const isEnd = !isQuoted && (character === '\n' || character === '\r')
    if (isEnd) end()
    else isEmpty = false
    if (!isQuoted && character in counts) counts[character as Delimiter] += 1
  }
  if (lines.length === 0) end()
  return lines
}

const none = (): Counts => ({ ',': 0, '\t': 0, ';': 0, '|': 0 })
