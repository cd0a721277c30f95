import type { DestinationSession, RowObject } from '../destinations/index.ts'

/** Loaded tables, to be read. A connection is opened for each read and closed after it. */
export class Dataset {
  private readonly open: () => Promise<DestinationSession>

  constructor(open: () => Promise<DestinationSession>) {
    this.open = open
  }

  /** Any SQL of the destination. Values are as exact as the database has them. */
  query<Row = RowObject>(sql: string): DatasetQuery<Row> {
    return new DatasetQuery<Row>(this.open, () => sql)
  }

  table<Row = RowObject>(name: string): TableQuery<Row> {
    return new TableQuery<Row>(this.open, { table: name, columns: [], limit: undefined })
  }
}

export class DatasetQuery<Row> implements AsyncIterable<Row[]> {
  protected readonly open: () => Promise<DestinationSession>
  private readonly toSql: (session: DestinationSession) => string

  constructor(open: () => Promise<DestinationSession>, toSql: (session: DestinationSession) => string) {
    this.open = open
    this.toSql = toSql
  }

  async toArray(): Promise<Row[]> {
    await using session = await this.open()
    return (await session.reader.rows(this.toSql(session))) as Row[]
  }

  /** Pages of rows, as they come from the database. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Row[]> {
    await using session = await this.open()
    yield* session.reader.stream(this.toSql(session)) as AsyncIterable<Row[]>
  }
}

interface TableSelection {
  table: string
  columns: readonly string[]
  limit: number | undefined
}

/** A table, or some of its columns and rows. */
export class TableQuery<Row> extends DatasetQuery<Row> {
  private readonly selection: TableSelection

  constructor(open: () => Promise<DestinationSession>, selection: TableSelection) {
    super(open, ({ reader }) => {
      const columns = selection.columns.length === 0 ? '*' : selection.columns.map(reader.quote).join(', ')
      const limit = selection.limit === undefined ? '' : ` LIMIT ${selection.limit}`
      return `SELECT ${columns} FROM ${reader.tableName(selection.table)}${limit}`
    })
    this.selection = selection
  }

  select(...columns: string[]): TableQuery<Row> {
    return new TableQuery<Row>(this.open, { ...this.selection, columns })
  }

  limit(rows: number): TableQuery<Row> {
    if (!Number.isInteger(rows) || rows < 0) throw new RangeError(`limit: expected a whole number, got ${rows}`)
    return new TableQuery<Row>(this.open, { ...this.selection, limit: rows })
  }
}
