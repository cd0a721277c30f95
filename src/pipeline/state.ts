import { createHash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import type { StateRow } from '../destinations/index.ts'
import type { ResourceState } from '../extract/index.ts'

const stateEngineVersion = 4

/** dlt's pipeline state: what the sources remember from run to run. */
export interface PipelineState {
  _state_version: number
  _state_engine_version: number
  _version_hash?: string
  pipeline_name: string
  dataset_name: string
  default_schema_name?: string
  schema_names?: string[]
  destination_type?: string
  destination_name?: string | null
  sources: Record<string, { resources?: Record<string, ResourceState> } & Record<string, unknown>>
}

export const emptyState = (pipeline: string, dataset: string): PipelineState => ({
  _state_version: 0,
  _state_engine_version: stateEngineVersion,
  pipeline_name: pipeline,
  dataset_name: dataset,
  sources: {},
})

/** The remembered state of one resource; empty for one that never ran. */
export function resourceState(state: PipelineState, source: string, resource: string): ResourceState {
  const resources = Object.hasOwn(state.sources, source) ? state.sources[source]!.resources : undefined
  return resources !== undefined && Object.hasOwn(resources, resource) ? resources[resource]! : {}
}

export function setResourceState(state: PipelineState, source: string, resource: string, value: ResourceState): void {
  const known = (state.sources[source] ??= {})
  known.resources = { ...known.resources, [resource]: value }
}

/** The state as a row of `_dlt_pipeline_state`, or `undefined` when nothing changed since its version. */
export function stateRow(state: PipelineState): StateRow | undefined {
  const { _state_version, _version_hash, ...content } = state
  const hash = createHash('sha3-256').update(encodeTyped(content)).digest('base64')
  if (hash === _version_hash) return undefined
  state._state_version = _state_version + 1
  state._version_hash = hash
  return {
    version: state._state_version,
    engineVersion: stateEngineVersion,
    pipelineName: state.pipeline_name,
    state: deflateSync(encodeTyped(state)).toString('base64'),
    versionHash: hash,
  }
}

export const stateFromRow = (row: StateRow): PipelineState =>
  decodeTyped(inflateSync(Buffer.from(row.state, 'base64')).toString()) as PipelineState

// Cursor values keep their type: dlt marks those JSON does not have with private-use characters.
const dateMark = '\uf027'
const bigintMark = '\uf02e'

function encodeTyped(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, encoded: unknown) {
    const raw = this[key]
    if (raw instanceof Date) return dateMark + raw.toISOString()
    return typeof raw === 'bigint' ? bigintMark + raw.toString() : encoded
  })
}

function decodeTyped(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'string') return value
    if (value.startsWith(dateMark)) return new Date(value.slice(1))
    return value.startsWith(bigintMark) ? BigInt(value.slice(1)) : value
  })
}
