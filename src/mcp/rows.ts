import { z } from 'zod'
import { isCut, PipelineError, redact, type DatasetQuery } from '../index.ts'
import { dataNotice } from './tool.ts'

const mostBytes = 100_000
/** Of rows as the database has them; their long values are cut before they are sent. */
const mostRead = 64 * 1024 * 1024
const longestText = 2000
/** What the database sends of a value: a secret that begins in what is shown has to be there whole, to be hidden. */
const longestRead = longestText + 30_000

export const rowLimit = z.number().int().min(1).max(1000).default(50).describe('Rows to give at most')
export const rowCursor = z.string().optional().describe('next_cursor of the call before, for the rows after those')

export const rowsShape = z.object({
  columns: z.array(z.object({ name: z.string(), data_type: z.string() })),
  rows: z.array(z.array(z.unknown())).describe('A list of values for each row, in the order of the columns'),
  next_cursor: z.string().optional().describe('There is more; give it back for the next rows'),
  note: z.string(),
})

type Rows = z.input<typeof rowsShape>

/** The rows from a cursor on, as many as there is room for. */
export async function rowsFrom(
  query: DatasetQuery<Record<string, unknown>>,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<Rows> {
  const offset = offsetOf(cursor)
  const { columns, rows, cut } = await query.first({
    rows: limit,
    bytes: mostRead,
    skip: offset,
    longestValue: longestRead,
  })
  const cells: unknown[][] = []
  let bytes = 0
  for (const row of rows) {
    const values = columns.map(({ name }) => cellOf(row[name]))
    bytes += JSON.stringify(values).length
    if (bytes > mostBytes && cells.length > 0) break
    cells.push(values)
  }
  const hasMore = cut !== undefined || cells.length < rows.length
  return {
    columns: columns.map(({ name, dataType }) => ({ name, data_type: dataType })),
    rows: cells,
    ...(hasMore ? { next_cursor: cursorAt(offset + cells.length) } : {}),
    note: dataNotice,
  }
}

const farthest = 100_000
const cursorAt = (offset: number): string => `rows-${offset}`

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  const offset = Number(/^rows-(\d{1,9})$/.exec(cursor)?.[1])
  if (offset <= farthest) return offset
  throw new PipelineError(
    Number.isNaN(offset) ? 'the cursor is none of next_cursor' : `only the first ${farthest} rows can be paged through`,
    { code: 'WRONG_USE', fix: 'begin without a cursor, or ask for less with WHERE and GROUP BY' },
  )
}

/** A value as it can stand in JSON; long ones are cut, and say so. */
function cellOf(value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value ?? null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (isCut(value)) {
    const { cut, length } = value
    return typeof cut === 'string'
      ? shortened(cut, length)
      : shortened(Buffer.from(cut).toString('base64'), Math.ceil(length / 3) * 4)
  }
  const text =
    value instanceof Uint8Array
      ? Buffer.from(value).toString('base64')
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  return text.length <= longestText ? text : shortened(text, text.length)
}

/** A secret is hidden before the cut, of which the beginning would be left. */
const shortened = (text: string, length: number): string =>
  `${redact(text).slice(0, longestText)}… (${length} characters)`
