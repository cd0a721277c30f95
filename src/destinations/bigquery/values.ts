import type { ResultColumn, RowObject } from '../destination.ts'
import { isoMicros, isoText, shortTime } from '../sql/moments.ts'
import { resultColumn } from '../sql/result-types.ts'

/** A column of an answer, as the API describes it. */
export interface Field {
  name: string
  type: string
  mode?: string
  fields?: Field[]
  precision?: string
  scale?: string
}

/** A row of an answer: cells in the order of the columns. */
export interface WireRow {
  f: { v: unknown }[]
}

export function typedColumn({ name, type, mode, precision, scale }: Field): ResultColumn {
  if (mode === 'REPEATED') return { name, dataType: 'json' }
  const digits = precision === undefined ? (type === 'NUMERIC' ? '(38,9)' : '') : `(${precision},${scale ?? 0})`
  return resultColumn(name, type + digits)
}

export const rowsOf = (fields: readonly Field[], rows: readonly WireRow[]): RowObject[] =>
  rows.map((row) => Object.fromEntries(fields.map((field, at) => [field.name, valueOf(field, row.f[at]?.v)])))

/** A cell as JavaScript has it, nothing rounded: all of them come as text. */
function valueOf(field: Field, cell: unknown): unknown {
  if (cell === null || cell === undefined) return null
  if (field.mode === 'REPEATED') {
    return (cell as { v: unknown }[]).map(({ v }) => valueOf({ ...field, mode: 'NULLABLE' }, v))
  }
  const text = String(cell)
  switch (field.type) {
    case 'INTEGER':
    case 'INT64':
      return Number.isSafeInteger(Number(text)) ? Number(text) : text
    case 'FLOAT':
    case 'FLOAT64':
      return Number(text)
    case 'BOOLEAN':
    case 'BOOL':
      return text === 'true'
    case 'TIMESTAMP':
      return isoMicros(BigInt(text))
    case 'DATETIME':
      return isoText(text)
    case 'TIME':
      return shortTime(text)
    case 'BYTES':
      return Buffer.from(text, 'base64')
    case 'RECORD':
    case 'STRUCT':
      return rowsOf(field.fields ?? [], [cell as WireRow])[0]
    default:
      return text
  }
}
