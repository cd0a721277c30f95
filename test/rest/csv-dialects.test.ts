import { describe, expect, it } from 'vitest'
import { csvRows, type CsvFile } from '../../src/sources/rest/formats/csv.ts'
import type { EndpointSpec } from '../../src/sources/rest/index.ts'
import type { CsvOptions } from '../../src/sources/rest/spec.ts'
import { api } from '../support/api.ts'
import { load } from '../support/rest.ts'
import { fc } from '../support/seed.ts'

/** The rows of a text that comes in pieces of a length. */
async function read(
  text: string,
  options: CsvOptions = {},
  { file = {}, piece = 7 }: { file?: Partial<CsvFile>; piece?: number } = {},
) {
  async function* pieces() {
    for (let at = 0; at < text.length; at += piece) yield text.slice(at, at + piece)
  }
  return (await Array.fromAsync(csvRows(pieces(), { name: undefined, ...file }, options))).flat()
}

interface Dialect {
  delimiter: string
  lineEnd: string
  quotesAll: boolean
  mark: string
}

const dialects = fc.record<Dialect>({
  delimiter: fc.constantFrom(',', '\t', ';', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  quotesAll: fc.boolean(),
  mark: fc.constantFrom('', '\n', '\r\n\r\n'),
})

const written = (cells: readonly (string | null)[], { delimiter, quotesAll }: Dialect): string =>
  cells
    .map((cell) => {
      if (cell === null) return ''
      const needed = quotesAll || cell === '' || /["\r\n]/.test(cell) || cell.includes(delimiter)
      return needed ? `"${cell.replaceAll('"', '""')}"` : cell
    })
    .join(delimiter)

/** Names with letters of many kinds, whose header has no other delimiter. */
const names = fc.uniqueArray(
  fc
    .string({ unit: fc.constantFrom('a', 'b', 'é', ' ', '"', '.', '7', '\ufeff'), minLength: 1, maxLength: 6 })
    .filter((name) => name.trim() !== ''),
  { minLength: 2, maxLength: 5 },
)
const cell = fc.option(
  fc.string({ unit: fc.constantFrom('x', ',', ';', '|', '\t', '"', '\n', '\r', ' ', '1', '.', 'é', '\ufeff') }),
  { freq: 6 },
)
const tables = names.chain((header) =>
  fc.record({
    header: fc.constant(header),
    rows: fc.array(
      fc.tuple(...header.map(() => cell)).filter((cells) => cells.some((one) => one !== null)),
      { minLength: 1, maxLength: 6 },
    ),
  }),
)

describe('CSV in any dialect', () => {
  it('is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(tables, dialects, fc.integer({ min: 1, max: 40 }), async ({ header, rows }, dialect, piece) => {
        const lines = [header, ...rows].map((cells) => written(cells, dialect))
        const text = dialect.mark + lines.join(dialect.lineEnd) + dialect.lineEnd
        const expected = rows.map((cells) => Object.fromEntries(header.map((name, at) => [name, cells[at]])))
        expect(await read(text, {}, { piece })).toEqual(expected)
        expect(await read(text, { delimiter: dialect.delimiter }, { piece })).toEqual(expected)
        const bare = lines.slice(1).join(dialect.lineEnd)
        expect(await read(bare, { delimiter: dialect.delimiter, columns: header }, { piece })).toEqual(expected)
      }),
      { numRuns: 150 },
    )
  })

  it('a line with a cell more or less is refused with its number', async () => {
    await fc.assert(
      fc.asyncProperty(tables, dialects, fc.nat(), fc.boolean(), async ({ header, rows }, dialect, pick, more) => {
        const plain = rows.map((cells) => cells.map((one) => (one === null ? null : one.replaceAll(/[\r\n]/g, ' '))))
        const at = pick % plain.length
        plain[at] = more ? [...plain[at]!, 'x'] : ['x', ...plain[at]!.slice(2)]
        const lines = [header, ...plain].map((cells) => written(cells, dialect))
        const reading = read(lines.join(dialect.lineEnd), { delimiter: dialect.delimiter })
        await expect(reading).rejects.toThrow(`is not CSV in line ${at + 2}`)
      }),
      { numRuns: 60 },
    )
  })

  it.each<[string, string, CsvOptions, unknown[]]>([
    [
      'a header with another delimiter in one of its names',
      'id,price | EUR\n1,2\n',
      {},
      [{ id: '1', 'price | EUR': '2' }],
    ],
    [
      'decimal commas',
      'a;b\n1,5;2,5\n1;3,25\n',
      {},
      [
        { a: '1,5', b: '2,5' },
        { a: '1', b: '3,25' },
      ],
    ],
    ['the delimiter in a first line of its own', 'sep=;\r\na;b,c\r\n1;2,3\r\n', {}, [{ a: '1', 'b,c': '2,3' }]],
    ['one column', 'note\na\nb\n', {}, [{ note: 'a' }, { note: 'b' }]],
    ['one column of sentences', 'note\na; b\nplain\n', {}, [{ note: 'a; b' }, { note: 'plain' }]],
    [
      'a name that objects have',
      '__proto__,constructor\n1,2\n',
      {},
      [JSON.parse('{"__proto__":"1","constructor":"2"}')],
    ],
    ['columns without a name', 'a,,c,\n1,2,3,\n', {}, [{ a: '1', column_2: '2', c: '3', column_4: null }]],
    ['a title above the names', 'Report of May\na;b\n1;2\n', { skipLines: 1 }, [{ a: '1', b: '2' }]],
    ['names that come twice, named anew', 'a,a\n1,2\n', { skipLines: 1, columns: ['a', 'b'] }, [{ a: '1', b: '2' }]],
    [
      'no header',
      '1;Ada\n2;Bo\n',
      { columns: ['id', 'name'] },
      [
        { id: '1', name: 'Ada' },
        { id: '2', name: 'Bo' },
      ],
    ],
    ['quotes that are characters like others', 'a\tb\n5" pipe\t"x\n', { quote: '' }, [{ a: '5" pipe', b: '"x' }]],
    [
      'line ends of two kinds',
      'a,b\r\n1,2\n3,4\r5,6',
      {},
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
        { a: '5', b: '6' },
      ],
    ],
    ['only a header', 'a;b,c\n', {}, []],
    ['nothing', '', {}, []],
  ])('with %s', async (_what, text, options, expected) => {
    expect(await read(text, options)).toEqual(expected)
  })

  it.each<[string, string, RegExp]>([
    ['two delimiters that all lines have', 'a,b;c\n1,2;3\n4,5;6\n', /has "," and ";"/],
    ['one name above lines of several cells', 'Report\n1;2\n3;4\n', /all other lines have ";"/],
    ['two names alike', 'a;a\n1;2\n', /two columns are called "a"/],
    ['a quote in the middle', 'a,b\nx"y,2\n', /is not CSV in line 2/],
  ])('with %s is refused', async (_what, text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      fix: expect.stringMatching(/csv|format/),
    })
  })

  it('what is labelled as tabbed, but has no tabs, is read by what it has', async () => {
    expect(await read('a,b\n1,2\n', {}, { file: { expected: '\t' } })).toEqual([{ a: '1', b: '2' }])
    expect(await read('a,x\tb\n1\t2\n', {}, { file: { expected: '\t' } })).toEqual([{ 'a,x': '1', b: '2' }])
  })
})

