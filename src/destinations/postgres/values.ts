import type { ResultColumn } from '../destination.ts'
import { resultColumn } from '../sql/result-types.ts'

/** PostgreSQL's type numbers, where the driver's own reading would lose digits or form. */
const readers: Record<number, (text: string) => unknown> = {
  20: wholeNumber,
  // dlt's wei has 78 decimals, of which whole numbers need none.
  1700: (text) => text.replace(/\.0{78}$/, ''),
  1184: isoTimestamp,
  1114: isoTimestamp,
  1082: (text) => text,
  1083: (text) => text,
  114: (text) => text,
  3802: (text) => text,
}

/** How a value of the given type is read from its text; `undefined` where the driver's way is right. */
export const valueReader = (typeId: number): ((text: string) => unknown) | undefined => readers[typeId]

/** Type numbers as names; what is not here is read as text. */
const typeNames: Record<number, string> = {
  16: 'bool',
  17: 'bytea',
  20: 'bigint',
  21: 'smallint',
  23: 'int',
  26: 'bigint',
  114: 'json',
  700: 'real',
  701: 'double',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamp',
  3802: 'json',
}

/** A column of a result. `modifier` holds the digits of a decimal: precision and scale in 16 bits each, plus 4. */
export function typedColumn(name: string, typeId: number, modifier: number): ResultColumn {
  if (typeId !== 1700) return resultColumn(name, typeNames[typeId] ?? 'text')
  if (modifier < 4) return { name, dataType: 'decimal' }
  return { name, dataType: 'decimal', precision: (modifier - 4) >> 16, scale: (modifier - 4) & 0x7ff }
}

function wholeNumber(text: string): number | string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

/** `2024-01-15 10:30:00.123456+00` as ISO 8601; connections are set to UTC. */
function isoTimestamp(text: string): string {
  const match = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[+-]00)?$/.exec(text)
  if (match === null) return text
  const [, date, time, fraction = ''] = match
  return `${date}T${time}.${fraction.length <= 3 ? fraction.padEnd(3, '0') : fraction.padEnd(6, '0')}Z`
}
