import { expect, test } from 'vitest'
import { effort } from '../support/effort.ts'
import { growth, leastCpuMs } from '../support/growth.ts'
import { regexLiterals, type FoundPattern } from '../support/regex-literals.ts'
import { randomFrom } from '../support/seed.ts'

/** Characters that a class stands for. */
const members: Readonly<Record<string, string>> = {
  d: '01',
  s: ' \n',
  w: 'aA_0',
  S: 'a',
  D: 'a',
  W: '-',
  p: 'aA1',
  P: '-',
}
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Characters that a pattern tells apart. */
function lettersOf(source: string): string[] {
  const letters = new Set('a0 _-')
  for (const [, escaped, plain] of source.matchAll(/\\(.)|(.)/gs)) {
    if (plain !== undefined) letters.add(plain)
    else for (const letter of escapes[escaped!] ?? members[escaped!] ?? escaped!) letters.add(letter)
  }
  return [...letters]
}

/** Literal parts of a pattern, such as `<!DOCTYPE`. */
const wordsOf = (source: string): string[] =>
  [...source.replaceAll(/\\(.)/g, '$1').matchAll(/[^()|[\]?*+^$]{2,16}/g)].map(([word]) => word)

/** Texts that make a pattern try in vain from many places: something repeated, and an end that does not fit. */
function* attempts({ source }: FoundPattern, random: () => number): Generator<(length: number) => string> {
  const letters = lettersOf(source)
  const words = wordsOf(source)
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? ''
  const repeated = [
    ...letters,
    ...words,
    ...Array.from({ length: effort(12, 200) }, () => pick(letters) + pick(letters)),
    ...Array.from({ length: effort(4, 50) }, () => pick(words) + pick(letters) + pick(words)),
  ]
  for (const pump of repeated) {
    const start = pick(['', '', ...letters, ...words])
    for (const before of new Set(['', start])) {
      for (const end of ['\u0001', '']) {
        yield (length) => before + pump.repeat(Math.ceil(length / pump.length)) + end
      }
    }
  }
}

function run(pattern: RegExp, text: string): void {
  pattern.lastIndex = 0
  if (pattern.global) text.replace(pattern, '')
  else pattern.exec(text)
}

test('no regular expression takes more than linear time', () => {
  const random = randomFrom()
  const patterns = regexLiterals('src').filter(({ file }) => !file.startsWith('dashboard/app'))
  expect(patterns.length).toBeGreaterThan(400)
  const slow = patterns.flatMap((found) => {
    const pattern = new RegExp(found.source, found.flags)
    for (const textOf of attempts(found, random)) {
      const text = textOf(5000)
      const isSuspect = leastCpuMs(1, () => run(pattern, text)) > 3 && leastCpuMs(3, () => run(pattern, text)) > 3
      if (isSuspect && growth(textOf, (long) => run(pattern, long)) > 5)
        return [`${found.file}: /${found.source}/ on ${JSON.stringify(textOf(20))}`]
    }
    return []
  })
  expect(slow).toEqual([])
})
