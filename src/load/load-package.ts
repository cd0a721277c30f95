import { ColumnFixed, inParallel, type DestinationSession, type LoadTransaction } from '../destinations/index.ts'
import { PipelineError, redact } from '../errors/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { checkSizes, type LoadPackage } from '../package/index.ts'
import {
  rootOf,
  schemaFromStored,
  schemaOvertaken,
  system,
  tableWithNested,
  unionOf,
  type Schema,
  type StoredSchema,
  type Table,
} from '../schema/index.ts'
import type { EarlyRows } from './early-load.ts'
import { emptiedTables, type EmptiedTable } from './emptied-tables.ts'
import { FixedColumns, type FixedColumn } from './fixed-columns.ts'
import { atTable, tableOf } from './failed-table.ts'
import { runChecks, type CheckResult } from './run-checks.ts'
import { migrate, type SchemaChange } from './migrate.ts'
import { tableLoad } from './write-disposition.ts'

/** What came of loading one package. */
export interface LoadReceipt {
  loadId: string
  /** Rows in the package, by table. */
  rows: Map<string, number>
  changes: SchemaChange[]
  checks: CheckResult[]
  /** When the destination worked on which table. */
  spans: TableSpan[]
  /** Columns whose type something depends on: they were not widened. */
  fixed: FixedColumn[]
  emptied: EmptiedTable[]
  /** The destination already had this load: nothing was written. */
  alreadyLoaded: boolean
}

/** Work of the destination on a root table and what is nested in it; in the time of `performance.now()`. */
export interface TableSpan {
  table: string
  began: number
  ms: number
}

/** Does some work on a table, and notes when. */
export async function spanned(spans: TableSpan[], table: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  await atTable(table, work)
  spans.push({ table, began, ms: performance.now() - began })
}

/**
 * Loads a package in one transaction: tables, data by write disposition, ledger, schema and state. Loading a package
 * again changes nothing, because its load id is in the ledger. With `isSecondTry`, an error that no rule explains counts as
 * a refusal for good.
 */
export function loadPackage(
  session: DestinationSession,
  loading: LoadPackage,
  { isSecondTry = false }: { isSecondTry?: boolean } = {},
): Promise<LoadReceipt> {
  return explained(loading, () => loadWithFixed(session, loading), isSecondTry)
}

/** A widening that fails may have ended the transaction, so the load starts again without it. */
async function loadWithFixed(session: DestinationSession, loading: LoadPackage): Promise<LoadReceipt> {
  const fixed = new FixedColumns()
  for (;;) {
    try {
      return await session.transaction((load) => loadInto(load, loading, { fixed }))
    } catch (error) {
      if (!(error instanceof ColumnFixed) || !fixed.add(error)) throw error
    }
  }
}

/** The steps of a load inside its transaction; `early` says what an early load has done of them already. */
export async function loadInto(
  load: LoadTransaction,
  whole: LoadPackage,
  { early, fixed }: { early?: EarlyRows; fixed?: FixedColumns } = {},
): Promise<LoadReceipt> {
  const schema = schemaFromStored(whole.manifest.schema)
  const rows = rowCounts(whole)
  const receipt = { loadId: whole.manifest.loadId, rows, changes: [], checks: [], spans: [], fixed: [], emptied: [] }
  if (await load.ledger.hasLoad(whole.manifest.loadId)) return { ...receipt, alreadyLoaded: true }
  // Files that were sealed a moment ago may have been changed since, like those of an earlier run.
  checkSizes(whole)
  const [loading, fixedColumns] =
    fixed === undefined || fixed.size === 0
      ? [whole, []]
      : await fixed.applyTo(whole, schema, await storedSchemaOf(load, schema.name))
  const { manifest } = loading
  const { agreed, schemaKnown } = await agreedSchema(load, schema, manifest.dropped)
  for (const table of manifest.dropped) {
    await atTable(table, () => load.catalog.dropTable(table))
    failpoint('table-dropped')
  }
  const changes = together([...(early?.changes ?? []), ...(await migrate(load.catalog, schema))])
  const emptied = await emptiedTables(load, schema, loading)
  const rest = manifest.files.filter((file) => early?.files.has(file.path) !== true)
  const left = { ...loading, manifest: { ...manifest, files: rest } }
  const spans = [...(early?.spans ?? [])]
  const loads = touchedRoots(schema, loading).map((root) => ({ root, ...tableLoad(load, schema, root, left) }))
  if (load.begin !== undefined) {
    const staging = loads.flatMap(({ root, staging: all }) => all.map((stage) => ({ root, stage })))
    await inParallel(
      staging,
      ({ root, stage }) => spanned(spans, root.name, stage),
      load.capabilities.load.stagedAtOnce ?? 1,
    )
    for (const { root, prepare } of loads) await atTable(root.name, prepare)
    await load.begin({ loadId: manifest.loadId, tables: changedTables(schema, loading) })
  }
  for (const table of manifest.truncated) {
    await load.publisher.clear(schema.tables.get(table)!)
    failpoint('table-emptied')
  }
  for (const { root, publish } of loads) await spanned(spans, root.name, publish)
  const checks = await runChecks(load, schema, manifest.checks, manifest.loadId)
  failpoint('rows-checked')
  await load.ledger.write({ loadId: manifest.loadId, schema: agreed, schemaKnown, state: manifest.state })
  return { ...receipt, changes, checks, spans, fixed: fixedColumns, emptied, alreadyLoaded: false }
}

