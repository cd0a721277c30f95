import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSystemTable, type Schema } from '../../schema/index.ts'
import type {
  DestinationSession,
  DestinationTarget,
  LoadTransaction,
  QueryOptions,
  QueryResult,
  RowObject,
  SqlConnection,
  SqlValue,
} from '../destination.ts'
import type { DuckdbConnection } from '../duckdb/connection.ts'
import { duckdbDialect, quote } from '../duckdb/dialect.ts'
import { duckdbParts } from '../duckdb/duckdb.ts'
import { onlyToLook } from '../read-only.ts'
import { sqlDestination } from '../sql/sql-destination.ts'
import { inParallel } from '../in-parallel.ts'
import type { ObjectStore } from '../stores/index.ts'
import { FileReader } from './file-reader.ts'
import { FileWriter } from './file-writer.ts'
import type { FileFormat } from './formats.ts'
import type { ExtraPlaceholders } from './layout.ts'
import { newestManifest, publish, removeOld, type ManifestTable, type Retention } from './manifest.ts'
import { TouchedFiles } from './touched-files.ts'

export interface FilesSettings {
  store: ObjectStore
  format: FileFormat
  layout: string
  extraPlaceholders: ExtraPlaceholders
  retention: Retention
}

/** A dataset of files, worked on through scratch databases. */
export class FilesSession {
  private readonly target: DestinationTarget
  private readonly settings: FilesSettings
  private readonly folder = mkdtempSync(join(tmpdir(), 'sluice-files-'))
  private readonly reader: FileReader
  private databases = 0

  constructor(target: DestinationTarget, settings: FilesSettings) {
    this.target = target
    this.settings = settings
    this.reader = new FileReader(settings.store, join(this.folder, 'fetched'))
  }

  session(): DestinationSession {
    const ledger = <T>(read: (session: DestinationSession) => Promise<T>): Promise<T> =>
      this.reading(isSystemTable, read)
    return {
      location: `${this.settings.store.location}/${this.target.dataset}`,
      ledger: {
        hasLoad: (loadId) => ledger((session) => session.ledger.hasLoad(loadId)),
        readState: (pipeline) => ledger((session) => session.ledger.readState(pipeline)),
        readSchema: (name) => ledger((session) => session.ledger.readSchema(name)),
      },
      reader: {
        tables: () => this.tables(),
        rows: (sql, values) => this.reading(namedIn(sql), (session) => session.reader.rows(sql, values)),
        query: (sql, values, options) => this.query(sql, values, options),
        tableName: (table) => `${quote(this.target.dataset)}.${quote(table)}`,
        quote,
        momentType: duckdbDialect.typeName({ name: '', dataType: 'timestamp' }),
        textType: duckdbDialect.typeName({ name: '', dataType: 'text' }),
      },
      transaction: (work) => this.loading(work),
      check: () => this.tryStore(),
      [Symbol.asyncDispose]: async () => rmSync(this.folder, { recursive: true, force: true }),
    }
  }

  private async tables(): Promise<Map<string, Map<string, string>>> {
    const { tables } = await newestManifest(this.settings.store, this.target.dataset)
    return new Map(Object.entries(tables).map(([name, { columns }]) => [name, new Map(Object.entries(columns))]))
  }

  private async tryStore(): Promise<string> {
    const { store } = this.settings
    const path = `${this.target.dataset}/${randomUUID()}`
    if (!(await store.create(path, 'well'))) throw new Error(`${store.location}/${path} was there already`)
    await store.read(path)
    const found = await store.list(this.target.dataset)
    await store.remove(path)
    if (!found.includes(path)) throw new Error(`${store.location} does not list what was written`)
    return 'an object was written, read, listed and removed'
  }

