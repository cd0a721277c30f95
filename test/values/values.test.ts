import { describe, expect, it } from 'vitest'
import { decimal, type RunEvent } from '../../src/index.ts'
import { parseJson } from '../../src/extract/index.ts'
import { restSource } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, tableNames } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

type Row = Record<string, unknown>

async function roundTrip(rows: unknown[], columns = 'id, v'): Promise<Row[]> {
  const loading = freshPipeline()
  await loading.run(rows, { tableName: 't' })
  return loading.dataset().query(`select ${columns} from data.t order by id`).toArray()
}

/** The JSON text as an API would send it, through to the table. */
async function loadJson(text: string): Promise<{ rows: Row[]; columns: Record<string, string> }> {
  const target = await api((_request, response) => response.end(text))
  const loading = freshPipeline()
  await loading.run(restSource({ name: 's', client: { baseUrl: target.baseUrl }, resources: ['t'] }))
  const listed = await loading
    .dataset()
    .query<{ name: string; type: string }>(
      "select column_name as name, data_type as type from information_schema.columns where table_schema = 'data' and table_name = 't' and column_name not like '\\_dlt%' escape '\\'",
    )
    .toArray()
  const rows = await loading
    .dataset()
    .query('select * exclude (_dlt_id, _dlt_load_id) from data.t order by id')
    .toArray()
  return { rows, columns: Object.fromEntries(listed.map(({ name, type }) => [name, type])) }
}

describe('text survives the package', () => {
  const texts: [name: string, text: string][] = [
    ['quotes, commas and newlines', 'he said "hi",\nthen\r\nleft\r'],
    ['nothing but a quote', '"'],
    ['an empty text, which is not null', ''],
    ['NUL', 'a\u0000b'],
    ['what looks like null', 'NULL'],
    ['backslashes', '\\N \\" \\.'],
    ['line separators', 'a\u2028b\u2029c\u0085d'],
    ['astral characters', '🙏👩‍👩‍👧 𝒳'],
    ['blanks around', '  x\t'],
    ['formulas', '=HYPERLINK("x")'],
    ['a million characters', 'ab"c\n,'.repeat(170_000)],
    ['five million characters', 'x'.repeat(5_000_000)],
  ]

  it('of each kind', async () => {
    // With nulls around them, in a column of their own and next to others.
    const rows = [['first', 'first'] as const, ...texts].flatMap(([name, v], at) => [
      { id: 2 * at, name, v, w: 'next' },
      { id: 2 * at + 1, name: 'nothing', v: null, w: v },
    ])
    const stored = await roundTrip(rows, 'id, name, v, w')
    for (const [at, row] of rows.entries()) expect(stored[at], rows[at & ~1]!.name).toEqual(row)
    expect(stored).toHaveLength(rows.length)
  })

  it('any text, among others', async () => {
    const anyText = fc.string({ unit: 'grapheme', maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyText, fc.option(anyText)), { minLength: 1, maxLength: 300 }),
        async (texts) => {
          // The first value makes the column text, whatever the others look like.
          const rows = [{ id: 0, v: 'text', w: 'text' }, ...texts.map(([v, w], at) => ({ id: at + 1, v, w }))]
          expect(await roundTrip(rows, 'id, v, w')).toEqual(rows)
        },
      ),
      { numRuns: effort(6, 100) },
    )
  })

  it('tells of half a surrogate pair, which no database stores', async () => {
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    await loading.run([{ id: 1, v: 'a\ud800b' }], { tableName: 't' })
    expect(await loading.dataset().query('select v from data.t').toArray()).toEqual([{ v: 'a\ufffdb' }])
    expect(events).toContainEqual({ type: 'notice', notice: { kind: 'character-replaced', table: 't' } })
  })
})

