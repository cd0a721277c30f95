import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PipelineError } from '../../errors/index.ts'
import { isSystemTable, type CustomNaming, type NamingName } from '../../schema/index.ts'
import type { Capabilities } from '../capabilities.ts'
import type {
  Destination,
  DestinationSession,
  DestinationTarget,
  LoadTransaction,
  SqlConnection,
} from '../destination.ts'
import { duckdbParts } from '../duckdb/duckdb.ts'
import { sqlDestination } from '../sql/sql-destination.ts'
import { fileFormat, type Compression, type FileFormat, type FormatName } from './formats.ts'
import { newestManifest, publish, removeOld, type Manifest, type ManifestFile, type ManifestTable } from './manifest.ts'
import { localStore, type ObjectStore } from './object-store.ts'

export interface FilesystemOptions {
  /** A folder, as path or `file://` URL; or any other store of objects. */
  bucketUrl: string | ObjectStore
  /** @default 'parquet' */
  format?: FormatName
  /** @default 'zstd' for Parquet, 'gzip' for the others */
  compression?: Compression
  maxIdentifierLength?: number
  namingConvention?: NamingName | CustomNaming
}

/**
 * Files in a folder: `<dataset>/<table>/<load id>.parquet`, or JSON lines or CSV. DuckDB does the work, in a database of its own that is
 * thrown away; what a load changed is written as new files, which become visible together by one manifest.
 */
export function filesystem(options: FilesystemOptions): Destination {
  const { capabilities } = duckdbParts({})
  return {
    name: 'filesystem',
    capabilities: withNames(capabilities, options),
    open: async (target) => new FilesystemSession(storeOf(options.bucketUrl), target, options).session(),
  }
}

const withNames = (capabilities: Capabilities, options: FilesystemOptions): Capabilities => ({
  ...capabilities,
  identifiers: {
    ...capabilities.identifiers,
    maxLength: options.maxIdentifierLength ?? 200,
    naming: options.namingConvention ?? capabilities.identifiers.naming,
  },
})

