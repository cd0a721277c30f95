export type { Exchange, ExtractEvent } from './events.ts'
export { extract, type ExtractHost, type ResourceState } from './extract.ts'
export {
  incremental,
  IncrementalCursor,
  type CursorState,
  type CursorValue,
  type CursorWindow,
  type Incremental,
  type IncrementalOptions,
} from './incremental.ts'
export { jsonPath, type JsonPath } from './json-path.ts'
export {
  MarkedRows,
  Resource,
  resource,
  transformer,
  withHints,
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
export type { StandardSchema } from './standard-schema.ts'
export { source, Source, type SourceOptions } from './source.ts'