  /** A database with a view for each table of the newest version; only the files of some tables are fetched. */
  private async openReader(isRead: (table: string) => boolean): Promise<DestinationSession> {
    const manifest = await newestManifest(this.settings.store, this.target.dataset)
    return this.openDatabase(async (connection) => {
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(this.target.dataset)}`)
      for (const [name, table] of Object.entries(manifest.tables)) {
        const rows = await this.reader.select(table, isRead(name) ? table.files : [])
        await connection.run(`CREATE VIEW ${this.tableName(name)} AS ${rows}`)
      }
      const { readOnly } = this.target
      if (readOnly !== undefined) await connection.lockDown({ ...readOnly, files: [...this.reader.opened] })
    })
  }

  private async reading<T>(
    isRead: (table: string) => boolean,
    read: (session: DestinationSession) => Promise<T>,
  ): Promise<T> {
    await using session = await this.openReader(isRead)
    return await read(session)
  }

  private async query(
    sql: string,
    values: readonly SqlValue[] | undefined,
    options: QueryOptions | undefined,
  ): Promise<QueryResult> {
    const session = await this.openReader(namedIn(sql))
    try {
      const { columns, pages } = await session.reader.query(sql, values, options)
      return { columns, pages: closing(session, pages) }
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }

  /** A scratch database through DuckDB's own parts; `prepare` runs before anybody else sees the connection. */
  private openDatabase(prepare: (connection: DuckdbConnection) => Promise<void>): Promise<DestinationSession> {
    const path = join(this.folder, `scratch-${++this.databases}.duckdb`)
    const parts = duckdbParts({ path })
    const scratch = sqlDestination({
      ...parts,
      async connect(target) {
        const opened = await parts.connect(target)
        await prepare(opened.connection as DuckdbConnection)
        return opened
      },
    })
    // The database is there to be filled, also where its user may only look.
    const { pipeline, dataset } = this.target
    return scratch.open({ pipeline, dataset })
  }

  /**
   * A load: tables begin empty, with the columns they have, so that an append writes only what is new. Where old rows
   * matter, as in a merge, the files that hold them are read in first and written anew.
   */
  private async loading<T>(work: (load: LoadTransaction) => Promise<T>): Promise<T> {
    if (this.target.readOnly !== undefined) throw onlyToLook()
    this.settings.store.tidy?.()
    const before = await newestManifest(this.settings.store, this.target.dataset)
    let scratch!: SqlConnection
    await using session = await this.openDatabase(async (connection) => {
      scratch = connection
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(this.target.dataset)}`)
      for (const [name, { columns }] of Object.entries(before.tables)) {
        const definitions = Object.entries(columns).map(([column, type]) => `${quote(column)} ${type}`)
        await connection.run(`CREATE TABLE ${this.tableName(name)} (${definitions.join(', ')})`)
      }
    })
    const touched = new TouchedFiles(before, this.target.dataset, scratch, this.reader)
    for (const name of Object.keys(before.tables)) if (isSystemTable(name)) await touched.takeAll(name)
    const result = await session.transaction((load) => work(touched.watching(load)))
    if (touched.written !== undefined) {
      const { loadId, schema } = touched.written
      const tables = await this.writeTables(scratch, touched, await tablesOf(session), { loadId, schema })
      const { store, retention } = this.settings
      await publish(store, this.target.dataset, before, { loadId, tables })
      await removeOld(store, this.target.dataset, retention)
    }
    return result
  }

  /** New files for the rows in the scratch database, beside the files that were not touched. */
  private async writeTables(
    scratch: SqlConnection,
    touched: TouchedFiles,
    columns: Map<string, Map<string, string>>,
    load: { loadId: string; schema: Schema },
  ): Promise<Record<string, ManifestTable>> {
    const { dataset } = this.target
    const writer = new FileWriter(scratch, this.settings, { dataset, ...load, folder: join(this.folder, 'written') })
    const tables: Record<string, ManifestTable> = {}
    const uploads: { path: string; file: string }[] = []
    for (const [name, types] of columns) {
      const own = Object.fromEntries(types)
      const files = await writer.write(name, own)
      uploads.push(...files)
      tables[name] = withFiles(own, touched.kept(name), files)
    }
    await inParallel(uploads, ({ path, file }) => this.settings.store.upload(path, file))
    return tables
  }

  private tableName(name: string): string {
    return `${quote(this.target.dataset)}.${quote(name)}`
  }
}

/** Pages that are the last thing read from a session. */
async function* closing(session: AsyncDisposable, pages: AsyncIterable<RowObject[]>): AsyncGenerator<RowObject[]> {
  await using _session = session
  yield* pages
}

/** True for tables that a query may read: those whose name stands in it as a word, wherever that is. */
function namedIn(sql: string): (table: string) => boolean {
  return (table) => {
    const name = table.replaceAll('"', '""').replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    return new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'iu').test(sql)
  }
}

function withFiles(
  columns: Record<string, string>,
  kept: ManifestTable,
  added: readonly { path: string; partition: Record<string, string | null> }[],
): ManifestTable {
  const used = kept.shapes.findIndex((shape) => JSON.stringify(shape) === JSON.stringify(columns))
  const shapes = used >= 0 || added.length === 0 ? kept.shapes : [...kept.shapes, columns]
  const shape = used >= 0 ? used : shapes.length - 1
  const files = added.map(({ path, partition }) =>
    Object.keys(partition).length === 0 ? { path, shape } : { path, shape, partition },
  )
  return { columns, shapes, files: [...kept.files, ...files] }
}

const tablesOf = (session: DestinationSession): Promise<Map<string, Map<string, string>>> =>
  session.transaction((load) => load.catalog.tables())
