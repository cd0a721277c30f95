import { columnsWith, system, type Schema, type Table } from '../../schema/index.ts'
import type { LedgerEntry, LoadTransaction, MergePlan, SqlConnection } from '../destination.ts'
import { duckdbDialect, quote } from '../duckdb/dialect.ts'
import { alias } from '../sql/statements.ts'
import { pathColumn, type FileReader } from './file-reader.ts'
import { partitionKey } from './file-writer.ts'
import type { Manifest, ManifestFile, ManifestTable } from './manifest.ts'

/**
 * Which files a load writes anew, told by the steps it takes. A merge needs only the files with rows it may change;
 * those are read into the scratch database, and all others stay as they are.
 */
export class TouchedFiles {
  /** What the load wrote into the ledger; `undefined` when it changes nothing. */
  written: { loadId: string; schema: Schema } | undefined
  private readonly before: Manifest
  private readonly dataset: string
  private readonly scratch: SqlConnection
  private readonly reader: FileReader
  private readonly taken = new Map<string, Set<string>>()

  constructor(before: Manifest, dataset: string, scratch: SqlConnection, reader: FileReader) {
    this.before = before
    this.dataset = dataset
    this.scratch = scratch
    this.reader = reader
  }

  /** The files of a table that stay. */
  kept(name: string): ManifestTable {
    const table = this.before.tables[name] ?? { columns: {}, shapes: [], files: [] }
    const taken = this.taken.get(name)
    return taken === undefined ? table : { ...table, files: table.files.filter(({ path }) => !taken.has(path)) }
  }

  /** Brings all old rows of a table in. */
  async takeAll(name: string): Promise<void> {
    await this.take(name, this.kept(name).files)
  }

  /** The table's rows are replaced: none of its files stays. */
  private drop(name: string): void {
    for (const { path } of this.kept(name).files) this.mark(name, path)
  }

  private mark(name: string, path: string): void {
    const taken = this.taken.get(name) ?? new Set()
    taken.add(path)
    this.taken.set(name, taken)
  }

