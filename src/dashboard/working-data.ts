import {
  diffSchemas,
  failedFacts,
  isOwnTable,
  readableJson,
  refusedRows,
  type Pipeline,
  type RefusedRow,
} from '../index.ts'
import type { PackageSummary, SchemaVersion, StateVersion } from './api.ts'

/** The versions of all schemas, the newest first. */
export async function schemas(pipeline: Pipeline): Promise<SchemaVersion[]> {
  const all = await pipeline.schemaVersions()
  const versions = all.map(({ schema, insertedAt }, at): SchemaVersion => {
    const before = all.slice(0, at).findLast((one) => one.schema.name === schema.name)
    const tables = [...schema.tables.values()].filter(({ name, seenData }) => seenData === true && !isOwnTable(name))
    return {
      name: schema.name,
      version: schema.version,
      insertedAt,
      tables: tables.length,
      columns: tables.reduce((sum, { columns }) => sum + columns.size, 0),
      ...(before === undefined ? {} : { changes: diffSchemas(before.schema, schema) }),
    }
  })
  return versions.toReversed()
}

/** What the sources remembered, version by version, the newest first. */
export async function stateVersions(pipeline: Pipeline): Promise<StateVersion[]> {
  return (await pipeline.stateHistory()).map(({ version, createdAt, state }, at) => ({
    version,
    createdAt,
    ...(at === 0 ? { text: readableJson(state) } : {}),
    cursors: Object.entries(state.sources).flatMap(([source, { resources = {} }]) =>
      Object.entries(resources).flatMap(([resource, { incremental = {} }]) =>
        Object.entries(incremental).map(([cursor, { last_value: value }]) => ({
          source,
          resource,
          cursor,
          value: String(value instanceof Date ? value.toISOString() : value),
        })),
      ),
    ),
  }))
}

/** Load packages on this machine, the newest first; those that were set aside in front of them. */
export function packages(pipeline: Pipeline): PackageSummary[] {
  const store = pipeline.packages()
  const failed = pipeline.failedPackages().map((one): PackageSummary => {
    const bytesOf = new Map(one.manifest.files.map(({ table, bytes }) => [table, bytes]))
    const { loadId, rows, tables } = failedFacts(one)
    const own = tables.map(({ table, rows: n }) => ({ table, rows: n, bytes: bytesOf.get(table) ?? 0 }))
    const bytes = own.reduce((sum, table) => sum + table.bytes, 0)
    return { loadId, createdAt: one.manifest.createdAt, state: 'failed', rows, bytes, tables: own }
  })
  const pending = store.pendingManifests().map((manifest) => ({ ...manifest, state: 'pending' as const }))
  const loaded = store.loaded().map((manifest) => ({ ...manifest, state: 'loaded' as const }))
  const others = [...loaded, ...pending].map(({ loadId, createdAt, state, files }) => ({
    loadId,
    createdAt,
    state,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    tables: files.map(({ table, rows, bytes }) => ({ table, rows, bytes })),
  }))
  return [...others, ...failed].toReversed()
}

const longestCell = 2000
const cut = (text: string): string => (text.length <= longestCell ? text : `${text.slice(0, longestCell)}…`)

/** The refused rows of a failed package, their long values cut; none when it was retried or discarded meanwhile. */
export function refusedRowsOf(pipeline: Pipeline, loadId: string): RefusedRow[] {
  const failed = pipeline.failedPackages().filter(({ manifest }) => manifest.loadId === loadId)
  return failed.flatMap(refusedRows).map(({ cells, text, ...row }) => ({
    ...row,
    text: cut(text),
    ...(cells === undefined ? {} : { cells: cells.map((one) => (one === null ? null : cut(one))) }),
  }))
}