async function storedSchemaOf({ ledger }: LoadTransaction, name: string): Promise<Schema | undefined> {
  const text = await ledger.lockSchema(name)
  return text === undefined ? undefined : schemaFromStored(JSON.parse(text) as StoredSchema)
}

/**
 * The schema to keep. Another pipeline, or another part of this one, may have changed it since this run read it: then what
 * both have found is kept.
 */
async function agreedSchema(
  load: LoadTransaction,
  own: Schema,
  dropped: readonly string[],
): Promise<{ agreed: Schema; schemaKnown: boolean }> {
  if (await load.ledger.hasSchema(own)) return { agreed: own, schemaKnown: true }
  const stored = await storedSchemaOf(load, own.name)
  const isOwnAncestor = stored === undefined || own.previousHashes.includes(stored.versionHash)
  if (isOwnAncestor) return { agreed: own, schemaKnown: false }
  for (const table of dropped) stored.tables.delete(table)
  const agreed = unionOf(stored, own)
  if (agreed !== undefined) return { agreed, schemaKnown: agreed.versionHash === stored.versionHash }
  throw schemaOvertaken(own.name)
}

/** Changes of one table told as one. */
function together(changes: readonly SchemaChange[]): SchemaChange[] {
  const byTable = new Map<string, SchemaChange>()
  for (const change of changes) {
    const earlier = byTable.get(change.table)
    byTable.set(
      change.table,
      earlier === undefined ? change : { ...earlier, columns: [...earlier.columns, ...change.columns] },
    )
  }
  return [...byTable.values()]
}

/** Runs a load; says what to do when the destination refuses. */
export async function explained<T>({ manifest }: LoadPackage, load: () => Promise<T>, isSecondTry = false): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof PipelineError) throw error
    const message = redact(String((error as Error).message))
    const isFull = /no space left on device|could not extend file/i.test(message)
    const table = tableOf(error)
    const where = table === undefined ? '' : `table "${table}": `
    throw new PipelineError(`loading package ${manifest.loadId} failed: ${where}${message}`, {
      code: 'LOAD_FAILED',
      recovery: isSecondTry && !isFull ? 'skip' : 'retry',
      // DuckDB and PostgreSQL tell it in these words.
      fix: isFull
        ? 'make room on the disk of the destination, then run again: the package waits'
        : `nothing of it was written; correct the cause and run again, or drop it with: sluice pipeline ${manifest.pipeline} drop-pending-packages`,
      cause: error,
    })
  }
}

function rowCounts({ manifest }: LoadPackage): Map<string, number> {
  const rows = new Map<string, number>()
  for (const file of manifest.files) rows.set(file.table, (rows.get(file.table) ?? 0) + file.rows)
  return rows
}

/** The tables whose rows the load may change. */
function changedTables(schema: Schema, loading: LoadPackage): string[] {
  const { truncated, checks } = loading.manifest
  const loaded = touchedRoots(schema, loading).flatMap((root) => tableWithNested(schema, root.name))
  const checked = Object.keys(checks).flatMap((table) => [`${table}_quarantine`, table])
  const known = [...truncated, ...checked].filter((name) => schema.tables.has(name))
  const names = [...loaded.filter((table) => table.seenData).map((table) => table.name), ...known]
  return [...new Set([...names, system.version, system.state, system.loads])]
}

function touchedRoots(schema: Schema, { manifest }: LoadPackage): Table[] {
  const roots = new Set<Table>()
  for (const name of [...manifest.replaced, ...manifest.files.map((file) => file.table)]) {
    const table = schema.tables.get(name)
    if (table !== undefined) roots.add(rootOf(schema, table))
  }
  return [...roots]
}
