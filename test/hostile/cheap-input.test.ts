import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decimal, type ErrorCode } from '../../src/index.ts'
import { oneQuery } from '../../src/destinations/read-only.ts'
import { jsonPath, parseJson } from '../../src/extract/index.ts'
import { listedRows } from '../../src/normalize/index.ts'
import { coerce, decimalDigits, inferType, namingConvention, namingNames } from '../../src/schema/index.ts'
import { Config } from '../../src/config/index.ts'
import { readSourceSpec } from '../../src/sources/rest/source-file.ts'
import { readDocument } from '../../src/sources/rest/openapi/document.ts'
import { csvRows } from '../../src/sources/rest/formats/csv.ts'
import { jsonLines } from '../../src/sources/rest/formats/json-lines.ts'
import { parseXml } from '../../src/sources/rest/formats/xml.ts'
import { someOf } from '../support/effort.ts'
import { growth } from '../support/growth.ts'

const dataTypes = ['text', 'bigint', 'wei', 'double', 'decimal', 'bool', 'timestamp', 'date', 'time', 'binary'] as const

/** What reads text of strangers, and text made of its letters. */
const readers: [name: string, read: (text: string) => unknown][] = [
  ['parseJson', parseJson],
  ['inferType', inferType],
  ['decimal()', decimal],
  ['decimalDigits', decimalDigits],
  ['one query', oneQuery],
  ['JSONPath', jsonPath],
  ...dataTypes.map((type): [string, (text: string) => unknown] => [`coerce to ${type}`, (text) => coerce(text, type)]),
  ...namingNames.map((name): [string, (text: string) => unknown] => {
    const { key } = namingConvention(name, 63)
    return [`naming ${name}`, key]
  }),
]
const letters = [
  '0',
  '1',
  '9',
  '-',
  '_',
  ' ',
  '\n',
  '.',
  'e',
  ':',
  ',',
  ';',
  '(',
  '[',
  '{',
  '"',
  "'",
  '\\',
  '/*',
  '--',
  'aA',
  '1.0',
  '[1,',
  '{"a":',
  '":"',
  '="',
  '\ud800',
  'é',
  '💥',
]
const around: [start: string, end: string][] = [
  ['', ''],
  ['', 'x'],
  ['1.', '1'],
  ['a', 'b'],
  ['[1.', '1]'],
  ['{"', '":1}'],
]
const cases = readers.flatMap(([name, read]) =>
  letters.flatMap((letter) => around.map(([start, end]) => ({ name, read, letter, start, end }))),
)

describe('cheap input costs little', () => {
  it('whatever reads text takes four times as long for four times the text', () => {
    const slow = someOf(cases, 250).filter(({ read, letter, start, end }) => {
      const quietly = (text: string): void => {
        try {
          read(text)
        } catch {
          // Refused is fine.
        }
      }
      return growth((length) => start + letter.repeat(length / letter.length) + end, quietly) > 5
    })
    expect(slow.map(({ name, letter, start, end }) => [name, start, letter, end])).toEqual([])
  })

  it('a record of CSV beyond 64 MiB is refused by name', { tags: ['slow'] }, async () => {
    const rows = csvRows(endless(`a\n"${'x'.repeat(1e6)}`), { name: 'a.csv' })
    await expect(first(rows)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  it('lists of lists are taken apart once', () => {
    const nested = (depth: number): unknown[] => {
      let list: unknown[] = Array.from({ length: 20_000 }, () => ({ id: 1 }))
      for (let level = 0; level < depth; level++) list = [list]
      return list
    }
    expect(
      growth(
        (length) => 'x'.repeat(length / 100),
        ({ length }) => listedRows(nested(length)),
      ),
    ).toBeLessThan(5)
  })

  it.each<[string, ErrorCode, () => unknown]>([
    ['a number of 1,001 digits', 'LIMIT_EXCEEDED', () => parseJson(`[1.${'0'.repeat(998)}1]`)],
    ['a CSV of 10,001 columns', 'LIMIT_EXCEEDED', () => first(csvRows(chunks('c,'.repeat(10_001)), { name: 'a.csv' }))],
    [
      'a line of JSONL beyond 64 MiB',
      'LIMIT_EXCEEDED',
      () => first(jsonLines(endless('[1,'.repeat(300_000)), 'a.jsonl')),
    ],
    [
      'text repeated on 1,000 levels of XML',
      'LIMIT_EXCEEDED',
      () => parseXml(`${'<a>x'.repeat(900)}${'y'.repeat(9000)}${'</a>'.repeat(900)}`),
    ],
  ])('%s is refused by name', async (_what, code, read) => {
    await expect((async () => read())()).rejects.toMatchObject({ code })
  })
})

async function first(pages: AsyncIterable<unknown>): Promise<unknown> {
  for await (const page of pages) return page
  return undefined
}

async function* chunks(...texts: string[]): AsyncGenerator<string> {
  yield* texts
}

/** The same again and again, so that only a limit ends it. */
async function* endless(text: string): AsyncGenerator<string> {
  for (let at = 0; at < 200; at++) yield at === 0 ? text : text.replaceAll(/["\n]/g, 'x')
}

describe('files of settings', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bounded-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it.each<[string, string, ErrorCode]>([
    ['circular.source.yaml', 'a: &a\n  b: *a\n', 'SOURCE_INVALID'],
    [
      'laughs.source.yaml',
      Array.from({ length: 9 }, (_, at) => `a${at}: &a${at} [${at === 0 ? 'x' : Array(9).fill(`*a${at - 1}`)}]`).join(
        '\n',
      ),
      'SOURCE_INVALID',
    ],
    ['deep.source.json', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'SOURCE_INVALID'],
    ['deep.source.yaml', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`, 'SOURCE_INVALID'],
    ['large.source.yaml', `a: ${'x'.repeat(2 ** 20)}`, 'LIMIT_EXCEEDED'],
  ])('%s is refused by name', (name, text, code) => {
    expect(() => readSourceSpec(file(name, text))).toThrow(expect.objectContaining({ code }))
  })

  it('an OpenAPI description of 9 MiB of YAML is refused before it is parsed', async () => {
    await expect(readDocument(file('api.yaml', '# comment\n'.repeat(2 ** 20)))).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    })
  })

  it.skipIf(process.platform === 'win32')('a pipe, a device and a folder are refused, and not waited for', () => {
    const pipe = join(folder, 'pipe.source.yaml')
    execFileSync('mkfifo', [pipe])
    const device = join(folder, 'zero.source.yaml')
    symlinkSync('/dev/zero', device)
    mkdirSync(join(folder, '.sluice'))
    for (const path of [pipe, device, folder]) {
      expect(() => readSourceSpec(path)).toThrow(expect.objectContaining({ code: 'WRONG_USE' }))
    }
    execFileSync('mkfifo', [join(folder, '.sluice', 'config.toml')])
    expect(() => new Config({ projectDir: folder })).toThrow(expect.objectContaining({ code: 'WRONG_USE' }))
  })
})
