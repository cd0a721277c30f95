import type { RowObject } from '../destination.ts'
import { isoText } from '../sql/moments.ts'

/** A column of an answer, as DESCRIBE QUERY tells it. */
export interface Field {
  name: string
  type: string
}

/** The driver rounds long numbers and cuts moments, so values are asked for as text. */
export function asText(sql: string, fields: readonly Field[]): string {
  const cells = fields.map(({ type }, at) => `${textOf(type, `c${at}`)} AS c${at}`)
  // Names may be there twice; places are not.
  const places = fields.map((_field, at) => `c${at}`).join(', ')
  return `SELECT ${cells.join(', ')} FROM (${sql.replace(/(?<![;\s])[;\s]+$/, '')}\n) AS answer(${places})`
}

function textOf(type: string, cell: string): string {
  if (type === 'binary') return `hex(${cell})`
  return /^(struct|array|map|variant)/.test(type) ? `to_json(${cell})` : `CAST(${cell} AS string)`
}

export const rowOf = (fields: readonly Field[], row: RowObject): RowObject =>
  Object.fromEntries(fields.map(({ name, type }, at) => [name, valueOf(type, row[`c${at}`])]))

function valueOf(type: string, cell: unknown): unknown {
  if (cell === null || cell === undefined) return null
  const text = String(cell)
  switch (type) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return Number.isSafeInteger(Number(text)) ? Number(text) : text
    case 'float':
    case 'double':
      return Number(text)
    case 'boolean':
      return text === 'true'
    case 'timestamp':
    case 'timestamp_ntz':
      // The session's zone is UTC.
      return isoText(text)
    case 'binary':
      return Buffer.from(text, 'hex')
    default:
      return text
  }
}

/** `DESCRIBE` of a table ends with what is no column. */
export function fieldsOf(rows: readonly RowObject[]): Field[] {
  const fields = rows.map((row) => ({ name: String(row.col_name ?? ''), type: String(row.data_type ?? '') }))
  const end = fields.findIndex(({ name }) => name === '' || name.startsWith('# '))
  return end === -1 ? fields : fields.slice(0, end)
}
