import { createHash } from 'node:crypto'
import { PipelineError } from '../errors/index.ts'
import { storedSchema } from './stored.ts'
import type {
  Column,
  ColumnHints,
  ContractEntity,
  ContractMode,
  Disposition,
  MergeStrategy,
  Schema,
  SchemaContract,
  Table,
  WriteDisposition,
  WriteDispositionOptions,
} from './types.ts'

export const emptySchema = (name: string): Schema => ({
  name,
  tables: new Map(),
  version: 0,
  versionHash: '',
  previousHashes: [],
})

/** A copy that can be changed without touching the original. */
export function copySchema(schema: Schema): Schema {
  const tables = new Map<string, Table>()
  for (const [name, table] of schema.tables) {
    const columns = new Map([...table.columns].map(([key, column]) => [key, { ...column }]))
    tables.set(name, { ...table, columns })
  }
  return { ...schema, tables, previousHashes: [...schema.previousHashes] }
}

/** Counts the version up when the content differs from what the last version hash was taken over. */
export function bumpVersion(schema: Schema): void {
  const { version: _v, version_hash: _h, previous_hashes: _p, ...content } = storedSchema(schema)
  const hash = createHash('sha3-256').update(JSON.stringify(content)).digest('base64')
  if (hash === schema.versionHash) return
  if (schema.versionHash !== '') schema.previousHashes = [schema.versionHash, ...schema.previousHashes].slice(0, 10)
  schema.versionHash = hash
  schema.version += 1
}

/** Columns that exist in the destination: those whose type is known. */
export const typedColumns = (table: Table): Column[] =>
  [...table.columns.values()].filter((column) => column.dataType !== undefined)

/** The root table first, then its nested tables, parents before children. */
export function tableWithNested(schema: Schema, root: string): Table[] {
  const out: Table[] = []
  const visit = (name: string): void => {
    const table = schema.tables.get(name)
    if (table === undefined) return
    out.push(table)
    for (const child of schema.tables.values()) if (child.parent === name) visit(child.name)
  }
  visit(root)
  return out
}

export function rootOf(schema: Schema, table: Table): Table {
  let current = table
  while (current.parent !== undefined) current = schema.tables.get(current.parent)!
  return current
}

/** Names of the columns that carry a hint. */
export const columnsWith = (table: Table, hint: keyof Column): string[] =>
  [...table.columns.values()].filter((column) => column[hint] === true).map((column) => column.name)

// Hints that move as a group: naming new key columns replaces the old ones.
const compoundHints = ['primaryKey', 'mergeKey', 'partition', 'cluster'] as const

// Hints that act on rows, and only as long as they are declared.
const actingHints = [...compoundHints, 'unique', 'sort', 'hardDelete', 'dedupSort'] as const

// Set rather than deleted, so that a hint that is declared again keeps its place, and the schema its hash.
const takeBack = (column: Column, hint: keyof Column): void => {
  if (hint in column) Object.assign(column, { [hint]: undefined })
}

/**
 * Puts the hints of a run in the place of those that earlier runs declared; hints of the edited schema file stay. Types stay
 * too, because the destination's columns have them.
 */
export function declareHints(table: Table, hints: readonly Column[]): void {
  const required = typedColumns(table).filter(({ name, nullable }) => nullable === false && !name.startsWith('_dlt_'))
  for (const column of table.columns.values()) {
    if (column.name.startsWith('_dlt_')) continue
    for (const hint of actingHints) takeBack(column, hint)
    if (column.nullable === false) column.nullable = true
    if (column.dataType === undefined) table.columns.delete(column.name)
  }
  applyColumnHints(table, table.imported ?? [])
  applyColumnHints(table, hints)
  for (const column of required) if (column.nullable !== false) column.wasRequired = true
}

/** Merges hints into a table. New typed columns go to the end; untyped ones wait for their first value. */
export function applyColumnHints(table: Table, hints: Iterable<Column>): void {
  const columns = [...hints]
  for (const hint of compoundHints) {
    if (!columns.some((column) => column[hint] === true)) continue
    for (const column of table.columns.values()) takeBack(column, hint)
  }
  for (const column of columns) {
    const existing = table.columns.get(column.name)
    if (existing === undefined) table.columns.set(column.name, { ...column })
    else Object.assign(existing, column)
  }
}

/** Gives a column its type. It takes its place in the order now: the first value decides, not the hint. */
export function completeColumn(table: Table, column: Column): Column {
  const hinted = table.columns.get(column.name)
  const complete = { ...hinted, ...column }
  table.columns.delete(column.name)
  table.columns.set(column.name, complete)
  return complete
}

export const keyColumns = (keys: string | readonly string[] | undefined): readonly string[] =>
  keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys

export const withNames = (columns: Record<string, ColumnHints> | readonly Column[] | undefined): Column[] => {
  if (columns === undefined) return []
  if (Array.isArray(columns)) return (columns as readonly Column[]).map((column) => ({ ...column }))
  return Object.entries(columns as Record<string, ColumnHints>).map(([name, column]) => ({ name, ...column }))
}

const dispositions: readonly Disposition[] = ['append', 'replace', 'merge', 'skip']
const mergeStrategies: readonly MergeStrategy[] = ['delete-insert', 'insert-only', 'scd2', 'upsert']

/** The full form of a write disposition; throws `WRONG_USE` for a name that does not exist. */
export function writeDispositionOptions(given: WriteDisposition): WriteDispositionOptions {
  const options = typeof given === 'string' ? { disposition: given } : { ...given }
  if (!dispositions.includes(options.disposition)) {
    throw wrongValue('writeDisposition', options.disposition, dispositions)
  }
  if (options.disposition !== 'merge') return options
  options.strategy ??= 'delete-insert'
  if (!mergeStrategies.includes(options.strategy)) {
    throw wrongValue('writeDisposition.strategy', options.strategy, mergeStrategies)
  }
  return options
}

export function wrongValue(option: string, got: unknown, known: readonly string[]): PipelineError {
  return new PipelineError(`${option}: expected ${known.join(', ')}, got ${JSON.stringify(got)}`, {
    code: 'WRONG_USE',
    fix: `use one of: ${known.join(', ')}`,
  })
}

/** What a contract says about one entity. */
export function contractMode(contract: SchemaContract | undefined, entity: ContractEntity): ContractMode {
  if (contract === undefined) return 'evolve'
  if (typeof contract === 'string') return contract
  return (entity === 'data_type' ? contract.dataType : contract[entity]) ?? 'evolve'
}