  private async take(name: string, files: readonly ManifestFile[]): Promise<void> {
    const table = this.before.tables[name]
    if (table === undefined || files.length === 0) return
    const current = await this.scratch.rows(
      `SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
      [this.dataset, name],
    )
    const present = new Set(current.map((row) => String(row.column_name)))
    const columns = Object.keys(table.columns)
      .filter((column) => present.has(column))
      .map(quote)
      .join(', ')
    const rows = await this.reader.select(table, files)
    await this.scratch.run(`INSERT INTO ${this.tableName(name)} (${columns}) SELECT ${columns} FROM (${rows})`)
    for (const { path } of files) this.mark(name, path)
  }

  /** Brings in the files that have rows for which `condition`, on `alias.stored`, holds. */
  private async takeWhere(name: string, columns: string[], condition: string, files: ManifestFile[]): Promise<void> {
    const table = this.before.tables[name]
    if (table === undefined || files.length === 0) return
    const rows = await this.reader.selectWithPaths(table, files, columns)
    const found = await this.scratch.rows(
      `SELECT DISTINCT ${pathColumn} AS path FROM (${rows}) AS ${alias.stored} WHERE ${condition}`,
    )
    const paths = new Set(found.map((row) => String(row.path)))
    await this.take(
      name,
      files.filter(({ path }) => paths.has(path)),
    )
  }

  private async takeForMerge(strategy: string, plan: MergePlan): Promise<void> {
    const { root, nested } = plan
    const name = root.table.name
    const keys = [plan.primaryKey, plan.mergeKey].filter((key) => key.length > 0)
    if (plan.scd2 === undefined) {
      const files = await this.inStagedPartitions(plan, keys, this.kept(name).files)
      await this.takeWhere(name, keys.flat(), anyKeyEqual(keys, root.staging), files)
    } else {
      const { active, to } = plan.scd2
      const isActive =
        active === null
          ? `${alias.stored}.${quote(to)} IS NULL`
          : `${alias.stored}.${quote(to)} = ${duckdbDialect.timestampLiteral(active)}`
      const sameKey = plan.mergeKey.length === 0 ? '' : ` AND ${anyKeyEqual([plan.mergeKey], root.staging)}`
      await this.takeWhere(name, [to, ...plan.mergeKey], isActive + sameKey, this.kept(name).files)
    }
    const replaced = `SELECT ${quote(system.id)} FROM ${this.tableName(name)} AS ${alias.stored} WHERE ${anyKeyEqual(keys, root.staging)}`
    for (const { table, staging } of nested) {
      const own = [columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')].filter((key) => key.length > 0)
      const known = `${alias.stored}.${quote(system.id)} IN (SELECT ${quote(system.id)} FROM ${staging})`
      const ofRoot = `${alias.stored}.${quote(system.rootId)} IN (${replaced})`
      const sameKey = anyKeyEqual(own, staging)
      const condition = strategy === 'scd2' ? known : strategy === 'insert-only' ? sameKey : `${ofRoot} OR ${sameKey}`
      const columns = [system.id, system.rootId, ...own.flat()]
      await this.takeWhere(table.name, columns, condition, this.kept(table.name).files)
    }
  }

  /** Where every key includes the partition columns, files of other partitions cannot have a row with an equal key. */
  private async inStagedPartitions(
    { root }: MergePlan,
    keys: readonly string[][],
    files: ManifestFile[],
  ): Promise<ManifestFile[]> {
    const partitions = columnsWith(root.table, 'partition').flatMap((column) =>
      partitionKey(root.table.columns.get(column)!),
    )
    const isPartOfKeys = partitions.every(({ column }) => keys.every((key) => key.includes(column)))
    if (partitions.length === 0 || !isPartOfKeys) return files
    const values = partitions.map(({ value }, at) => `${value} AS _sluice_v${at}`).join(', ')
    const rows = await this.scratch.rows(`SELECT DISTINCT ${values} FROM ${root.staging}`)
    const staged = new Set(rows.map((row) => JSON.stringify(partitions.map((_key, at) => row[`_sluice_v${at}`]))))
    const names = partitions.map(({ name }) => name)
    return files.filter(({ partition }) => {
      // Written before the table had partitions, or other ones.
      if (partition === undefined || Object.keys(partition).join() !== names.join()) return true
      return staged.has(JSON.stringify(names.map((name) => partition[name])))
    })
  }

  /** The same transaction, with old rows brought in where a step needs them. */
  watching(load: LoadTransaction): LoadTransaction {
    return {
      ...load,
      catalog: {
        ...load.catalog,
        dropTable: async (table) => {
          this.drop(table)
          await load.catalog.dropTable(table)
        },
        fillRootIds: async (schema, table) => {
          await this.takeAll(table.name)
          await this.takeAll(table.parent!)
          await load.catalog.fillRootIds(schema, table)
        },
      },
      publisher: {
        claim: load.publisher.claim,
        appendFrom: load.publisher.appendFrom,
        prepare: load.publisher.prepare,
        clear: async (table) => {
          this.drop(table.name)
          await load.publisher.clear(table)
        },
        copyFrom: async (staged) => {
          this.drop(staged.table.name)
          await load.publisher.copyFrom(staged)
        },
        exchange: async (staged) => {
          this.drop(staged.table.name)
          await load.publisher.exchange(staged)
        },
        merge: async (strategy, plan) => {
          await this.takeForMerge(strategy, plan)
          await load.publisher.merge(strategy, plan)
        },
      },
      checker: {
        ...load.checker,
        rowCount: async (table) => (this.kept(table).files.length > 0 ? undefined : load.checker.rowCount(table)),
        failing: async (table, check, loadId) => {
          if (check.type === 'unique' || check.type === 'sql') await this.takeAll(table)
          return load.checker.failing(table, check, loadId)
        },
        removeOrphans: async (nested: Table) => {
          // Rows of other loads came in with a nested file; their parents have to be there, or they look like orphans.
          if (this.taken.has(nested.name)) await this.takeAll(nested.parent!)
          await load.checker.removeOrphans(nested)
        },
      },
      ledger: {
        ...load.ledger,
        write: async (entry: LedgerEntry) => {
          await load.ledger.write(entry)
          this.written = { loadId: entry.loadId, schema: entry.schema }
        },
      },
    }
  }

  private tableName(name: string): string {
    return `${quote(this.dataset)}.${quote(name)}`
  }
}

const anyKeyEqual = (keys: readonly string[][], staging: string): string =>
  keys.length === 0
    ? 'FALSE'
    : keys
        .map((key) => {
          const equal = key
            .map((column) => `${alias.staged}.${quote(column)} = ${alias.stored}.${quote(column)}`)
            .join(' AND ')
          return `EXISTS (SELECT 1 FROM ${staging} AS ${alias.staged} WHERE ${equal})`
        })
        .join(' OR ')
