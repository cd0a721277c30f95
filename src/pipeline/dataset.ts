import type { Table as ArrowTable } from 'apache-arrow'
import type { DataFrame } from 'nodejs-polars'
import { PipelineError } from '../errors/index.ts'
import { inPassing } from '../destinations/index.ts'
import type { QueryOptions, QueryResult, ResultColumn, RowObject, SqlValue } from '../destinations/index.ts'
import { isOwnTable, wrongValue } from '../schema/index.ts'
import { arrowTable } from './arrow-export.ts'
import { columnProfile, type ColumnProfile, type ProfileLimits } from './column-profile.ts'
import { writeCsv, type CsvOptions } from './csv-export.ts'
import { writeParquet } from './parquet-export.ts'
import type { Querying, Reading } from './reading.ts'
import {
  aggregations,
  comparisons,
  relationSql,
  type Aggregation,
  type Comparable,
  type Comparison,
  type Query,
  type Statement,
} from './relation-sql.ts'
import { rowBytes } from './row-bytes.ts'

type Open = () => Promise<Reading>

/** A connection with the statement that it is opened for. */
interface Asked extends Querying {
  readonly statement: Statement
}

async function asking<Session extends Querying>(
  open: () => Promise<Session>,
  toSql: (session: Session) => Statement,
): Promise<Asked> {
  const session = await open()
  try {
    return { ...session, statement: toSql(session) }
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

interface Opened {
  session?: Querying
}

/** Iterators that are dropped without an end: their connections are closed when the garbage collector finds them. */
const abandoned = new FinalizationRegistry<Opened>(({ session }) => {
  session?.[Symbol.asyncDispose]().then(undefined, () => undefined)
})

/** So many tables are counted by one statement: where each statement is a job, or opens files, many would take minutes. */
const tablesCounted = 100

/** Loaded tables, to be read. A connection is opened for each read and closed after it. */
export class Dataset<Tables = Record<string, RowObject>> {
  private readonly open: Open
  private readonly openForSql: () => Promise<Querying>

  /** `openForSql` opens the connection of `query()`, whose SQL is the caller's. @default `open` */
  constructor(open: Open, openForSql: () => Promise<Querying> = open) {
    this.open = open
    this.openForSql = openForSql
  }

  /** Any SQL of the destination; `$1`, `$2`, … stand for values. Values are as exact as the database has them. */
  query<Row = RowObject>(sql: string, values: readonly SqlValue[] = []): DatasetQuery<Row> {
    return new DatasetQuery<Row>(() => asking(this.openForSql, () => ({ sql, values })))
  }

  /** Rows of a table, to be narrowed down before they are read. */
  table<Row = never, Name extends keyof Tables & string = keyof Tables & string>(
    name: Name,
  ): Relation<[Row] extends [never] ? Tables[Name] : Row, Tables> {
    return new Relation(this.open, { from: name, where: [], order: [] })
  }

  /** The tables with their columns and the database's names for the types; dlt's own only with `system`. */
  async tables({ system = false } = {}): Promise<Map<string, Map<string, string>>> {
    await using session = await this.open()
    return await (system ? session.reader.tables() : dataTables(session))
  }

  /** How many rows tables have: those that are named, or all. */
  async rowCounts(names?: Iterable<string>): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    await using session = await this.open()
    const all = [...(names ?? (await dataTables(session)).keys())]
    for (let at = 0; at < all.length; at += tablesCounted) {
      const some = all.slice(at, at + tablesCounted)
      const sql = some.map((name, i) => `SELECT ${i} AS i, COUNT(*) AS n FROM ${session.reader.tableName(name)}`)
      const rows = await session.reader.rows(sql.join(' UNION ALL '))
      const byIndex = new Map(rows.map((row) => [Number(row.i), Number(row.n)]))
      for (const [i, name] of some.entries()) counts.set(name, byIndex.get(i)!)
    }
    return counts
  }
}

async function dataTables({ reader }: Reading): Promise<Map<string, Map<string, string>>> {
  const tables = [...(await reader.tables())].filter(([name]) => !isOwnTable(name))
  return new Map(tables.sort(([a], [b]) => a.localeCompare(b)))
}

/** Something that can be read: all at once, or page by page. */
export class DatasetQuery<Row> implements AsyncIterable<Row[]> {
  private readonly ask: () => Promise<Asked>

  constructor(ask: () => Promise<Asked>) {
    this.ask = ask
  }

  async toArray(): Promise<Row[]> {
    await using session = await this.ask()
    return (await session.reader.rows(session.statement.sql, session.statement.values)) as Row[]
  }

  /** Pages of rows, as they come from the database. The connection is closed when the loop ends, however it ends. */
  [Symbol.asyncIterator](): AsyncGenerator<Row[]> {
    const opened: Opened = {}
    const pages = this.pages(opened)
    abandoned.register(pages, opened)
    return pages
  }

  private async *pages(opened: Opened): AsyncGenerator<Row[]> {
    await using session = await this.ask()
    opened.session = session
    try {
      yield* (await this.read(session)).pages as AsyncIterable<Row[]>
    } finally {
      delete opened.session
    }
  }

  /** The first rows after `skip`, as many as there is room for and at least one; `cut` tells what was full. */
  async first(room: {
    rows: number
    bytes: number
    /** @default 0 */
    skip?: number
    /** Longer texts and bytes come as `{ cut, length }`; PostgreSQL and DuckDB cut them before they are sent. */
    longestValue?: number
  }): Promise<{ columns: ResultColumn[]; rows: Row[]; cut?: 'rows' | 'bytes' }> {
    await using session = await this.ask()
    const { columns, pages } = await this.read(session, { longestValue: room.longestValue })
    const rows: RowObject[] = []
    let bytes = 0
    let skipped = 0
    for await (const page of pages) {
      for (const row of page) {
        if (skipped < (room.skip ?? 0)) {
          skipped += 1
          continue
        }
        if (rows.length === room.rows) return { columns, rows: rows as Row[], cut: 'rows' }
        bytes += rowBytes(row)
        if (bytes > room.bytes && rows.length > 0) return { columns, rows: rows as Row[], cut: 'bytes' }
        rows.push(row)
      }
    }
    return { columns, rows: rows as Row[] }
  }

  private read({ reader, statement }: Asked, options?: QueryOptions): Promise<QueryResult> {
    return reader.query(statement.sql, statement.values, options)
  }

  /** One row after the other; only a page of them is in memory. */
  async *rows(): AsyncGenerator<Row> {
    for await (const page of this) yield* page
  }

  /** The columns of the result, with their types. */
  async columns(): Promise<ResultColumn[]> {
    await using session = await this.ask()
    return (await this.read(session)).columns
  }

  /** Writes a CSV file with a header; returns the number of rows. A text is quoted, a null is not there at all. */
  async toCsv(path: string, options?: CsvOptions): Promise<number> {
    await using session = await this.ask()
    return await writeCsv(path, await this.read(session), options)
  }

  /**
   * Writes a Parquet file with the types that the database has; returns the number of rows. Decimals of more than 38 digits,
   * and those whose digits the database does not tell, are text.
   */
  async toParquet(path: string): Promise<number> {
    await using session = await this.ask()
    return await writeParquet(path, await this.read(session))
  }

  /** An Arrow table with the types that `toParquet` writes. Needs the package `apache-arrow`. */
  async toArrow(): Promise<ArrowTable> {
    const arrow = await installed('toArrow()', 'apache-arrow', () => import('apache-arrow'))
    await using session = await this.ask()
    return await arrowTable(arrow, await this.read(session))
  }

  /** A data frame of polars. Needs the package `nodejs-polars`. */
  async toPolars(): Promise<DataFrame> {
    const { default: polars } = await installed('toPolars()', 'nodejs-polars', () => import('nodejs-polars'))
    return inPassing('rows.parquet', async (file) => {
      await this.toParquet(file)
      return polars.readParquet(file)
    })
  }
}

type Column<Row> = keyof Row & string
/** The same, as one object: what an editor shows. */
type Flat<Row> = { [Key in keyof Row]: Row[Key] }
type Results<Row> = Record<string, readonly ['count'] | readonly [Aggregation, Column<Row>]>
/** What comes of an aggregation: whole numbers beyond 2^53 and decimals are text. */
type ResultOf<Row, Result> = Result extends readonly ['count' | 'count distinct', ...unknown[]]
  ? number
  : Result extends readonly ['min' | 'max', infer Name extends keyof Row]
    ? Row[Name] | null
    : number | string | null

/** Rows of a table, narrowed down step by step; nothing is read before one asks for the rows. */
export class Relation<Row, Tables = Record<string, RowObject>> extends DatasetQuery<Row> {
  private readonly open: Open
  private readonly asked: Query

  constructor(open: Open, asked: Query) {
    super(() => asking(open, ({ reader }) => relationSql(asked, reader)))
    this.open = open
    this.asked = asked
  }

  select<Name extends Column<Row>>(...columns: Name[]): Relation<Flat<Pick<Row, Name>>, Tables> {
    if (columns.length === 0) throw wrongUse('select(): no column is named', "name them: select('id', 'name')")
    const { join, groups, columns: before } = this.asked
    const isWhole = join === undefined && groups === undefined && before === undefined
    return new Relation(this.open, { ...(isWhole ? this.asked : above(this.asked)), columns })
  }

  /** Rows that fit; several conditions must all hold. `in` takes a list, `is null` takes nothing. */
  where(column: Column<Row>, comparison: 'is null' | 'is not null'): Relation<Row, Tables>
  where(column: Column<Row>, comparison: 'in' | 'not in', values: readonly Comparable[]): Relation<Row, Tables>
  where(
    column: Column<Row>,
    comparison: Exclude<Comparison, 'is null' | 'is not null' | 'in' | 'not in'>,
    value: Comparable,
  ): Relation<Row, Tables>
  where(
    column: Column<Row>,
    comparison: Comparison,
    value?: Comparable | readonly Comparable[],
  ): Relation<Row, Tables> {
    if (!comparisons.includes(comparison)) throw wrongValue('where(): comparison', comparison, comparisons)
    if (!comparison.startsWith('is ') && (value === undefined || value === null)) {
      throw wrongUse(
        `where(): "${comparison}" has nothing to compare with`,
        "ask for rows without a value: where('x', 'is null')",
      )
    }
    const values = value === undefined ? [] : Array.isArray(value) ? value : [value as Comparable]
    const asked = this.sameRows()
    return new Relation(this.open, { ...asked, where: [...asked.where, { column, comparison, values }] })
  }

  orderBy(column: Column<Row>, direction: 'asc' | 'desc' = 'asc'): Relation<Row, Tables> {
    if (direction !== 'asc' && direction !== 'desc')
      throw wrongValue('orderBy(): direction', direction, ['asc', 'desc'])
    const asked = this.sameRows()
    return new Relation(this.open, { ...asked, order: [...asked.order, { column, direction }] })
  }

  limit(rows: number): Relation<Row, Tables> {
    if (!Number.isInteger(rows) || rows < 0) throw new RangeError(`limit: expected a whole number, got ${rows}`)
    return new Relation(this.open, { ...this.asked, limit: Math.min(rows, this.asked.limit ?? rows) })
  }

  /** Leaves out the first rows; give an order, without which databases may change it from one read to the next. */
  offset(rows: number): Relation<Row, Tables> {
    if (!Number.isInteger(rows) || rows < 0) throw new RangeError(`offset: expected a whole number, got ${rows}`)
    const { limit, offset } = this.asked
    const asked = limit === undefined && offset === undefined ? this.asked : above(this.asked)
    return new Relation(this.open, { ...asked, offset: rows })
  }

  /**
   * Adds columns of another table: `join('issues__labels', { label: 'name' })`. Nested rows meet the row they came from; for
   * other tables, `on` says which columns equal which. Rows that meet none are left out, unless `keepsAll`.
   */
  join<Name extends keyof Tables & string, const Added extends Record<string, Column<Tables[Name]>>>(
    table: Name,
    columns: Added,
    options: { on?: { [Own in Column<Row>]?: Column<Tables[Name]> }; keepsAll?: boolean } = {},
  ): Relation<Flat<Row & { -readonly [Key in keyof Added]: Tables[Name][Added[Key]] }>, Tables> {
    const { on, keepsAll = false } = options
    const keys = (on as Record<string, string> | undefined) ?? parentKeys(tableOf(this.asked), table)
    return new Relation(this.open, { ...this.sameColumns(), join: { table, columns, keepsAll, on: keys } })
  }

  /** One row for all, or one for each group of `by`: `aggregate({ n: ['count'], last: ['max', 'at'] }, 'status')`. */
  aggregate<const Asked extends Results<Row>, By extends Column<Row> = never>(
    results: Asked,
    ...by: By[]
  ): Relation<Flat<Pick<Row, By> & { -readonly [Key in keyof Asked]: ResultOf<Row, Asked[Key]> }>, Tables> {
    for (const [name] of Object.values<readonly [Aggregation, string?]>(results)) {
      if (!aggregations.includes(name)) throw wrongValue('aggregate()', name, aggregations)
    }
    return new Relation(this.open, { ...this.sameColumns(), order: [], groups: { by, results } })
  }

  async count(): Promise<number> {
    const [row] = await this.aggregate({ n: ['count'] }).toArray()
    return Number(row!.n)
  }

  /** What a column holds: nulls, different and most frequent values, how they are spread. */
  async profile(column: Column<Row>, limits: Partial<ProfileLimits> = {}): Promise<ColumnProfile> {
    await using session = await this.open()
    return await columnProfile(session, this.asked, column, { top: 10, parts: 20, ...limits })
  }

  /** A query to which conditions and an order can be added as they are. */
  private sameRows(): Query {
    const { join, groups, limit, offset } = this.asked
    const isPlain = join === undefined && groups === undefined && limit === undefined && offset === undefined
    return isPlain ? this.asked : above(this.asked)
  }

  /** The same, whose columns are all those of its source. */
  private sameColumns(): Query {
    return this.asked.columns === undefined ? this.sameRows() : above(this.asked)
  }
}

/** A query on the rows of another one, in their order as far as its columns tell that. */
function above(asked: Query): Query {
  const { columns, order, limit, offset } = asked
  const knowsOrder = columns === undefined || order.every(({ column }) => columns.includes(column))
  if (!knowsOrder) return { from: asked, where: [], order: [] }
  const keepsOrder = limit !== undefined || offset !== undefined
  return { from: keepsOrder ? asked : { ...asked, order: [] }, where: [], order }
}

async function installed<T>(use: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new PipelineError(`${use}: the package ${name} cannot be loaded`, {
      code: 'DRIVER_MISSING',
      fix: `npm install ${name}`,
      cause,
    })
  }
}

const tableOf = ({ from }: Query): string => (typeof from === 'string' ? from : tableOf(from))

/** How nested rows meet the row they came from, seen from either side. */
function parentKeys(own: string, other: string): Record<string, string> {
  const isBelow = (child: string, parent: string): boolean =>
    child.startsWith(`${parent}__`) && !child.slice(parent.length + 2).includes('__')
  if (isBelow(other, own)) return { _dlt_id: '_dlt_parent_id' }
  if (isBelow(own, other)) return { _dlt_parent_id: '_dlt_id' }
  throw wrongUse(
    `join(): "${other}" is neither right above nor right below "${own}"`,
    `say which columns equal which: join('${other}', { … }, { on: { ${other}_id: 'id' } })`,
  )
}

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })
