import type { Catalog } from '../destinations/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { isSystemTable, system, typedColumns, widenings, type Column, type Schema } from '../schema/index.ts'
import { atTable } from './failed-table.ts'

/** What a load changed in the destination's tables. */
export interface SchemaChange {
  table: string
  created: boolean
  columns: { name: string; dataType: string; widened: boolean }[]
}

/** Creates missing tables and columns, and widens types. Never drops, never narrows. */
export async function migrate(catalog: Catalog, schema: Schema): Promise<SchemaChange[]> {
  const stored = await catalog.tables()
  const changes: SchemaChange[] = []
  for (const table of schema.tables.values()) {
    const columns = typedColumns(table)
    if (isSystemTable(table.name) || columns.length === 0) continue
    const existing = stored.get(table.name)
    if (existing === undefined) {
      await atTable(table.name, () => catalog.createTable(table))
      failpoint('table-created')
      changes.push({ table: table.name, created: true, columns: columns.map((column) => added(column)) })
      continue
    }
    const missing = columns.filter((column) => !existing.has(column.name))
    const wider = columns.filter((column) => isWidened(catalog, column, existing.get(column.name)))
    // Of a declaration that is taken back, the destination's column does not know.
    const optional = columns.filter(
      ({ name, wasRequired, nullable }) => wasRequired === true && nullable !== false && existing.has(name),
    )
    await atTable(table.name, async () => {
      if (missing.length > 0) await catalog.addColumns(table, missing)
      for (const column of wider) await catalog.changeType(table, column)
      if (optional.length > 0) await catalog.allowNull(table, optional)
    })
    if (missing.some((column) => column.name === system.rootId)) await catalog.fillRootIds(schema, table)
    if (missing.length + wider.length > 0) {
      failpoint('table-altered')
      const changed = [...missing.map((column) => added(column)), ...wider.map((column) => added(column, true))]
      changes.push({ table: table.name, created: false, columns: changed })
    }
  }
  return changes
}

const added = (column: Column, widened = false): SchemaChange['columns'][number] => ({
  name: column.name,
  dataType: column.dataType!,
  widened,
})

function isWidened(catalog: Catalog, column: Column, storedType: string | undefined): boolean {
  if (storedType === undefined || storedType === catalog.typeName(column)) return false
  const narrower = widenings[column.dataType!] ?? []
  if (column.dataType === 'decimal') return isDecimal(catalog, storedType)
  // Anything else the data may need went to a variant column.
  return narrower.some((dataType) => catalog.typeName({ ...column, dataType }) === storedType)
}

/** A type that the database has for decimals, whatever their digits: some have one for few and one for many. */
const isDecimal = (catalog: Catalog, storedType: string): boolean =>
  [9, 30].some((scale) => {
    const [word] = catalog.typeName({ name: '', dataType: 'decimal', precision: 38, scale }).split('(')
    return storedType.split('(')[0] === word
  })
