import { describe, expect, it } from 'vitest'
import { decimal, type Pipeline, type RunEvent } from '../../src/index.ts'
import { coerce, identifierTag, inferType, namingConvention } from '../../src/schema/index.ts'
import { freshPipeline } from '../support/api.ts'
import { emptyTarget } from '../support/destinations.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

type Row = Record<string, unknown>

class Labelled {
  #text: string
  constructor(text: string) {
    this.#text = text
  }
  toJSON(): string {
    return this.#text
  }
}

/** Values that no other row has, by a number, and how they show wherever they are stored. */
const makers: ((unique: number) => [value: unknown, shown: string, orShown?: string])[] = [
  (n) => [`text${n}`, `text${n}`],
  (n) => [n, String(n)],
  (n) => [n + 0.5, String(n + 0.5)],
  (n) => [String(n), String(n)],
  (n) => [10n ** 20n + BigInt(n), String(10n ** 20n + BigInt(n))],
  (n) => [decimal(`${n}.123456789012345678`), `${n}.123456789012345678`],
  (n) => [new Date(Date.UTC(2024, 0, 1) + n), new Date(Date.UTC(2024, 0, 1) + n).toISOString()],
  (n) => [`2024-01-15T10:30:00.${n}Z`, `2024-01-15T10:30:00.${n}Z`],
  (n) => [`1705314600.${n}`, `2024-01-15T10:30:00.${n}Z`, `1705314600.${n}`],
  (n) => [Buffer.from(`bytes${n}`), `bytes${n}`, Buffer.from(`bytes${n}`).toString('base64')],
  (n) => [new Labelled(`label${n}`), `label${n}`],
  (n) => [new URL(`https://example.com/${n}`), `https://example.com/${n}`],
  (n) => [new Map([['inner', `map${n}`]]), `map${n}`],
  (n) => [new Set([`set${n}`]), `set${n}`],
  (n) => [new Float64Array([n + 0.25]), String(n + 0.25)],
  (n) => [{ inner: { deep: `deep${n}` } }, `deep${n}`],
  (n) => [{ inner: n }, String(n)],
  (n) => [[[`list${n}`]], `list${n}`],
  (n) => [[{ inner: `item${n}` }], `item${n}`],
]

/** Keys that collide with each other, in a row or over rows, in all the ways there are. */
const keys = [
  'a',
  'A',
  'a ',
  'a.b',
  'a__b',
  'Inner',
  '名前',
  '価格',
  '価格a',
  '名前a',
  '%',
  '#',
  '👍',
  'm²',
  'm³',
  'kept',
  'Kept',
  'a__v_text',
]
const foreign = new Set(['名前', '価格', '価格a', '名前a', '%', '#', '👍', 'm²', 'm³'])

const rowShape = fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), fc.nat(makers.length - 1)), {
  minLength: 1,
  maxLength: 7,
  selector: ([key]) => key,
})
const runs = fc.array(fc.array(rowShape, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })

interface Made {
  row: number
  key: string
  /** The texts by which the value may be known. */
  shown: string[]
}

/** The cells of all tables, each as the texts by which it may be known. */
async function storedCells(target: Pipeline): Promise<{ table: string; column: string; texts: string[] }[]> {
  const cells = []
  for (const [table] of await target.dataset().rowCounts()) {
    for (const row of await target.dataset().table<Row>(table).toArray()) {
      for (const [column, value] of Object.entries(row)) {
        if (value !== null && !column.startsWith('_dlt_')) cells.push({ table, column, texts: textsOf(value) })
      }
    }
  }
  return cells
}

/** A text of digits may be stored as the number that it is, and shown without the zeros at its end. */
const spellings = (text: string): string[] => (/^\d+\.\d+$/.test(text) ? [text, text.replace(/\.?0+$/, '')] : [text])

function textsOf(value: unknown): string[] {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return [bytes.toString(), bytes.toString('base64')]
  }
  if (typeof value === 'object') return textsOf(JSON.stringify(value))
  const text = String(value)
  if (/^\d+\.\d+$/.test(text)) return [text.replace(/\.?0+$/, ''), text]
  if (/^["[{]/.test(text))
    return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|[\d.]+/g)].map(([whole, inner]) => inner ?? whole)
  return [text, text.replace(/(\.\d{3})000Z$/, '$1Z'), Buffer.from(text, 'base64').toString()]
}

