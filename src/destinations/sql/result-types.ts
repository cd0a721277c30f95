import type { DataType } from '../../schema/index.ts'
import type { ResultColumn } from '../destination.ts'

/** What databases call their types, in small letters and without digits. */
const dataTypes: Record<DataType, readonly string[]> = {
  bool: ['bool', 'boolean'],
  bigint: ['tinyint', 'smallint', 'integer', 'int', 'bigint', 'utinyint', 'usmallint', 'uinteger', 'int64'],
  double: ['float', 'double', 'real', 'float64'],
  decimal: ['decimal', 'numeric', 'bignumeric', 'fixed', 'hugeint', 'uhugeint', 'ubigint'],
  wei: [],
  timestamp: [
    'timestamp',
    'timestamp with time zone',
    'timestamp_s',
    'timestamp_ms',
    'timestamp_ns',
    'datetime',
  ].concat(['timestamp_tz', 'timestamp_ntz', 'timestamp_ltz']),
  date: ['date'],
  time: ['time'],
  binary: ['blob', 'binary', 'bytes', 'bytea'],
  json: ['json', 'variant', 'object', 'array', 'record', 'struct', 'map', 'list'],
  text: [],
}

const known = new Map(
  Object.entries(dataTypes).flatMap(([type, names]) => names.map((name) => [name, type as DataType])),
)

/** Whole numbers that hold more than 64 bits. */
const wholeDigits: Record<string, number> = { ubigint: 20, hugeint: 38, uhugeint: 38 }

/** A column from the database's name for its type: `DECIMAL(10,2)`, `timestamp_ntz`, `STRUCT(a INTEGER)`, `INTEGER[]`. */
export function resultColumn(name: string, typeName: string): ResultColumn {
  const type = typeName.toLowerCase()
  if (type.endsWith(']')) return { name, dataType: 'json' }
  const plain = type.replace(/[(<].*/s, '').trim()
  const dataType = known.get(plain) ?? 'text'
  if (dataType !== 'decimal') return { name, dataType }
  const whole = wholeDigits[plain]
  if (whole !== undefined) return { name, dataType, precision: whole, scale: 0 }
  const [, precision, scale = '0'] = /\((\d+)(?:,\s*(\d+))?\)$/.exec(type) ?? []
  return precision === undefined
    ? { name, dataType }
    : { name, dataType, precision: Number(precision), scale: Number(scale) }
}

/** Names as they are; the second `id` is `id_1`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let number = 1; taken.has(unique); number++) unique = `${name}_${number}`
    taken.add(unique)
    return unique
  })
}
