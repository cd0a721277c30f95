import type { ResultColumn, RowObject } from '../destinations/index.ts'
import type { Reading } from './reading.ts'
import { momentPlace, numberText, relationSql, type Query, type Statement } from './relation-sql.ts'

/** What a column holds. */
export interface ColumnProfile {
  rows: number
  nulls: number
  /** Different values; 0 for JSON and bytes, which databases do not compare. */
  distinct: number
  min: unknown
  max: unknown
  /** The most frequent values, the first ones first. */
  top: { value: unknown; rows: number }[]
  /**
   * Rows by equal parts of what lies between the smallest and the largest value; for numbers, and for moments in ms since 1970.
   * Each part begins with `from` and ends before `to`; the last one includes it.
   */
  histogram: { from: number; to: number; rows: number }[]
}

export interface ProfileLimits {
  /** How many of the most frequent values. */
  top: number
  /** How many parts the histogram has. */
  parts: number
}

const uncompared = new Set(['json', 'binary'])
const measured = new Set(['bigint', 'double', 'decimal', 'wei', 'timestamp', 'date'])

/** Looks at one column of a query's rows, with three queries at most. */
export async function columnProfile(
  session: Reading,
  asked: Query,
  column: string,
  limits: ProfileLimits,
): Promise<ColumnProfile> {
  const { reader } = session
  const ask = async (query: Query): Promise<RowObject[]> => {
    const { sql, values } = relationSql(query, reader)
    return reader.rows(sql, values)
  }
  const source: Query = { from: asked, where: [], order: [] }
  const type = await typeOf(session, { ...source, columns: [column], limit: 0 })
  const compares = !uncompared.has(type.dataType)
  const orders = compares && type.dataType !== 'bool'
  const [counts] = await ask({
    ...source,
    groups: {
      by: [],
      results: {
        rows_all: ['count'],
        rows_filled: ['count', column],
        ...(compares ? { different: ['count distinct', column] as const } : {}),
        ...(orders ? { smallest: ['min', column] as const, largest: ['max', column] as const } : {}),
      },
    },
  })
  const { smallest: min = null, largest: max = null } = counts!
  const [rows, filled] = [Number(counts!.rows_all), Number(counts!.rows_filled)]
  const grouped: Query = { ...source, groups: { by: [column], results: { times: ['count'] } } }
  const frequent: Query = {
    from: { from: grouped, where: [{ column, comparison: 'is not null', values: [] }], order: [] },
    where: [],
    order: [
      { column: 'times', direction: 'desc' },
      { column, direction: 'asc' },
    ],
    limit: limits.top,
  }
  const top = compares && filled > 0 ? await ask(frequent) : []
  return {
    rows,
    nulls: rows - filled,
    distinct: Number(counts!.different ?? 0),
    min,
    max,
    top: top.map((row) => ({ value: row[column], rows: Number(row.times) })),
    histogram:
      measured.has(type.dataType) && filled > 0 ? await histogram(session, source, type, { min, max, ...limits }) : [],
  }
}

async function typeOf({ reader }: Reading, query: Query): Promise<ResultColumn> {
  const { sql, values } = relationSql(query, reader)
  const { columns, pages } = await reader.query(sql, values)
  for await (const _page of pages);
  return columns[0]!
}

async function histogram(
  { reader }: Reading,
  source: Query,
  { name, dataType }: ResultColumn,
  { min, max, parts }: { min: unknown; max: unknown; parts: number },
): Promise<ColumnProfile['histogram']> {
  const isMoment = dataType === 'timestamp' || dataType === 'date'
  const [first, last] = isMoment ? [Date.parse(String(min)), Date.parse(String(max))] : [Number(min), Number(max)]
  if (!Number.isFinite(first) || !Number.isFinite(last)) return []
  const bounds = boundsOf(
    first,
    last,
    dataType === 'bigint' || dataType === 'wei' ? 1 : dataType === 'date' ? 86_400_000 : 0,
    parts,
  )
  const { sql, values }: Statement = relationSql({ ...source, columns: [name] }, reader)
  const all = [...values]
  const cell = `_sluice_s.${reader.quote(name)}`
  const cases = bounds.slice(1, -1).map((bound, at) => {
    const place = isMoment ? momentPlace(new Date(bound), dataType, reader, all) : numberText(bound)
    return `WHEN ${cell} < ${place} THEN ${at}`
  })
  const part = cases.length === 0 ? '0' : `CASE ${cases.join(' ')} ELSE ${cases.length} END`
  const counted = await reader.rows(
    `SELECT ${part} AS part, COUNT(*) AS times FROM (${sql}) AS _sluice_s WHERE ${cell} IS NOT NULL GROUP BY 1`,
    all,
  )
  const times = new Map(counted.map((row) => [Number(row.part), Number(row.times)]))
  return bounds.slice(0, -1).map((from, at) => ({ from, to: bounds[at + 1]!, rows: times.get(at) ?? 0 }))
}

/** Where the parts begin and end: whole steps where there is nothing between them. */
function boundsOf(first: number, last: number, step: number, parts: number): number[] {
  if (first === last) return [first, last]
  const width =
    step === 0 ? (last - first) / parts : Math.max(step, Math.ceil((last - first + step) / parts / step) * step)
  const count = Math.min(parts, Math.ceil((last - first + (step === 0 ? 0 : step)) / width))
  return Array.from({ length: count + 1 }, (_, at) => (at === count && step === 0 ? last : first + at * width))
}
