import { schemaFromStored, system, type Schema, type StoredSchema } from '../schema/index.ts'
import type { Dataset } from './dataset.ts'
import { stateFromText, type PipelineState } from './state.ts'

/** A schema as it was saved. */
export interface SchemaVersion {
  schema: Schema
  insertedAt: string
}

/** What the sources remembered after a load. */
export interface StateVersion {
  version: number
  createdAt: string
  state: PipelineState
}

/** The versions of all sources' schemas, oldest first. */
export async function schemaVersions(data: Dataset): Promise<SchemaVersion[]> {
  if (!(await data.tables({ system: true })).has(system.version)) return []
  const rows = await data.table(system.version).orderBy('inserted_at').orderBy('version').toArray()
  return rows.map((row) => ({
    schema: schemaFromStored(JSON.parse(String(row.schema)) as StoredSchema),
    insertedAt: String(row.inserted_at),
  }))
}

/** The versions of a pipeline's state, the newest first. */
export async function stateVersions(data: Dataset, pipeline: string, limit: number): Promise<StateVersion[]> {
  if (!(await data.tables({ system: true })).has(system.state)) return []
  const versions = data.table(system.state).where('pipeline_name', '=', pipeline).orderBy('version', 'desc')
  return (await versions.limit(limit).toArray()).map((row) => ({
    version: Number(row.version),
    createdAt: String(row.created_at),
    state: stateFromText(String(row.state)),
  }))
}