describe('tab-separated values', () => {
  const text = 'id\tname, rate\n1\tAna, 0.5\n2\tBo, 0.25\n'
  const rows = [
    { id: '1', name_rate: 'Ana, 0.5' },
    { id: '2', name_rate: 'Bo, 0.25' },
  ]
  it.each<[string, Record<string, string>, string, EndpointSpec]>([
    ['a content type', { 'content-type': 'text/tab-separated-values; charset=utf-8' }, 'report', {}],
    ['the ending of the address', { 'content-type': 'application/octet-stream' }, 'report.tsv', {}],
    ['the ending of the address, sent as text', { 'content-type': 'text/plain' }, 'report.TSV', {}],
    [
      'the name of the download',
      { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="report.tsv"' },
      'report',
      {},
    ],
    ['the ending beside a declared format', { 'content-type': 'application/json' }, 'report.tsv', { format: 'csv' }],
    ['a declared delimiter', { 'content-type': 'text/csv' }, 'report', { csv: { delimiter: '\t' } }],
  ])('by %s', async (_what, headers, path, endpoint) => {
    const target = await api((_request, response) => {
      response.writeHead(200, headers)
      response.end(text)
    })
    const loaded = await load(target, [{ name: 'items', endpoint: { path, ...endpoint } }])
    expect(await loaded.rows('items')).toEqual(rows)
  })
})