describe('numbers are exact', () => {
  it('whole numbers of any size', async () => {
    const { rows, columns } = await loadJson(
      '[{"id":1,"a":9007199254740993,"b":12345678901234567890},{"id":2,"a":-9223372036854775808,"b":1}]',
    )
    expect(rows).toEqual([
      { id: 1, a: '9007199254740993', b: '12345678901234567890' },
      { id: 2, a: '-9223372036854775808', b: '1' },
    ])
    expect(columns).toMatchObject({ a: 'BIGINT', b: 'DECIMAL(38,0)' })
  })

  it('also at the edges of 64 bits, in a column that was narrower', async () => {
    const edges = { a: 2n ** 63n - 1n, b: -(2n ** 63n), c: 2n ** 63n, d: -(2n ** 63n) - 1n }
    const rows = await roundTrip(
      [
        { id: 1, a: 1, b: 1, c: 1, d: 1 },
        { id: 2, ...edges },
      ],
      'a, b, c, d',
    )
    const texts = rows.map((row) => Object.values(row).map(String))
    expect(texts).toEqual([['1', '1', '1', '1'], Object.values(edges).map(String)])
  })

  it('12.0 is a double, 12 is not', async () => {
    const { rows, columns } = await loadJson('[{"id":1,"a":12.0,"b":12,"c":1e5,"d":1.5}]')
    expect(rows).toEqual([{ id: 1, a: 12, b: 12, c: 100000, d: 1.5 }])
    expect(columns).toEqual({ id: 'BIGINT', a: 'DOUBLE', b: 'BIGINT', c: 'DOUBLE', d: 'DOUBLE' })
  })

  it('long decimals keep their digits, and get the scale they need', async () => {
    const { rows, columns } = await loadJson(
      '[{"id":1,"v":0.1234567890123456789},{"id":2,"v":123456789.12345678901},{"id":3,"v":12345678901234567890123456.123}]',
    )
    expect(rows.map((row) => row.v ?? row.v__v_decimal)).toEqual([
      '0.1234567890123456789',
      '123456789.1234567890100000000',
      '12345678901234567890123456.123000000',
    ])
    expect(columns).toMatchObject({ v: 'DECIMAL(38,19)', v__v_decimal: 'DECIMAL(38,9)' })
  })

  it('what no number type holds stays text', async () => {
    const digits = '1'.repeat(60)
    const { rows } = await loadJson(`[{"id":1,"a":${digits},"b":1e400}]`)
    expect(rows).toEqual([{ id: 1, a: digits, b: '1e400' }])
  })

  it('a column of whole numbers widens for fractions, but not when that would round', async () => {
    expect(
      await roundTrip([
        { id: 1, v: 1 },
        { id: 2, v: 1.5 },
      ]),
    ).toEqual([
      { id: 1, v: 1 },
      { id: 2, v: 1.5 },
    ])
    const kept = await roundTrip(
      [
        { id: 1, v: 2n ** 60n },
        { id: 2, v: 1.5 },
      ],
      'id, v, v__v_double',
    )
    expect(kept).toEqual([
      { id: 1, v: String(2n ** 60n), v__v_double: null },
      { id: 2, v: null, v__v_double: 1.5 },
    ])
  })

  it('a code that begins with zeros is no number, in a column of numbers either', async () => {
    const rows = await roundTrip(
      [
        { id: 1, v: 1, w: 1.5 },
        { id: 2, v: '007', w: '0012.50' },
        { id: 3, v: '8', w: '2.5' },
      ],
      'id, v, v__v_text, w, w__v_text',
    )
    expect(rows).toEqual([
      { id: 1, v: 1, v__v_text: null, w: 1.5, w__v_text: null },
      { id: 2, v: null, v__v_text: '007', w: null, w__v_text: '0012.50' },
      { id: 3, v: 8, v__v_text: null, w: 2.5, w__v_text: null },
    ])
  })

  it('a stored column widens when a later run needs it', async () => {
    const loading = freshPipeline()
    await loading.run([{ id: 1, v: 1, d: decimal('1.5') }], { tableName: 't' })
    await loading.run([{ id: 2, v: 2n ** 70n, d: decimal('1.123456789012') }], { tableName: 't' })
    expect(await loading.dataset().query('select id, v, d from data.t order by id').toArray()).toEqual([
      { id: 1, v: '1', d: '1.500000000000' },
      { id: 2, v: String(2n ** 70n), d: '1.123456789012' },
    ])
  })

  it('parses as JSON.parse does, but for the digits', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        // The blank behind 1.0 sends the text through the exact parser.
        const [one, exact] = parseJson(`[1.0 ,${text}]`) as unknown[]
        expect(one).toMatchObject({ text: '1.0' })
        expect(JSON.stringify(plain(exact))).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
    for (const bad of ['[1.0 ,', '[1.0 ,]', '[1.0 ,tru]', '[1.0 ,"a\n"]', '[1.0 1]', '[1.0 ,01]', '{"a":1.0 ,}']) {
      expect(() => parseJson(bad), bad).toThrow(SyntaxError)
    }
  })
})

