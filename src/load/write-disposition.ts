import { join } from 'node:path'
import type { LoadFile, LoadTransaction, MergePlan, StagedTable } from '../destinations/index.ts'
import { failpoint } from '../failpoints/index.ts'
import type { LoadPackage } from '../package/index.ts'
import {
  columnsWith,
  system,
  tableWithNested,
  wrongValue,
  type MergeStrategy,
  type Schema,
  type Table,
} from '../schema/index.ts'

/** The rows of one root table and its nested tables on their way into the destination. */
export interface TableLoad {
  /** Loads beside the tables what is to go into them; for destinations that cannot do so within a transaction. */
  readonly staging: readonly (() => Promise<void>)[]
  /** Looks at what was staged. */
  prepare(): Promise<void>
  /** Brings the rows into the tables by the root table's write disposition. */
  publish(): Promise<void>
}

export function tableLoad(load: LoadTransaction, schema: Schema, root: Table, loadPackage: LoadPackage): TableLoad {
  const { replaced } = loadPackage.manifest
  const tables = tableWithNested(schema, root.name).filter((table) => table.columns.size > 0 && table.seenData)
  const rows = new PackageRows(load, loadPackage)
  const append = async (): Promise<void> => {
    for (const table of tables) await rows.appendTo(table)
  }
  let prepared: MergePlan | undefined
  const merge = async (): Promise<void> => {
    const strategy = mergeStrategy(load, root)
    const plan = prepared ?? (await load.publisher.prepare(strategy, await mergePlan(root, tables, rows)))
    await load.publisher.claim(root)
    await load.publisher.merge(strategy, plan)
    failpoint('rows-merged')
  }
  const options = root.writeDisposition ?? { disposition: 'append' }
  const publish = async (): Promise<void> => {
    switch (options.disposition) {
      case 'skip':
        return
      case 'replace':
        return replaced.includes(root.name) ? replace(load, tables, rows) : append()
      case 'merge':
        return hasKeys(root) ? merge() : append()
      default:
        return append()
    }
  }
  const staging = options.disposition === 'skip' ? [] : tables.map((table) => () => rows.stage(table))
  const prepare = async (): Promise<void> => {
    if (options.disposition !== 'merge' || !hasKeys(root)) return
    prepared = await load.publisher.prepare(mergeStrategy(load, root), await mergePlan(root, tables, rows))
  }
  return { staging, prepare, publish }
}

/** The rows of a package: straight from its files, or from where they were staged before. */
class PackageRows {
  private readonly load: LoadTransaction
  private readonly loadPackage: LoadPackage
  private readonly before = new Map<string, StagedTable>()

  constructor(load: LoadTransaction, loadPackage: LoadPackage) {
    this.load = load
    this.loadPackage = loadPackage
  }

  get createdAt(): string {
    return this.loadPackage.manifest.createdAt
  }

  async stage(table: Table): Promise<void> {
    this.before.set(table.name, await this.staged(table))
  }

  async staged(table: Table): Promise<StagedTable> {
    const { loadId } = this.loadPackage.manifest
    const known = this.before.get(table.name)
    if (known !== undefined) return known
    const staging = await this.load.loader.stage(table, filesOf(this.loadPackage, table), loadId)
    failpoint('rows-staged')
    return { table, staging }
  }

  async appendTo(table: Table): Promise<void> {
    const known = this.before.get(table.name)
    if (known === undefined) {
      await this.load.loader.append(table, filesOf(this.loadPackage, table), this.loadPackage.manifest.loadId)
    } else {
      await this.load.publisher.appendFrom(known)
    }
    failpoint('rows-appended')
  }
}

async function replace(load: LoadTransaction, tables: readonly Table[], rows: PackageRows): Promise<void> {
  const { replaceStrategy } = load.capabilities.load
  await load.publisher.claim(tables[0]!)
  for (const table of tables) {
    if (replaceStrategy === 'truncate-and-insert') {
      await load.publisher.clear(table)
      await rows.appendTo(table)
    } else {
      const staged = await rows.staged(table)
      await (replaceStrategy === 'insert-from-staging'
        ? load.publisher.copyFrom(staged)
        : load.publisher.exchange(staged))
    }
    failpoint('rows-replaced')
  }
}

const filesOf = ({ folder, manifest }: LoadPackage, table: Table): LoadFile[] =>
  manifest.files.filter((file) => file.table === table.name).map((file) => ({ ...file, path: join(folder, file.path) }))

// Without any key nothing can match, and dlt appends.
const hasKeys = (table: Table): boolean =>
  table.writeDisposition?.strategy === 'scd2' ||
  columnsWith(table, 'primaryKey').length > 0 ||
  columnsWith(table, 'mergeKey').length > 0

function mergeStrategy({ capabilities }: LoadTransaction, root: Table): MergeStrategy {
  const strategy = root.writeDisposition!.strategy ?? 'delete-insert'
  const known = capabilities.load.mergeStrategies
  if (!known.includes(strategy)) throw wrongValue(`table "${root.name}": merge strategy`, strategy, known)
  return strategy
}

async function mergePlan(root: Table, tables: readonly Table[], rows: PackageRows): Promise<MergePlan> {
  const staged = []
  for (const table of tables) staged.push(await rows.staged(table))
  const [stagedRoot, ...nested] = staged
  return {
    root: stagedRoot!,
    nested,
    ...mergeKeys(root),
    deduplicated: root.writeDisposition!.deduplicated === true,
    scd2: scd2Plan(root, rows.createdAt),
  }
}

function mergeKeys(root: Table): Pick<MergePlan, 'primaryKey' | 'mergeKey' | 'hardDelete' | 'dedupSort'> {
  const columns = [...root.columns.values()]
  const sorted = columns.find((column) => column.dedupSort !== undefined)
  return {
    primaryKey: columnsWith(root, 'primaryKey'),
    mergeKey: columnsWith(root, 'mergeKey'),
    hardDelete: columns.find((column) => column.hardDelete === true && column.dataType !== undefined)?.name,
    dedupSort: sorted?.dataType === undefined ? undefined : { column: sorted.name, order: sorted.dedupSort! },
  }
}

function scd2Plan(root: Table, createdAt: string): MergePlan['scd2'] {
  const options = root.writeDisposition!
  if (options.strategy !== 'scd2') return undefined
  const [from, to] = options.validityColumnNames ?? [system.validFrom, system.validTo]
  return {
    boundary: options.boundaryTimestamp ?? createdAt,
    active: options.activeRecordTimestamp ?? null,
    from,
    to,
    version: versionColumns(root),
  }
}

/** An id that is made from the content tells versions apart; a column of the data need do so for one key only. */
function versionColumns(root: Table): string[] {
  const own = root.writeDisposition!.rowVersionColumnName
  if (own === undefined) return [system.id]
  return [...new Set([...columnsWith(root, 'primaryKey'), ...columnsWith(root, 'mergeKey'), own])]
}
