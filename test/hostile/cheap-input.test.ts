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
import { Config, parseDocument, secret } from '../../src/config/index.ts'
import { readSourceSpec } from '../../src/sources/rest/source-file.ts'
import { Settings } from '../../src/sources/rest/auth/settings.ts'
import { ApiDocument, readDocument } from '../../src/sources/rest/openapi/document.ts'
import { csvRows } from '../../src/sources/rest/formats/csv.ts'
import { jsonLines } from '../../src/sources/rest/formats/json-lines.ts'
import { parseXml } from '../../src/sources/rest/formats/xml.ts'
import { someOf } from '../support/effort.ts'
import { growth } from '../support/growth.ts'
import { randomFrom, seed } from '../support/seed.ts'

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

/** Kinds of YAML lines whose number a stranger chooses. */
const yamlLines: [what: string, head: string, line: (at: number) => string][] = [
  ['keys', '', (at) => `k${at}: 1`],
  ['keys in braces', '', (at) => `${at === 0 ? '{' : ''}k${at}: 1,`],
  ['an ordered map', '%YAML 1.1\n--- !!omap\n', (at) => `- k${at}: 1`],
  ['a tagged ordered map', '!!omap\n', (at) => `- k${at}: 1`],
  ['aliases', '', (at) => `- &a${at} 1\n- *a${at}`],
]

describe('YAML', () => {
  it.each(yamlLines)('with many %s costs what its length does', (_what, head, line) => {
    const textOf = (length: number): string =>
      head + Array.from({ length: length / 10 }, (_, at) => line(at)).join('\n')
    const quietly = (text: string): void => {
      try {
        parseDocument(text, 'yaml')
      } catch {
        // Refused is fine.
      }
    }
    expect(growth(textOf, quietly)).toBeLessThan(7)
  })

  it('refuses a key that stands twice, wherever it is, with its name and its place', () => {
    const random = randomFrom(seed)
    for (let attempt = 0; attempt < 30; attempt++) {
      const keys = Array.from({ length: 2 + Math.floor(random() * 8) }, () => `k${Math.floor(random() * 12)}`)
      const twice = keys.findIndex((key, at) => keys.indexOf(key) !== at)
      const isFlow = random() < 0.5
      const text = isFlow
        ? `a: [{${keys.map((key) => `${key}: 1`).join(', ')}}]`
        : `a:\n  - ${keys.map((key) => `${key}: 1`).join('\n    ')}`
      const read = (): unknown => parseDocument(text, 'yaml')
      if (twice < 0) expect(read()).toEqual({ a: [Object.fromEntries(keys.map((key) => [key, 1]))] })
      else expect(read).toThrow(`the key "${keys[twice]}" stands twice in one map, at line ${isFlow ? 1 : twice + 2}`)
    }
  })

  it('reads aliases as their latest anchor, and merge keys of YAML 1.1', () => {
    expect(parseDocument('a: &x 1\nb: *x\nc: &x [2]\nd: *x', 'yaml')).toEqual({ a: 1, b: 1, c: [2], d: [2] })
    expect(parseDocument('%YAML 1.1\n---\na: &x {b: 1}\nc: {<<: *x, d: 2}', 'yaml')).toEqual({
      a: { b: 1 },
      c: { b: 1, d: 2 },
    })
    expect(() => parseDocument('? [a]\n: 1', 'yaml')).toThrow('is a key, at line 1, column 3')
    expect(() => parseDocument('a: *x\nb: &x 1', 'yaml')).toThrow('Unresolved alias')
    expect(() => parseDocument('['.repeat(5000), 'yaml')).toThrow('nests deeper than 200 levels')
  })
})

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

  it('settings of 4,000 levels, and a table where one value belongs, are refused by name', () => {
    const project = mkdtempSync(join(folder, 'project-'))
    mkdirSync(join(project, '.sluice'))
    const write = (text: string): void => writeFileSync(join(project, '.sluice', 'secrets.toml'), text)
    const token = (): string =>
      new Settings(new Config({ projectDir: project, env: {} }), { root: 'sources', name: 'shop' }).text(
        secret('token'),
      )
    for (const deep of [`[${'a.'.repeat(4000)}b]\n`, `${'a.'.repeat(4000)}b = 1\n`]) {
      write(deep)
      expect(token).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/200 levels/) }),
      )
    }
    for (const table of ['[sources.shop.token]\nvalue = "abcdefgh"', '[[sources.shop.token]]\nvalue = "abcdefgh"']) {
      write(table)
      expect(token).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/"sources\.shop\.token" is a table/),
        }),
      )
    }
  })

  it('an OpenAPI reference with a wrong percent code is refused by name', () => {
    const document = new ApiDocument({ openapi: '3.0.0', paths: {}, 'a b%': { type: 'string' } }, 'api.yaml')
    expect(document.at({ $ref: '#/a%20b%25' })).toEqual({ type: 'string' })
    for (const $ref of ['#/%', '#/paths/%zz', '#/a/%c3', '#/100%/b'])
      expect(() => document.at({ $ref })).toThrow(
        expect.objectContaining({ code: 'SOURCE_INVALID', message: expect.stringContaining($ref) }),
      )
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
