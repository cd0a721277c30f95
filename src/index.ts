export { config, secret } from './config/index.ts'
export { PipelineError, type ErrorCode, type Recovery } from './errors/index.ts'
export {
  incremental,
  Resource,
  resource,
  Source,
  source,
  transformer,
  withHints,
  type Incremental,
  type ReadLimit,
  type StandardSchema,
  type IncrementalOptions,
  type ResourceContext,
  type ResourceData,
  type ResourceOptions,
  type SourceOptions,
} from './extract/index.ts'
export {
  attach,
  Dataset,
  listPipelines,
  LoadInfo,
  Pipeline,
  pipeline,
  type EventListener,
  type PackageLimits,
  type PipelineOptions,
  type RunData,
  type RunEvent,
  type RunOptions,
} from './pipeline/index.ts'
export {
  decimal,
  ExactNumber,
  type Check,
  type ColumnHints,
  type DataType,
  type SchemaContract,
  type WriteDisposition,
} from './schema/index.ts'
export type { Destination } from './destinations/index.ts'
