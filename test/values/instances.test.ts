import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/index.ts'
import { canonicalJson, coerce, formOf, inferType, plainJson } from '../../src/schema/index.ts'
import { freshPipeline } from '../support/api.ts'

/** Libraries whose instances people load; without their types, which would be another dependency each. */
const library = async (name: string): Promise<any> => {
  const loaded = (await import(name)) as { default?: unknown }
  return loaded.default ?? loaded
}
const Big = await library('big.js')
const BigNumber = await library('bignumber.js')
const { DateTime, Duration } = (await import('luxon' as string)) as Record<string, any>
const moment = await library('moment')
const dayjs = await library('dayjs')
const Decimal = await library('decimal.js')
const mongo = await library('bson')
const postgresInterval = await library('postgres-interval')

class Key {
  #hex: string
  constructor(hex: string) {
    this.#hex = hex
  }
  toJSON(): string {
    return this.#hex
  }
}
class Hidden {
  #value = 1
  get value(): number {
    return this.#value
  }
}
class Money {
  #amount = 12.5
  valueOf(): number {
    return this.#amount
  }
}
class User {
  id = 7
  name = 'Ann'
  get upper(): string {
    return this.name.toUpperCase()
  }
}
class BrokenJson {
  toJSON(): never {
    throw new Error('not today')
  }
}
function Inherits(this: { own: number }): void {
  this.own = 1
}
Inherits.prototype.inherited = 2

/** Values of Temporal, of the engine or a polyfill, by what they show: a tag and their JSON. */
const temporal = (type: string, text: string): object =>
  Object.create({ toJSON: () => text, toString: () => text, [Symbol.toStringTag]: `Temporal.${type}` }) as object

/** Values of bson by what they show: their type, fields and text. */
const bson = (type: string, text: string, fields: object = {}): object =>
  Object.assign(
    Object.create({ _bsontype: type, toString: () => text, toJSON: () => ({ [type]: text }) }),
    fields,
  ) as object

describe('the form of an instance', () => {
  const forms: [string, unknown, unknown][] = [
    ['toJSON', new Key('65a1'), '65a1'],
    ['toJSON that gives another instance', Object.create({ toJSON: () => new Key('x') }), 'x'],
    ['own fields, without getters and methods', new User(), { id: 7, name: 'Ann' }],
    ['own fields, without inherited keys', Reflect.construct(Inherits, []), { own: 1 }],
    ['an object without own keys', Object.create({ inherited: 1 }), {}],
    ['private fields behind valueOf', new Money(), 12.5],
    ['private fields behind toPrimitive', Object.create({ [Symbol.toPrimitive]: () => 5n, constructor: Money }), 5n],
    ['URL', new URL('https://example.com/a?b=1'), 'https://example.com/a?b=1'],
    ['URLSearchParams', new URLSearchParams({ a: '1', b: 'x y' }), 'a=1&b=x+y'],
    ['boxed text', Object('x'), 'x'],
    ['boxed number', Object(5), 5],
    ['boxed boolean', Object(false), false],
    ['boxed bigint', Object(2n ** 70n), 2n ** 70n],
    [
      'Map by text',
      new Map([
        ['a', 1],
        ['__proto__', 2],
      ]),
      Object.fromEntries([
        ['a', 1],
        ['__proto__', 2],
      ]),
    ],
    [
      'Map by other keys',
      new Map<unknown, unknown>([
        [1, 'a'],
        ['b', 2],
      ]),
      [
        { key: 1, value: 'a' },
        { key: 'b', value: 2 },
      ],
    ],
    ['Set', new Set([1, 'x']), [1, 'x']],
    ['Float32Array', new Float32Array([0.5, 0.25]), [0.5, 0.25]],
    ['Uint8ClampedArray', new Uint8ClampedArray([1, 2]), [1, 2]],
    ['BigInt64Array', new BigInt64Array([2n ** 62n]), [2n ** 62n]],
    ['ArrayBuffer', new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2])],
    ['DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1), new Uint8Array([2, 3])],
    [
      'luxon DateTime',
      DateTime.fromISO('2024-01-15T10:30:00+02:00', { setZone: true }),
      '2024-01-15T10:30:00.000+02:00',
    ],
    ['luxon Duration', Duration.fromISO('PT1H'), 'PT1H'],
    ['invalid luxon DateTime', DateTime.invalid('x'), null],
    ['moment', moment.utc('2024-01-15T10:30:00Z'), '2024-01-15T10:30:00.000Z'],
    ['Temporal.Instant', temporal('Instant', '2024-01-15T10:30:00.123456789Z'), '2024-01-15T10:30:00.123456789Z'],
    [
      'Temporal.ZonedDateTime',
      temporal('ZonedDateTime', '2024-01-15T10:30:00+01:00[Europe/Paris]'),
      '2024-01-15T10:30:00+01:00',
    ],
    ['Temporal.PlainDate', temporal('PlainDate', '2024-01-15'), '2024-01-15'],
    ['interval of PostgreSQL', postgresInterval('1 day 01:02:03.5'), 'P0Y0M1DT1H2M3.5S'],
    ['empty interval of PostgreSQL', postgresInterval('00:00:00'), 'P0Y0M0DT0H0M0S'],
    ['dayjs', dayjs('2024-01-15T10:30:00Z'), '2024-01-15T10:30:00.000Z'],
    ['ObjectId of bson', new mongo.ObjectId('65a1b2c3d4e5f60718293a4b'), '65a1b2c3d4e5f60718293a4b'],
    ['Long of bson', mongo.Long.fromString('9223372036854775807'), 2n ** 63n - 1n],
    ['Binary of bson', new mongo.Binary(Buffer.from([1, 2])), Buffer.from([1, 2])],
    ['UUID of bson', new mongo.UUID('aa1b2c3d-1111-4222-8333-444455556666'), 'aa1b2c3d-1111-4222-8333-444455556666'],
    ['ObjectId', bson('ObjectId', '65a1', { toJSON: () => '65a1' }), '65a1'],
    ['Long', bson('Long', '9223372036854775807', { low: -1, high: 1 }), 2n ** 63n - 1n],
    ['Binary', bson('Binary', '', { buffer: Buffer.from([1, 2, 0]), position: 2 }), Buffer.from([1, 2])],
    ['UUID', bson('Binary', '', { buffer: Buffer.from([1]), toHexString: () => 'a-b' }), 'a-b'],
  ]
  it.each(forms)('%s', (_name, value, form) => {
    expect(formOf(value)).toEqual(form)
    expect(plainJson({ value })).toBe(plainJson({ value: form }))
    // Row versions and the comparison of boundary rows see what is stored.
    expect(canonicalJson({ value })).toBe(canonicalJson({ value: form }))
  })

  it.each([
    ['big.js', new Big('123456789012345678901.25'), '123456789012345678901.25'],
    ['bignumber.js', new BigNumber('1e-20'), '0.00000000000000000001'],
    [
      'decimal.js',
      Object.create(
        { toFixed: () => '0.1', toJSON: () => '0.1' },
        { s: { value: 1 }, e: { value: -1 }, d: { value: [1000000] } },
      ),
      '0.1',
    ],
    ['real decimal.js', new Decimal('0.1'), '0.1'],
    ['Decimal128 of bson', mongo.Decimal128.fromString('12345678901234567890.5'), '12345678901234567890.5'],
    ['Decimal128', bson('Decimal128', '1.5E+3'), '1500'],
  ])('%s is an exact decimal', (_name, value, text) => {
    const form = formOf(value)
    expect([inferType(form), coerce(form, 'decimal')]).toEqual(['decimal', text])
  })

  it('a decimal without a number is NaN', () => {
    expect([formOf(new BigNumber(NaN)), formOf(bson('Decimal128', '-Infinity'))]).toEqual([NaN, -Infinity])
  })
})