/** Exact numbers as plain ones, for comparison with `JSON.parse`. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('dataType' in value && 'text' in value && Object.getPrototypeOf(value) !== Object.prototype) return Number(value)
  const copy: Row = {}
  for (const [key, inner] of Object.entries(value)) {
    Object.defineProperty(copy, key, { value: plain(inner), enumerable: true, writable: true, configurable: true })
  }
  return copy
}

describe('times', () => {
  it('are instants in UTC; what is no full timestamp stays text', async () => {
    const rows = await roundTrip([
      { id: 1, v: '2024-01-15T10:30:00+02:00' },
      { id: 2, v: '2024-01-15 10:30:00.123456Z' },
      { id: 3, v: '2024-01-15T10:30' },
      { id: 4, v: new Date(0) },
    ])
    expect(rows.map((row) => row.v)).toEqual([
      '2024-01-15T08:30:00.000Z',
      '2024-01-15T10:30:00.123456Z',
      '2024-01-15T10:30:00.000Z',
      '1970-01-01T00:00:00.000Z',
    ])
    const texts = [
      '2024-02-30T10:00:00Z',
      '0000-00-00 00:00:00',
      '2024-01-15T24:00:00Z',
      '10:30',
      '2024-01-15',
      '1705314600',
    ]
    expect((await roundTrip(texts.map((v, at) => ({ id: at, v })))).map((row) => row.v)).toEqual(texts)
  })

  it('before 1970 keep their microseconds', async () => {
    const moments = ['1969-12-31T23:59:59.999999Z', '1969-07-20T20:17:40.000001Z', '0001-01-01T00:00:00.123Z']
    expect(await roundTrip(moments.map((v, id) => ({ id, v })))).toEqual(moments.map((v, id) => ({ id, v })))
  })

  it('tells when digits beyond microseconds are cut', async () => {
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    await loading.run([{ id: 1, v: '2024-01-15T10:30:00.123456789Z' }], { tableName: 't' })
    expect(events).toContainEqual({ type: 'notice', notice: { kind: 'timestamp-cut', table: 't', column: 'v' } })
  })
})

describe('other types', () => {
  it('bytes, dates, times, JSON and booleans come back as they were', async () => {
    const loading = freshPipeline()
    const row = {
      id: 1,
      bytes: Buffer.from([0, 1, 255, 34, 10]),
      day: '2024-02-29',
      time: '10:30:00.5',
      json: { a: [1, { b: 'x"' }] },
      yes: true,
    }
    const columns = { day: { dataType: 'date' }, time: { dataType: 'time' }, json: { dataType: 'json' } } as const
    await loading.run([row, { id: 2 }], { tableName: 't', columns })
    const rows = await loading
      .dataset()
      .query('select id, bytes, day, time, json, yes from data.t order by id')
      .toArray()
    expect(rows[0]).toEqual({ ...row, json: JSON.stringify(row.json) })
    expect(rows[1]).toEqual({ id: 2, bytes: null, day: null, time: null, json: null, yes: null })
  })

  it('scd2 by a version column, with an end of its own for active rows', async () => {
    const loading = freshPipeline()
    const options = (boundaryTimestamp: string) =>
      ({
        tableName: 't',
        writeDisposition: {
          disposition: 'merge',
          strategy: 'scd2',
          rowVersionColumnName: 'version',
          activeRecordTimestamp: '9999-12-31T00:00:00Z',
          boundaryTimestamp,
        },
      }) as const
    await loading.run([{ id: 1, version: 'a' }], options('2025-01-01T00:00:00Z'))
    await loading.run([{ id: 1, version: 'b' }], options('2025-01-02T00:00:00Z'))
    const rows = await loading
      .dataset()
      .query('select version, _dlt_valid_from as f, _dlt_valid_to as t from data.t order by 1')
      .toArray()
    expect(rows).toEqual([
      { version: 'a', f: '2025-01-01T00:00:00.000Z', t: '2025-01-02T00:00:00.000Z' },
      { version: 'b', f: '2025-01-02T00:00:00.000Z', t: '9999-12-31T00:00:00.000Z' },
    ])
  })

  it("skip loads nothing; hints of one's own are kept with the schema", async () => {
    const loading = freshPipeline()
    await loading.run([{ id: 1 }], { tableName: 't', columns: { id: { 'x-owner': 'sales', description: 'the key' } } })
    expect((await loading.schemas())[0]!.tables.get('t')!.columns.get('id')).toMatchObject({
      'x-owner': 'sales',
      description: 'the key',
    })
    await loading.run([{ id: 2 }], { tableName: 't', writeDisposition: 'skip' })
    expect(await loading.dataset().table('t').toArray()).toHaveLength(1)
  })
})

describe('hostile documents', () => {
  it('keys of all kinds become columns, and nothing else', async () => {
    const { rows } = await loadJson(
      '{"data":[{"id":1,"__proto__":{"polluted":1},"constructor":2,"toString":3,"a\\"; DROP TABLE x; --":4,"":5,"  ":6,"_dlt_load_id":"mine"}]}',
    )
    expect(rows[0]).toMatchObject({ id: 1, constructor: 2, to_string: 3, a_drop_table_xxxx: 4 })
    expect(({} as Row).polluted).toBeUndefined()
  })

  it('keys that collide are both kept', async () => {
    const loading = freshPipeline()
    await loading.run([{ id: 1, 'a.b': 1, 'a b': 2, a: { b: 3 }, a_b: 4 }], { tableName: 't' })
    const [row] = await loading.dataset().table<Row>('t').toArray()
    const values = Object.entries(row!).filter(([name]) => name.startsWith('a_'))
    expect(values.map(([, value]) => value).sort()).toEqual([1, 2, 3, 4])
  })

  it('a document nested too deep is refused by name', async () => {
    const nest = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
      let value: unknown = 1
      for (let level = 0; level < levels; level++) value = wrap(value)
      return value
    }
    for (const wrap of [(inner: unknown) => ({ a: inner }), (inner: unknown) => [inner]]) {
      const refused = freshPipeline().run([{ deep: nest(200_000, wrap) }], { tableName: 't', maxTableNesting: 5 })
      await expect(refused).rejects.toMatchObject({ code: 'NESTED_TOO_DEEP' })
      const loading = freshPipeline()
      await loading.run([{ id: 1, deep: nest(1000, wrap) }], { tableName: 't', maxTableNesting: 5 })
      expect(await tableNames(loading)).toContain('t')
    }
  })

  it('columns found late are null in earlier rows, across files', async () => {
    const rows = Array.from({ length: 60_000 }, (_, id) =>
      id % 20_000 === 19_999 ? { id, [`late${id}`]: id } : { id },
    )
    const loading = freshPipeline()
    const info = await loading.run(rows, { tableName: 't' })
    expect(info.rows).toEqual({ t: 60_000 })
    const [sums] = await loading
      .dataset()
      .query('select count(*) as n, sum(late19999) as a, sum(late39999) as b, sum(late59999) as c from data.t')
      .toArray()
    expect(sums).toEqual({ n: 60_000, a: 19_999, b: 39_999, c: 59_999 })
  })
})