describe.each(['duckdb', 'postgres'] as const)('any row into %s', (name) => {
  it('is found again, each value of it, in columns that hold one key of another script each', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (shapes) => {
        const { target } = await emptyTarget(name)
        const made: Made[] = []
        let unique = 100_001
        let id = 0
        for (const shape of shapes) {
          const rows = shape.map((fields) => {
            const row: Row = { id: (id += 1) }
            for (const [key, maker] of fields) {
              const [value, ...shown] = makers[maker]!((unique += 7)) as [unknown, ...string[]]
              row[key] = value
              made.push({ row: id, key, shown })
            }
            return row
          })
          await target.run(rows, { tableName: 't', columns: { kept: { dataType: 'json' } } })
        }
        const cells = await storedCells(target)
        const whereIs = new Map<string, string>()
        for (const { table, column, texts } of cells) for (const text of texts) whereIs.set(text, `${table}.${column}`)
        const placeOf = ({ shown }: Made): string | undefined =>
          shown
            .flatMap(spellings)
            .map((text) => whereIs.get(text))
            .find((place) => place !== undefined)
        const lost = made.filter((one) => placeOf(one) === undefined)
        expect(lost).toEqual([])
        const keysOf = new Map<string, Set<string>>()
        for (const one of made.filter(({ key }) => foreign.has(key))) {
          const place = placeOf(one)!
          keysOf.set(place, (keysOf.get(place) ?? new Set()).add(one.key))
        }
        expect([...keysOf].filter(([, several]) => several.size > 1)).toEqual([])
      }),
      { numRuns: effort(1, 40), endOnFailure: true },
    )
  }, 120_000)
})

describe('a number or a text of digits in a timestamp column', () => {
  const instantOf = (text: string): string | undefined => coerce(text, 'timestamp')

  it('is Unix seconds with nine or ten digits, to the microsecond', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100_000_000, max: 9_999_999_999 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 999_999 }),
        (seconds, before, micros) => {
          const text = `${before ? '-' : ''}${seconds}.${String(micros).padStart(6, '0')}`
          const total = BigInt(seconds) * 1_000_000n + BigInt(micros)
          const instant = /^(.*)\.(\d{6})Z$/.exec(instantOf(text)!)!
          const got = BigInt(Date.parse(`${instant[1]}Z`)) * 1000n + BigInt(instant[2]!)
          expect(got).toBe(before ? -total : total)
        },
      ),
    )
  })

  it('is no timestamp with fewer or more: years, compact dates, milliseconds', () => {
    const whole = fc.oneof(
      fc.integer({ min: -99_999_999, max: 99_999_999 }),
      fc.integer({ min: 10_000_000_000, max: Number.MAX_SAFE_INTEGER }),
    )
    fc.assert(
      fc.property(whole, (value) => {
        expect([coerce(value, 'timestamp'), instantOf(String(value))]).toEqual([undefined, undefined])
      }),
    )
  })

  it('goes to a variant column as it came', async () => {
    const loading = freshPipeline()
    const values = ['2024-03-15T10:00:00Z', '2024', 2023, '20240315', 20240315, 1705314600000, '1512085950.000216', 0]
    await loading.run(
      values.map((v, id) => ({ id, v })),
      { tableName: 't' },
    )
    const rows = await loading.dataset().query<Row>('select * from data.t order by id').toArray()
    expect(rows.map(({ v, v__v_text: text, v__v_bigint: number }) => v ?? text ?? number)).toEqual([
      '2024-03-15T10:00:00.000Z',
      ...values.slice(1, 6),
      '2017-11-30T23:52:30.000216Z',
      0,
    ])
  })
})

describe('text in a column of another type', () => {
  const unchanged: Record<string, (text: string) => unknown> = {
    bigint: (text) => BigInt(text.trim().replaceAll('_', '')),
    double: (text) => Number(text),
    decimal: (text) => Number(text),
  }

  it('is a number only where no digit or sign of it is lost', () => {
    const digits = fc.stringMatching(/^[+-]?\d{1,25}(\.\d{0,20})?$/)
    fc.assert(
      fc.property(digits, fc.constantFrom('bigint', 'double', 'decimal'), (text, type) => {
        const stored = coerce(text, type as 'bigint')
        if (stored === undefined) return
        expect(stored).not.toMatch(/^\+|^-?0\d/)
        expect(unchanged[type]!(stored)).toEqual(unchanged[type]!(text))
        const significant = (of: string): string => of.replace(/[-.]/g, '').replace(/^0+|0+$/g, '')
        if (type !== 'bigint') expect(significant(String(stored))).toBe(significant(text))
        if (type === 'double') expect(significant(String(Number(stored)))).toBe(significant(text))
      }),
    )
  })

  it.each([
    ['bigint', ['1e3', '١٢', 'Infinity', '+49170', '-0', '007', '5.0', '']],
    ['double', ['Infinity', 'NaN', '12345678901234567890', '1e-400', '1e400', '+1', '0x10', '00.5']],
    ['decimal', ['+5', '1,5', '١٢', '1e999']],
    ['timestamp', ['2024-02-30', '10:30', '2024', ' 2024-03-15T10:00:00Z', '+1705314600']],
    ['date', ['2024-02-30', '20240315', '2024-03-15T00:00:00Z']],
    ['time', ['24:00', '10:30Z', '10:61', '1030']],
    ['binary', ['ab==', 'hello', 'caf\u00e9']],
    ['bool', ['on', '2', '']],
  ] as const)('%s refuses what it would change', (type, texts) => {
    expect(texts.filter((text) => coerce(text, type) !== undefined)).toEqual([])
  })

  it('a time of day keeps microseconds, and the loss of more is reported', async () => {
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    await loading.run([{ at: '10:30:00.1234567' }], { tableName: 't', columns: { at: { dataType: 'time' } } })
    expect(await loading.dataset().table('t').select('at').toArray()).toEqual([{ at: '10:30:00.123456' }])
    expect(events).toContainEqual({ type: 'notice', notice: { kind: 'timestamp-cut', table: 't', column: 'at' } })
  })
})

