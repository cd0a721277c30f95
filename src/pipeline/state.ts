import { createHash } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import type { StateRow } from '../destinations/index.ts'
import { refuseNewer } from '../errors/index.ts'
import { parseJson, type ResourceState } from '../extract/index.ts'
import { ExactNumber, formOf, plainJson } from '../schema/index.ts'

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
  /** Of a part of a pipeline: the last load of it that is complete. */
  partition?: { name: string; done: string }
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

/** The state that all resources of a source share: a live object, kept with the next package. */
export const sourceState = (state: PipelineState, source: string): Record<string, unknown> =>
  (state.sources[source] ??= {})

export function setResourceState(state: PipelineState, source: string, resource: string, value: ResourceState): void {
  const known = (state.sources[source] ??= {})
  known.resources = { ...known.resources, [resource]: value }
}

/** The state as a row of `_dlt_pipeline_state`; `undefined` when nothing changed since its version, unless `always`. */
export function stateRow(state: PipelineState, always = false): StateRow | undefined {
  const { _state_version, _version_hash, ...content } = state
  const hash = createHash('sha3-256').update(encodeTyped(content)).digest('base64')
  if (hash === _version_hash && !always) return undefined
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

export function stateFromRow(row: StateRow): PipelineState {
  refuseNewer(`the state of pipeline "${row.pipelineName}"`, row.engineVersion, stateEngineVersion)
  return stateFromText(row.state)
}

export const stateFromText = (text: string): PipelineState =>
  decodeTyped(inflateSync(Buffer.from(text, 'base64')).toString()) as PipelineState

// Values that JSON does not have are text behind a private-use character, as dlt writes them: decimal, datetime, date.
const marks = { decimal: '\uf026', datetime: '\uf027', date: '\uf028' }

function encodeTyped(value: unknown): string {
  return plainJson(withMarks(value))
}

/** Whole numbers of any size are written as numbers, decimals and times behind their mark. */
function withMarks(given: unknown): unknown {
  const value = formOf(given)
  if (value instanceof Date) return marks.datetime + value.toISOString()
  if (value instanceof ExactNumber) return value.dataType === 'decimal' ? marks.decimal + value.text : value
  if (Array.isArray(value)) return value.map(withMarks)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMarks(inner)]))
}

function decodeTyped(text: string): unknown {
  return withoutMarks(parseJson(text))
}

function withoutMarks(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value.startsWith(marks.datetime)) return new Date(value.slice(1))
    if (value.startsWith(marks.decimal)) return new ExactNumber(value.slice(1), 'decimal')
    return value.startsWith(marks.date) ? value.slice(1) : value
  }
  if (Array.isArray(value)) return value.map(withoutMarks)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutMarks(inner)]))
}
