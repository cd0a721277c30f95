import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  isCut,
  isOwnTable,
  PipelineError,
  type Dataset,
  type DatasetQuery,
  type Relation,
  type Pipeline,
  type Column,
} from '../index.ts'
import type { Cell, ColumnProfile, ColumnSummary, ResultPage, TableSummary } from './api.ts'
import { FileAnswer } from './file-answer.ts'

const largestPage = 500
const largestResult = 10_000
const largestBytes = 4 * 1024 * 1024
/** Of a page of a table, whose cells are cut before they are sent. */
const largestPageBytes = 256 * 1024 * 1024
const longestText = 2000
const topValues = 8
const parts = 24

/** All tables, as the schema and the database know them. */
export async function tables(pipeline: Pipeline): Promise<TableSummary[]> {
  const [schemas, stored] = await Promise.all([pipeline.schemas(), pipeline.dataset().tables({ system: true })])
  const known = new Map(schemas.flatMap((schema) => [...schema.tables.values()]).map((table) => [table.name, table]))
  return [...stored].map(([name, types]) => {
    const table = known.get(name)
    return {
      name,
      ...optional('parent', table?.parent),
      ...optional('resource', table?.resource),
      ...optional('writeDisposition', table?.writeDisposition?.disposition),
      ...optional('description', table?.description),
      columns: [...types].map(([column, type]) => ({ ...columnOf(table?.columns.get(column)), name: column, type })),
      isSystem: isOwnTable(name),
    }
  })
}

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }

function columnOf(column: Column | undefined): Omit<ColumnSummary, 'name'> {
  const hints = [
    [column?.primaryKey, 'primary key'],
    [column?.mergeKey, 'merge key'],
    [column?.incremental, 'cursor'],
    [column?.unique, 'unique'],
    [column?.rowKey, 'row key'],
    [column?.parentKey, 'parent'],
    [column?.rootKey, 'root'],
    [column?.variant, 'variant'],
    [column?.hardDelete, 'deletes'],
    [column?.partition, 'partition'],
    [column?.cluster, 'cluster'],
    [column?.sort, 'sort'],
  ] as const
  return {
    ...optional('dataType', column?.dataType),
    ...optional('description', column?.description),
    nullable: column?.nullable !== false,
    hints: hints.flatMap(([is, word]) => (is === true ? [word] : [])),
  }
}

export async function rowCounts(pipeline: Pipeline): Promise<Record<string, number>> {
  return Object.fromEntries(await pipeline.dataset().rowCounts())
}

/** A page of a table with what is nested in its rows: `offset`, `limit`, `order` (`name.desc`), `column`, `is` and `value` of a condition. */
export function tablePage(pipeline: Pipeline, table: string, query: URLSearchParams): Promise<ResultPage> {
  return pipeline.withDataset(async (data) => {
    let relation = data.table(table)
    const [column, comparison, value] = [query.get('column'), query.get('is'), query.get('value')]
    if (column !== null && comparison !== null) relation = conditioned(relation, column, comparison, value ?? '')
    const [, order, direction] = /^(.*)\.(asc|desc)$/s.exec(query.get('order') ?? '') ?? []
    const sorted = order === undefined ? relation : relation.orderBy(order, direction as 'asc' | 'desc')
    const limit = Math.min(wholeNumber(query, 'limit', 100), largestPage)
    const offset = wholeNumber(query, 'offset', 0)
    const page = await pageOf(sorted.offset(offset).limit(limit), { rows: limit, bytes: largestPageBytes })
    const children = await childCounts(data, table, page)
    // Counting all rows again for each page would be paid for by the second in some warehouses.
    return offset > 0 ? { ...page, children } : { ...page, children, total: await relation.count() }
  })
}

type Rows = Relation<Record<string, unknown>>

/** Text is compared with what the column holds. */
function conditioned(relation: Rows, column: string, comparison: string, value: string): Rows {
  if (comparison === 'is null' || comparison === 'is not null') return relation.where(column, comparison)
  return relation.where(column, comparison as '=', value)
}

