import { join } from 'node:path'
import type { LoadFile, LoadTransaction, MergePlan } from '../destinations/index.ts'
import type { LoadPackage } from '../package/index.ts'
import { columnsWith, system, tableWithNested, wrongValue, type Schema, type Table } from '../schema/index.ts'

/** Brings the rows of one root table and its nested tables into the destination by the table's write disposition. */
export async function writeTables(
  load: LoadTransaction,
  schema: Schema,
  root: Table,
  loadPackage: LoadPackage,
): Promise<void> {
  const { loadId, replaced } = loadPackage.manifest
  const tables = tableWithNested(schema, root.name).filter((table) => table.columns.size > 0 && table.seenData)
  const options = root.writeDisposition ?? { disposition: 'append' }
  const append = async (): Promise<void> => {
    for (const table of tables) await load.loader.append(table, filesOf(loadPackage, table), loadId)
  }
  switch (options.disposition) {
    case 'skip':
      return
    case 'replace':
      return replaced.includes(root.name) ? replace(load, tables, loadPackage) : append()
    case 'merge':
      return hasKeys(root) ? merge(load, root, tables, loadPackage) : append()
    default:
      return append()
  }
}

async function replace(load: LoadTransaction, tables: readonly Table[], loadPackage: LoadPackage): Promise<void> {
  const { loadId } = loadPackage.manifest
  const { replaceStrategy } = load.capabilities.load
  for (const table of tables) {
    const files = filesOf(loadPackage, table)
    if (replaceStrategy === 'truncate-and-insert') {
      await load.publisher.clear(table)
      await load.loader.append(table, files, loadId)
    } else {
      const staged = { table, staging: await load.loader.stage(table, files, loadId) }
      await (replaceStrategy === 'insert-from-staging'
        ? load.publisher.copyFrom(staged)
        : load.publisher.exchange(staged))
    }
  }
}

const filesOf = ({ folder, manifest }: LoadPackage, table: Table): LoadFile[] =>
  manifest.files.filter((file) => file.table === table.name).map((file) => ({ ...file, path: join(folder, file.path) }))

// Without any key nothing can match, and dlt appends.
const hasKeys = (table: Table): boolean =>
  table.writeDisposition?.strategy === 'scd2' ||
  columnsWith(table, 'primaryKey').length > 0 ||
  columnsWith(table, 'mergeKey').length > 0

async function merge(load: LoadTransaction, root: Table, tables: Table[], loadPackage: LoadPackage): Promise<void> {
  const { loadId } = loadPackage.manifest
  const strategy = root.writeDisposition!.strategy ?? 'delete-insert'
  const known = load.capabilities.load.mergeStrategies
  if (!known.includes(strategy)) throw wrongValue(`table "${root.name}": merge strategy`, strategy, known)
  const staged = []
  for (const table of tables) {
    staged.push({ table, staging: await load.loader.stage(table, filesOf(loadPackage, table), loadId) })
  }
  const [stagedRoot, ...nested] = staged
  await load.publisher.merge(strategy, {
    root: stagedRoot!,
    nested,
    ...mergeKeys(root),
    deduplicated: root.writeDisposition!.deduplicated === true,
    scd2: scd2Plan(root, loadPackage),
  })
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

function scd2Plan(root: Table, loadPackage: LoadPackage): MergePlan['scd2'] {
  const options = root.writeDisposition!
  if (options.strategy !== 'scd2') return undefined
  const [from, to] = options.validityColumnNames ?? [system.validFrom, system.validTo]
  return {
    boundary: options.boundaryTimestamp ?? loadPackage.manifest.createdAt,
    active: options.activeRecordTimestamp ?? null,
    from,
    to,
    version: options.rowVersionColumnName ?? system.id,
  }
}
