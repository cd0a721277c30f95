import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineError } from '../../errors/index.ts'
import { columnsWith, type Column, type Schema } from '../../schema/index.ts'
import type { SqlConnection } from '../destination.ts'
import { literal, quote } from '../duckdb/dialect.ts'
import type { FilesSettings } from './files-session.ts'
import { pathOfFile } from './layout.ts'

interface WrittenFile {
  path: string
  /** Where it is on this machine. */
  file: string
  partition: Record<string, string | null>
}

/** Writes tables of a scratch database as files, one for each partition. */
export class FileWriter {
  private readonly scratch: SqlConnection
  private readonly settings: FilesSettings
  private readonly load: { dataset: string; loadId: string; schema: Schema; folder: string }
  private copies = 0

  constructor(
    scratch: SqlConnection,
    settings: FilesSettings,
    load: { dataset: string; loadId: string; schema: Schema; folder: string },
  ) {
    this.scratch = scratch
    this.settings = settings
    this.load = load
    mkdirSync(load.folder, { recursive: true })
  }

  /** The files of a table's rows; none when it has no rows. Names are fixed by table, load and partition. */
  async write(table: string, columns: Record<string, string>): Promise<WrittenFile[]> {
    const source = `${quote(this.load.dataset)}.${quote(table)}`
    const [first] = await this.scratch.rows(`SELECT 1 FROM ${source} LIMIT 1`)
    if (first === undefined) return []
    const values = Object.entries(columns).map(([name, type]) =>
      this.settings.format.isText(type) ? `CAST(${quote(name)} AS VARCHAR) AS ${quote(name)}` : quote(name),
    )
    const keys = this.partitionKeys(table)
    if (keys.length > 0) return this.writePartitions(table, source, values, keys)
    const file = join(this.load.folder, `${this.copies++}.${this.settings.format.extension}`)
    await this.copy(`SELECT ${values.join(', ')} FROM ${source}`, file, '')
    return [{ path: this.pathOf(table, 0, {}), file, partition: {} }]
  }

  private partitionKeys(table: string): PartitionKey[] {
    const described = this.load.schema.tables.get(table)
    if (described === undefined) return []
    return columnsWith(described, 'partition').flatMap((name) => partitionKey(described.columns.get(name)!))
  }

  /** Partitions are numbered first: their values can be anything, also what looks like a path. */
  private async writePartitions(
    table: string,
    source: string,
    values: readonly string[],
    keys: readonly PartitionKey[],
  ): Promise<WrittenFile[]> {
    const named = keys.map(({ value }, at) => `${value} AS ${keyName(at)}`).join(', ')
    const order = keys.map((_key, at) => keyName(at)).join(', ')
    await this.scratch.run(
      `CREATE OR REPLACE TEMP TABLE _sluice_partitions AS SELECT *, ROW_NUMBER() OVER (ORDER BY ${order}) - 1 AS _sluice_number ` +
        `FROM (SELECT DISTINCT ${named} FROM ${source})`,
    )
    const partitions = await this.scratch.rows('SELECT * FROM _sluice_partitions ORDER BY _sluice_number')
    const folder = join(this.load.folder, String(this.copies++))
    const same = keys.map(({ value }, at) => `${keyName(at)} IS NOT DISTINCT FROM ${value}`).join(' AND ')
    const numbered = `SELECT ${values.join(', ')}, _sluice_number AS _sluice_partition FROM ${source} JOIN _sluice_partitions ON ${same}`
    await this.copy(numbered, folder, ', PARTITION_BY (_sluice_partition)')
    let fileId = 0
    return partitions.flatMap((row) => {
      const partition = Object.fromEntries(keys.map(({ name }, at) => [name, row[keyName(at)] as string | null]))
      const inside = join(folder, `_sluice_partition=${String(row._sluice_number)}`)
      return readdirSync(inside)
        .sort()
        .map((file) => ({ path: this.pathOf(table, fileId++, partition), file: join(inside, file), partition }))
    })
  }

  private copy(rows: string, to: string, more: string): Promise<void> {
    return this.scratch.run(`COPY (${rows}) TO ${literal(to)} (${this.settings.format.copyOptions}${more})`)
  }

  private pathOf(tableName: string, fileId: number, partition: Record<string, string | null>): string {
    const { layout, extraPlaceholders, format } = this.settings
    const { dataset, loadId, schema } = this.load
    const { extension } = format
    const file = { tableName, schemaName: schema.name, loadId, fileId, extension, partition }
    return `${dataset}/${pathOfFile(layout, extraPlaceholders, file)}`
  }
}

/** One level of partitions: its name in the path, and SQL for its value as text. */
export interface PartitionKey {
  name: string
  column: string
  value: string
}

/** How a column with the hint `partition` divides rows; none while it has no type yet. Moments divide by day. */
export function partitionKey({ name, dataType }: Column): PartitionKey[] {
  switch (dataType) {
    case undefined:
      return []
    case 'timestamp':
      return [{ name: `${name}_day`, column: name, value: `CAST(CAST(${quote(name)} AS DATE) AS VARCHAR)` }]
    case 'json':
    case 'binary':
      throw new PipelineError(`column "${name}": rows cannot be partitioned by a ${dataType} column`, {
        code: 'WRONG_USE',
        fix: 'put the hint partition on a date, timestamp, text, bool or number column',
      })
    default:
      return [{ name, column: name, value: `CAST(${quote(name)} AS VARCHAR)` }]
  }
}

/** The column with the value of a partition key. */
const keyName = (at: number): string => `_sluice_v${at}`