describe.each(['duckdb', 'postgres'] as const)('a timestamp without zone in %s', (name) => {
  it('is the instant in UTC', async () => {
    const { target, dataset } = await emptyTarget(name)
    const given = [
      '2024-01-15T10:30:00.123456+02:00',
      new Date(0),
      '2024-01-15',
      1705314600.25,
      '2024-01-01 00:30-0330',
    ]
    await target.run(
      given.map((v, id) => ({ id, v })),
      { tableName: 't', columns: { v: { dataType: 'timestamp', timezone: false } } },
    )
    const rows = await target
      .dataset()
      .query<Row>(`select cast(v as varchar) as v from ${dataset}.t order by id`)
      .toArray()
    expect(rows.map(({ v }) => v)).toEqual([
      '2024-01-15 08:30:00.123456',
      '1970-01-01 00:00:00',
      '2024-01-15 00:00:00',
      '2024-01-15 10:30:00.25',
      '2024-01-01 04:00:00',
    ])
  })

  it('next to links that the data brought in types of all kinds', async () => {
    const { target } = await emptyTarget(name)
    const rows = [
      { id: 1, _dlt_id: true, list: [{ _dlt_parent_id: false, _dlt_list_idx: true, _dlt_id: 4 }] },
      { id: 2, _dlt_id: 'a,"b"\n', _dlt_load_id: 5, list: [{ _dlt_id: 'x,"y' }] },
      { id: 3, _dlt_load_id: 'l,"', _dlt_id: 1.5 },
    ]
    await target.run(rows, { tableName: 't', writeDisposition: 'merge', primaryKey: 'id' })
    expect(await target.dataset().table('t').orderBy('id').select('_dlt_id').toArray()).toEqual([
      { _dlt_id: 'true' },
      { _dlt_id: 'a,"b"\n' },
      { _dlt_id: '1.5' },
    ])
    expect(
      await target.dataset().table('t__list').orderBy('_dlt_id').select('_dlt_id', '_dlt_parent_id').toArray(),
    ).toEqual([
      { _dlt_id: '4', _dlt_parent_id: 'true' },
      { _dlt_id: 'x,"y', _dlt_parent_id: 'a,"b"\n' },
    ])
  })
})

describe('names of keys in other scripts', () => {
  const naming = namingConvention('snake_case', 63)

  it('depend on the key alone, and differ with it', () => {
    const script = fc.stringMatching(/^[名前価格ключأبجד%#&²³\u{1f44d}\u{1f44e}]{1,4}[a-z]{0,2}$/u)
    fc.assert(
      fc.property(fc.uniqueArray(script, { minLength: 2, maxLength: 20 }), (given) => {
        const names = given.map((key) => naming.key(key))
        const again = given.map((key) => namingConvention('snake_case', 63).key(key))
        expect(again).toEqual(names)
        const clearly = given.filter((key) => !/^[%#&]+[a-z]+$/.test(key))
        expect(new Set(clearly.map((key) => naming.key(key))).size).toBe(clearly.length)
      }),
    )
  })

  it('are those of dlt for all other keys', () => {
    for (const key of ['Größe', 'naïve', 'user@name', 'C#', 'is_active?', '+1', '__', '_', '$ref', 'Amount ($)']) {
      expect(naming.key(key), key).toBe(naming.path(key))
    }
    expect(naming.key('名前')).toBe(`x_${identifierTag('名前')}`)
    expect(naming.key('価格a')).toBe(`_a_${identifierTag('価格a')}`)
  })
})

describe('rows that are lists', () => {
  it('have columns by position; lists of rows are taken apart', async () => {
    const loading = freshPipeline()
    const page = [
      [1767225600000, '87000.10', null],
      [null, null],
      [],
      [
        [2, 'x'],
        [{ id: 1 }, null],
      ],
      new Set([3, 'y']),
      'scalar',
    ]
    await loading.run(
      (function* () {
        yield page
      })(),
      { tableName: 't' },
    )
    const rows = await loading.dataset().table<Row>('t').select('col_0', 'col_1', 'id', 'value').toArray()
    expect(rows).toEqual([
      { col_0: 1767225600000, col_1: '87000.10', id: null, value: null },
      { col_0: null, col_1: null, id: null, value: null },
      { col_0: 2, col_1: 'x', id: null, value: null },
      { col_0: null, col_1: null, id: 1, value: null },
      { col_0: 3, col_1: 'y', id: null, value: null },
      { col_0: null, col_1: null, id: null, value: 'scalar' },
    ])
    expect(inferType('87000.10')).toBe('text')
  })
})