describe('what has no form is refused with row, place and class', () => {
  it.each([
    ['an instance of Hidden', new Hidden()],
    ['an instance of Promise', Promise.resolve(1)],
    ['an instance of RegExp', /a/g],
    ['an instance of TypeError', new TypeError('x')],
    ['an instance of WeakMap', new WeakMap()],
    ['an instance of Generator', (function* () {})()],
    ['an instance of BrokenJson, which cannot be stored: not today', new BrokenJson()],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
  ])('%s', async (what, value) => {
    for (const [row, options] of [
      [{ id: 1, v: { list: [{ odd: value }] } }, {}],
      [{ id: 1, v: { list: [{ odd: value }] } }, { maxTableNesting: 0 }],
    ] as const) {
      const refused = freshPipeline().run([{ id: 0 }, row], { tableName: 't', ...options })
      await expect(refused).rejects.toMatchObject({ code: 'VALUE_NOT_STORABLE' })
      await expect(refused).rejects.toThrow(`table "t" at "v.list.0.odd": a value is ${what}`)
      await expect(refused).rejects.toThrow('{ id: 1')
    }
  })

  it('what has no number or date is null, and reported', async () => {
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    const row = { id: 1, a: NaN, b: new Date(NaN), c: new BigNumber(NaN), d: DateTime.invalid('x'), json: [Infinity] }
    await loading.run([row], { tableName: 't', columns: { json: { dataType: 'json' } } })
    const told = events.flatMap((event) => (event.type === 'notice' ? [event.notice] : []))
    expect(told).toEqual(['a', 'b', 'c', 'd', 'json'].map((column) => ({ kind: 'stored-as-null', table: 't', column })))
  })

  it('half of a surrogate pair in JSON is replaced and reported; an escape that is text stays', async () => {
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    const kept = { 'k\udc00': 'a\ud83d', text: '\\ud83d', face: '😀' }
    await loading.run([{ id: 1, kept, list: [kept] }], { tableName: 't', maxTableNesting: 0 })
    const [row] = await loading.dataset().table<{ kept: string; list: string }>('t').toArray()
    const clean = { 'k\ufffd': 'a\ufffd', text: '\\ud83d', face: '😀' }
    expect([JSON.parse(row!.kept), JSON.parse(row!.list)]).toEqual([clean, [clean]])
    expect(events).toContainEqual({
      type: 'notice',
      notice: { kind: 'character-replaced', table: 't', column: 'kept' },
    })
  })
})
