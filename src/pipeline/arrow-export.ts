import type * as arrow from 'apache-arrow'
import type { QueryResult, ResultColumn, RowObject } from '../destinations/index.ts'

type Arrow = typeof arrow

/** A result as an Arrow table, a record batch for each page. Values are exact: moments to the microsecond, decimals whole. */
export async function arrowTable(arrow: Arrow, { columns, pages }: QueryResult): Promise<arrow.Table> {
  const makers = columns.map((column) => ({ name: column.name, ...columnMaker(arrow, column) }))
  const schema = new arrow.Schema(makers.map(({ name, type }) => new arrow.Field(name, type, true)))
  const batches: arrow.RecordBatch[] = []
  for await (const page of pages) {
    const children = makers.map(({ name, type, fill }) => {
      const { nullCount, nullBitmap } = nullsOf(page, name)
      return arrow.makeData({ type, length: page.length, nullCount, nullBitmap, ...fill(page, name) } as never)
    })
    const struct = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: page.length,
      children,
      nullCount: 0,
    })
    batches.push(new arrow.RecordBatch(schema, struct as never))
  }
  return new arrow.Table(schema, batches)
}

interface ColumnMaker {
  type: arrow.DataType
  /** The buffers of a column of a page, as `makeData` takes them. */
  fill(page: readonly RowObject[], name: string): { data: unknown; valueOffsets?: Int32Array }
}

function columnMaker(arrow: Arrow, column: ResultColumn): ColumnMaker {
  switch (column.dataType) {
    case 'bool':
      return { type: new arrow.Bool(), fill: (page, name) => ({ data: bits(page, (row) => row[name] === true) }) }
    case 'bigint':
      return { type: new arrow.Int64(), fill: longs((value) => BigInt(value as number | string)) }
    case 'double':
      return {
        type: new arrow.Float64(),
        fill: (page, name) => ({ data: Float64Array.from(page, (row) => Number(row[name])) }),
      }
    case 'timestamp':
      return { type: new arrow.TimestampMicrosecond('UTC'), fill: longs((value) => microsOf(String(value))) }
    case 'time':
      return { type: new arrow.TimeMicrosecond(), fill: longs((value) => microsOf(`1970-01-01T${String(value)}Z`)) }
    case 'date':
      return {
        type: new arrow.DateDay(),
        fill: (page, name) => ({ data: Int32Array.from(page, (row) => daysOf(row[name])) }),
      }
    case 'binary':
      return { type: new arrow.Binary(), fill: bytes((value) => value as Uint8Array) }
    case 'decimal':
    case 'wei': {
      const { precision = 99, scale = 0 } = column
      // Decimals whose digits are not known stay text, where nothing is rounded.
      if (precision > 38) return text(arrow)
      return { type: new arrow.Decimal(scale, precision, 128), fill: decimals(scale) }
    }
    default:
      return text(arrow)
  }
}

const encoder = new TextEncoder()
const text = (arrow: Arrow): ColumnMaker => ({
  type: new arrow.Utf8(),
  fill: bytes((value) => encoder.encode(typeof value === 'object' ? JSON.stringify(value) : String(value))),
})

const isNull = (value: unknown): boolean => value === null || value === undefined

/** A bit for each row, the first one lowest. */
function bits(page: readonly RowObject[], isSet: (row: RowObject) => boolean): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(page.length / 8))
  for (const [at, row] of page.entries()) if (isSet(row)) bitmap[at >> 3]! |= 1 << (at & 7)
  return bitmap
}

function nullsOf(page: readonly RowObject[], name: string): { nullCount: number; nullBitmap?: Uint8Array } {
  const nullCount = page.filter((row) => isNull(row[name])).length
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: bits(page, (row) => !isNull(row[name])) }
}

const longs =
  (read: (value: unknown) => bigint): ColumnMaker['fill'] =>
  (page, name) => ({ data: BigInt64Array.from(page, (row) => (isNull(row[name]) ? 0n : read(row[name]))) })

const bytes =
  (read: (value: unknown) => Uint8Array): ColumnMaker['fill'] =>
  (page, name) => {
    const values = page.map((row) => (isNull(row[name]) ? new Uint8Array() : read(row[name])))
    const valueOffsets = new Int32Array(page.length + 1)
    for (const [at, value] of values.entries()) valueOffsets[at + 1] = valueOffsets[at]! + value.length
    return { valueOffsets, data: Buffer.concat(values) }
  }

/** 128 bits each, as two halves, the lower one first. */
const decimals =
  (scale: number): ColumnMaker['fill'] =>
  (page, name) => {
    const halves = new BigInt64Array(page.length * 2)
    for (const [at, row] of page.entries()) {
      const value = isNull(row[name]) ? 0n : unscaled(String(row[name]), scale)
      halves[at * 2] = BigInt.asIntN(64, value)
      halves[at * 2 + 1] = BigInt.asIntN(64, value >> 64n)
    }
    return { data: new Uint32Array(halves.buffer) }
  }

/** `12.3` with two digits behind the point is 1230. */
function unscaled(decimal: string, scale: number): bigint {
  const [whole = '', fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
}

/** Microseconds since 1970 of `2026-03-01T10:00:00.123456Z`. */
function microsOf(moment: string): bigint {
  const [, seconds = moment, fraction = ''] = /^(.*:\d\d)(?:\.(\d+))?Z$/.exec(moment) ?? []
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
}

const daysOf = (date: unknown): number => (isNull(date) ? 0 : Date.parse(`${String(date)}T00:00:00Z`) / 86_400_000)