/** How many rows are nested in each row of a page, table by table. */
async function childCounts(
  data: Dataset,
  table: string,
  { columns, rows }: ResultPage,
): Promise<NonNullable<ResultPage['children']>> {
  const id = columns.findIndex(({ name }) => name === '_dlt_id')
  if (id === -1 || rows.length === 0) return []
  const below = [...(await data.tables())]
    .filter(([name]) => name.startsWith(`${table}__`) && !name.slice(table.length + 2).includes('__'))
    // A resource may be called like that, too; its rows belong to no other.
    .filter(([, own]) => own.has('_dlt_parent_id'))
    .map(([name]) => name)
  const ids = rows.map((row) => String(row[id]))
  const children: NonNullable<ResultPage['children']> = []
  for (const name of below) {
    const own = data.table(name).where('_dlt_parent_id', 'in', ids)
    const counted = await own.aggregate({ n: ['count'] }, '_dlt_parent_id').toArray()
    const counts = new Map(counted.map((row) => [String(row._dlt_parent_id), Number(row.n)]))
    children.push({ table: name, counts: ids.map((one) => counts.get(one) ?? 0) })
  }
  return children
}

function wholeNumber(query: URLSearchParams, name: string, standard: number): number {
  const value = Number(query.get(name) ?? standard)
  if (Number.isInteger(value) && value >= 0) return value
  throw new PipelineError(`${name}: ${query.get(name)} is no whole number`, {
    code: 'WRONG_USE',
    fix: 'reload the page',
  })
}

export async function queryPage(pipeline: Pipeline, sql: unknown): Promise<ResultPage> {
  if (typeof sql === 'string' && sql.trim() !== '')
    return pageOf(pipeline.dataset().query(sql), { rows: largestResult, bytes: largestBytes })
  throw new PipelineError('there is no SQL to run', { code: 'WRONG_USE', fix: 'write a query, such as: select 1' })
}

const formats = { csv: 'text/csv; charset=utf-8', parquet: 'application/vnd.apache.parquet' } as const

/** All rows of a query as a file, with the types they have. */
export async function exportFile(pipeline: Pipeline, sql: unknown, format: unknown): Promise<FileAnswer> {
  if (typeof sql !== 'string' || (format !== 'csv' && format !== 'parquet')) {
    throw new PipelineError('there is nothing to export', {
      code: 'WRONG_USE',
      fix: 'name a query, and csv or parquet',
    })
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-download-'))
  const path = join(folder, `${pipeline.name}.${format}`)
  const query = pipeline.dataset().query(sql)
  try {
    await (format === 'csv' ? query.toCsv(path, { formulas: 'text' }) : query.toParquet(path))
    return new FileAnswer(path, formats[format], () => rmSync(folder, { recursive: true, force: true }))
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Room {
  rows: number
  bytes: number
}

/** The first rows of a result, as far as a page can show them. */
async function pageOf(query: DatasetQuery<Record<string, unknown>>, room: Room): Promise<ResultPage> {
  const startedAt = performance.now()
  const { columns, rows, cut } = await query.first({ ...room, longestValue: longestText })
  return {
    columns: columns.map(({ name, dataType }) => ({ name, dataType })),
    rows: rows.map((row) => columns.map(({ name }) => cellOf(row[name]))),
    ...optional('cut', cut),
    ms: Math.round(performance.now() - startedAt),
  }
}

/** What can stand in a cell of the page. */
function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean') return value
  if (isCut(value)) {
    const { cut, length } = value
    return typeof cut === 'string' ? { text: cut, length } : { text: base64(cut), length: base64Length(length) }
  }
  const text =
    value instanceof Uint8Array
      ? base64(value.subarray(0, longestText))
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)
  return text.length <= longestText ? text : { text: text.slice(0, longestText), length: text.length }
}

const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64')
const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4

/** What a column holds. */
export async function columnProfile(pipeline: Pipeline, table: string, column: string): Promise<ColumnProfile> {
  const relation = pipeline.dataset().table(table)
  const profile = await relation.profile(column, { top: topValues, parts })
  const { min, max, top } = profile
  return {
    ...profile,
    min: cellOf(min),
    max: cellOf(max),
    top: top.map(({ value, rows }) => ({ value: cellOf(value), rows })),
  }
}