function storeOf(url: string | ObjectStore): ObjectStore {
  if (typeof url !== 'string') return url
  if (url.startsWith('file:')) return localStore(fileURLToPath(url))
  if (!/^[a-z][a-z0-9+]+:\/\//i.test(url)) return localStore(resolve(url))
  throw new PipelineError(`filesystem: "${url.split(':')[0]}" is not supported yet`, {
    code: 'WRONG_USE',
    fix: 'use a folder: a path, or a URL that begins with file://',
  })
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

class FilesystemSession {
  private readonly store: ObjectStore
  private readonly target: DestinationTarget
  private readonly format: FileFormat
  private readonly folder = mkdtempSync(join(tmpdir(), 'sluice-files-'))
  private databases = 0

  constructor(store: ObjectStore, target: DestinationTarget, options: FilesystemOptions) {
    this.store = store
    this.target = target
    this.format = fileFormat(options.format ?? 'parquet', options.compression)
  }

  session(): DestinationSession {
    return {
      location: `${this.store.location}/${this.target.dataset}`,
      ledger: {
        hasLoad: (loadId) => this.reading((session) => session.ledger.hasLoad(loadId)),
        readState: (pipeline) => this.reading((session) => session.ledger.readState(pipeline)),
        readSchema: (name) => this.reading((session) => session.ledger.readSchema(name)),
        readSchemas: () => this.reading((session) => session.ledger.readSchemas()),
      },
      reader: {
        rows: (sql) => this.reading((session) => session.reader.rows(sql)),
        stream: (sql) => this.streaming(sql),
        tableName: (table) => `${quote(this.target.dataset)}.${quote(table)}`,
        quote,
      },
      transaction: (work) => this.loading(work),
      [Symbol.asyncDispose]: async () => rmSync(this.folder, { recursive: true, force: true }),
    }
  }

  /** A database with a view for each table of the newest version. */
  private async openReader(): Promise<DestinationSession> {
    const manifest = await newestManifest(this.store, this.target.dataset)
    return this.openDatabase(async (connection) => {
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(this.target.dataset)}`)
      for (const [name, table] of Object.entries(manifest.tables)) {
        await connection.run(`CREATE VIEW ${this.tableName(name)} AS ${await this.selectFrom(table)}`)
      }
    })
  }

  private async reading<T>(read: (session: DestinationSession) => Promise<T>): Promise<T> {
    await using session = await this.openReader()
    return await read(session)
  }

  private async *streaming(sql: string) {
    await using session = await this.openReader()
    yield* session.reader.stream(sql)
  }

  /** A scratch database through DuckDB's own parts; `prepare` runs before anybody else sees the connection. */
  private openDatabase(prepare: (connection: SqlConnection) => Promise<void>): Promise<DestinationSession> {
    const path = join(this.folder, `scratch-${++this.databases}.duckdb`)
    const parts = duckdbParts({ path })
    const scratch = sqlDestination({
      ...parts,
      async connect(target) {
        const opened = await parts.connect(target)
        await prepare(opened.connection)
        return opened
      },
    })
    return scratch.open(this.target)
  }

  /**
   * A load: tables begin empty, with the columns they have, so that an append writes only what is new. Where old rows
   * matter, as in a merge, they are read in first and the table's files are written anew.
   */
  private async loading<T>(work: (load: LoadTransaction) => Promise<T>): Promise<T> {
    const before = await newestManifest(this.store, this.target.dataset)
    let scratch!: SqlConnection
    await using session = await this.openDatabase(async (connection) => {
      scratch = connection
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(this.target.dataset)}`)
      for (const [name, { columns }] of Object.entries(before.tables)) {
        const definitions = Object.entries(columns).map(([column, type]) => `${quote(column)} ${type}`)
        await connection.run(`CREATE TABLE ${this.tableName(name)} (${definitions.join(', ')})`)
      }
    })
    const changes = new FileChanges(before, (name, table) => this.readIn(scratch, name, table))
    for (const name of Object.keys(before.tables)) if (isSystemTable(name)) await changes.rewrite(name)
    const result = await session.transaction((load) => work(changes.watching(load)))
    if (changes.loadId !== undefined) await this.writeVersion(scratch, changes, await tablesOf(session))
    return result
  }

  private async readIn(connection: SqlConnection, name: string, table: ManifestTable): Promise<void> {
    const current = (
      await connection.rows(
        `SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
        [this.target.dataset, name],
      )
    ).map((row) => String(row.column_name))
    const columns = Object.keys(table.columns)
      .filter((column) => current.includes(column))
      .map(quote)
      .join(', ')
    await connection.run(
      `INSERT INTO ${this.tableName(name)} (${columns}) SELECT ${columns} FROM (${await this.selectFrom(table)})`,
    )
  }

  private async writeVersion(
    scratch: SqlConnection,
    changes: FileChanges,
    columns: Map<string, Map<string, string>>,
  ): Promise<void> {
    const { dataset } = this.target
    const tables: Record<string, ManifestTable> = {}
    for (const [name, types] of columns) {
      const kept = changes.isRewritten(name) ? [] : (changes.before.tables[name]?.files ?? [])
      const [count] = await scratch.rows(`SELECT COUNT(*) AS n FROM ${this.tableName(name)}`)
      const own = Object.fromEntries(types)
      const added =
        Number(count?.n) > 0
          ? [{ path: `${dataset}/${name}/${changes.loadId}.${this.format.extension}`, columns: own }]
          : []
      for (const { path } of added) await this.upload(scratch, name, own, path)
      tables[name] = { columns: own, files: [...kept, ...added] }
    }
    const version = changes.before.version + 1
    await publish(this.store, dataset, { version, createdAt: new Date().toISOString(), loadId: changes.loadId, tables })
    await removeOld(this.store, dataset)
  }

  /** The name is fixed by table and load: a second attempt overwrites the first one's file instead of adding another. */
  private async upload(
    scratch: SqlConnection,
    table: string,
    columns: Record<string, string>,
    path: string,
  ): Promise<void> {
    const file = join(this.folder, `upload.${this.format.extension}`)
    const values = Object.entries(columns).map(([name, type]) =>
      this.format.isText(type) ? `CAST(${quote(name)} AS VARCHAR) AS ${quote(name)}` : quote(name),
    )
    const rows = `SELECT ${values.join(', ')} FROM ${this.tableName(table)}`
    await scratch.run(`COPY (${rows}) TO ${literal(file)} (${this.format.copyOptions})`)
    await this.store.upload(path, file)
  }

  /** The rows of a table's files, each column in the type it has now; files that came before a column have null. */
  private async selectFrom({ columns, files }: ManifestTable): Promise<string> {
    const typed = Object.entries(columns)
    // The empty row set first: it gives every column its name and type, also those that no file has yet.
    const empty = `SELECT ${typed.map(([name, type]) => `CAST(NULL AS ${type}) AS ${quote(name)}`).join(', ')} WHERE FALSE`
    const parts = [empty]
    // Files of different types are read apart: read together, they would all get the types of the first.
    for (const group of groupedByColumns(files)) {
      const paths = await Promise.all(group.map(async ({ path }) => literal(await this.store.fetch(path))))
      const cast = typed
        .filter(([name]) => Object.hasOwn(group[0]!.columns, name))
        .map(([name, type]) => `CAST(${quote(name)} AS ${type}) AS ${quote(name)}`)
      parts.push(`SELECT ${cast.join(', ')} FROM ${this.formatOf(group[0]!.path).read(paths, group[0]!.columns)}`)
    }
    return parts.join(' UNION ALL BY NAME ')
  }

  /** A dataset may hold files of several formats: the option can change from run to run. */
  private formatOf(path: string): FileFormat {
    const name = (['jsonl', 'csv'] as const).find((one) => path.includes(`.${one}`)) ?? 'parquet'
    return fileFormat(name)
  }

  private tableName(name: string): string {
    return `${quote(this.target.dataset)}.${quote(name)}`
  }
}

function groupedByColumns(files: readonly ManifestFile[]): ManifestFile[][] {
  const groups = new Map<string, ManifestFile[]>()
  for (const file of files) {
    const key = JSON.stringify([file.path.replace(/^.*\/\d+\.\d+/, ''), file.columns])
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()]
}

const tablesOf = (session: DestinationSession): Promise<Map<string, Map<string, string>>> =>
  session.transaction((load) => load.catalog.tables())

/** Which tables a load writes anew, told by the steps it takes. */
class FileChanges {
  readonly before: Manifest
  loadId: string | undefined
  private readonly rewritten = new Set<string>()
  private readonly readIn: (name: string, table: ManifestTable) => Promise<void>

  constructor(before: Manifest, readIn: (name: string, table: ManifestTable) => Promise<void>) {
    this.before = before
    this.readIn = readIn
  }

  isRewritten(table: string): boolean {
    return this.rewritten.has(table)
  }

  /** Brings a table's old rows in, once; from then on its files are written anew. */
  async rewrite(name: string): Promise<void> {
    const table = this.before.tables[name]
    if (this.rewritten.has(name) || table === undefined) return
    this.rewritten.add(name)
    await this.readIn(name, table)
  }

  /** The same transaction, with old rows brought in where a step needs them. */
  watching(load: LoadTransaction): LoadTransaction {
    return {
      ...load,
      catalog: {
        ...load.catalog,
        dropTable: async (table) => {
          this.rewritten.add(table)
          await load.catalog.dropTable(table)
        },
        fillRootIds: async (schema, table) => {
          await this.rewrite(table.name)
          await this.rewrite(table.parent!)
          await load.catalog.fillRootIds(schema, table)
        },
      },
      publisher: {
        clear: async (table) => {
          this.rewritten.add(table.name)
          await load.publisher.clear(table)
        },
        copyFrom: async (staged) => {
          this.rewritten.add(staged.table.name)
          await load.publisher.copyFrom(staged)
        },
        exchange: async (staged) => {
          this.rewritten.add(staged.table.name)
          await load.publisher.exchange(staged)
        },
        merge: async (strategy, plan) => {
          for (const { table } of [plan.root, ...plan.nested]) await this.rewrite(table.name)
          await load.publisher.merge(strategy, plan)
        },
      },
      checker: {
        ...load.checker,
        failing: async (table, check, loadId) => {
          if (check.type === 'unique' || check.type === 'sql') await this.rewrite(table)
          return load.checker.failing(table, check, loadId)
        },
      },
      ledger: {
        hasLoad: (loadId) => load.ledger.hasLoad(loadId),
        write: async (entry) => {
          await load.ledger.write(entry)
          this.loadId = entry.loadId
        },
      },
    }
  }
}
