import { diffSchemas, isOwnTable, readableJson, type Pipeline } from '../index.ts'
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

/** Load packages on this machine, the newest first. */
export function packages(pipeline: Pipeline): PackageSummary[] {
  const store = pipeline.packages()
  const pending = store.pendingManifests().map((manifest) => ({ ...manifest, state: 'pending' as const }))
  const loaded = store.loaded().map((manifest) => ({ ...manifest, state: 'loaded' as const }))
  return [...loaded, ...pending].toReversed().map(({ loadId, createdAt, state, files }) => ({
    loadId,
    createdAt,
    state,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    tables: files.map(({ table, rows, bytes }) => ({ table, rows, bytes })),
  }))
}
