export type { Exchange, ExtractEvent } from './events.ts'
export { CursorOrder, type CursorFormat, type CursorKey, type CursorValue } from './cursor-order.ts'
export { inRequest } from './cursor-spelling.ts'
export { extract, type ExtractHost } from './extract.ts'
export { incremental, type CursorWindow, type Incremental, type IncrementalOptions } from './incremental.ts'
export { cursorColumnType, IncrementalCursor, type CursorState } from './incremental-cursor.ts'
export { jsonPath, type JsonPath } from './json-path.ts'
export { MarkedRows, rowsOf, withHints, type MarkHints, type Page } from './marked-rows.ts'
export {
  Resource,
  resource,
  transformer,
  type Alongside,
  type EndpointFacts,
  type PageTransform,
  type ReadLimit,
  type ResourceContext,
  type ResourceData,
  type ResourceOptions,
  type ResourceProducer,
} from './resource.ts'
export { parseJson } from './parse-json.ts'
export { parseLongJson } from './parse-long-json.ts'
export type { ResourceState } from './resource-state.ts'
export type { StandardSchema } from './standard-schema.ts'
export { source, Source, type SourceOptions } from './source.ts'
export { requireWholeTables } from './whole-tables.ts'
