import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { decimal } from '../../src/index.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'

const micros = '2026-03-01T10:00:00.123456Z'
const rows = [
  {
    id: 1,
    big: 2n ** 62n,
    price: decimal('1234567890123456789.0000000012'),
    ratio: 0.1,
    ok: true,
    at: micros,
    day: '2026-03-01',
    clock: '10:00:00.5',
    raw: new Uint8Array([0, 255, 10]),
    doc: { a: [1, 'x"y'] },
    name: 'a, "b"\nc',
  },
  { id: 2, price: decimal('-0.5'), name: '' },
  { id: 3 },
]
const options = {
  tableName: 'values',
  columns: {
    price: { dataType: 'decimal', precision: 38, scale: 10 },
    at: { dataType: 'timestamp' },
    day: { dataType: 'date' },
    clock: { dataType: 'time' },
    doc: { dataType: 'json' },
  },
} as const

describe.each(engineNames)('results of %s', (name) => {
  const loaded = async () => {
    const { target, dataset } = await emptyTarget(name)
    await target.run(rows, options)
    return { data: target.dataset(), dataset }
  }
  const relation = async () =>
    (await loaded()).data
      .table('values')
      .orderBy('id')
      .select('id', 'big', 'price', 'ratio', 'ok', 'at', 'day', 'clock', 'raw', 'doc', 'name')

  it('tell the types of their columns, also where there are no rows', async () => {
    const { data, dataset } = await loaded()
    const types = async (sql: string) =>
      (await data.query(sql).columns()).map((column) => `${column.name} ${column.dataType}`)
    const all = 'id, big, price, ratio, ok, "at", day, clock, raw, name'
    const expected = [
      'id bigint',
      'big bigint',
      'price decimal',
      'ratio double',
      'ok bool',
      'at timestamp',
      'day date',
      'clock time',
      'raw binary',
      'name text',
    ]
    expect(await types(`select ${all} from ${dataset}."values"`)).toEqual(expected)
    expect(await types(`select ${all} from ${dataset}."values" where id > 3`)).toEqual(expected)
    expect(await types(`select id, id from ${dataset}."values"`)).toHaveLength(2)
    const [price] = await data.table('values').select('price').columns()
    expect(price).toEqual({ name: 'price', dataType: 'decimal', precision: 38, scale: 10 })
  })

  it('become Parquet with these types, nothing rounded', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-parquet-')), 'values.parquet')
    expect(await (await relation()).toParquet(file)).toBe(3)
    const connection = await (await DuckDBInstance.create()).connect()
    const read = await connection.runAndReadAll(`
      select id, big::varchar, price::varchar, ratio, ok, epoch_us("at")::varchar, "day"::varchar, clock::varchar,
        hex(raw), doc->>'$.a[1]', name from '${file}' order by id`)
    expect(read.getRows()).toEqual([
      [1n, '4611686018427387904', '1234567890123456789.0000000012', 0.1, true, '1772359200123456'].concat([
        '2026-03-01',
        '10:00:00.5',
        '00FF0A',
        'x"y',
        'a, "b"\nc',
      ]),
      [2n, null, '-0.5000000000', null, null, null, null, null, null, null, ''],
      [3n, null, null, null, null, null, null, null, null, null, null],
    ])
  })

  it('become an Arrow table with these types, nothing rounded', async () => {
    const table = await (await relation()).toArrow()
    expect(table.numRows).toBe(3)
    expect(table.schema.fields.map((field) => `${field.name} ${field.type}`)).toMatchObject([
      'id Int64',
      'big Int64',
      'price Decimal[38e+10]',
      'ratio Float64',
      'ok Bool',
      'at Timestamp<MICROSECOND, UTC>',
      'day Date32<DAY>',
      'clock Time64<MICROSECOND>',
      'raw Binary',
      'doc Utf8',
      'name Utf8',
    ])
    const column = (one: string) => table.getChild(one)!
    expect(column('big').toJSON()).toEqual([2n ** 62n, null, null])
    expect(column('price').nullCount).toBe(1)
    const halves = new BigInt64Array((column('price').get(0) as Uint32Array).slice().buffer)
    expect((halves[1]! << 64n) + BigInt.asUintN(64, halves[0]!)).toBe(12345678901234567890000000012n)
    expect(new BigInt64Array((column('price').get(1) as Uint32Array).slice().buffer)).toEqual(
      new BigInt64Array([-5000000000n, -1n]),
    )
    expect(column('ok').toJSON()).toEqual([true, null, null])
    expect(column('at').data[0]!.values[0]).toBe(1772359200123456n)
    expect(column('day').data[0]!.values[0]).toBe(Date.UTC(2026, 2, 1) / 86_400_000)
    expect(column('clock').data[0]!.values[0]).toBe(36_000_500_000n)
    expect([...column('raw').get(0)]).toEqual([0, 255, 10])
    expect(JSON.parse(column('doc').get(0))).toEqual({ a: [1, 'x"y'] })
    expect(column('name').toJSON()).toEqual(['a, "b"\nc', '', null])
  })

  it('become a data frame of polars', async () => {
    const frame = await (await loaded()).data.table('values').orderBy('id').select('id', 'name').toPolars()
    expect(frame.toRecords()).toEqual([
      { id: 1, name: 'a, "b"\nc' },
      { id: 2, name: '' },
      { id: 3, name: null },
    ])
  })
})
