export { Dataset, type DatasetQuery, type Relation } from './dataset.ts'
export type { EventListener, RunEvent } from './events.ts'
export { compareRuns, type RunComparison } from './run-comparison.ts'
export type { ErrorRecord, PackageRecord, RequestRecord, ResourceRecord, RunRecord } from './run-record.ts'
export { LoadInfo, type LoadedPackage } from './load-info.ts'
export type { PackageLimits } from './package-builder.ts'
export {
  attach,
  listPipelines,
  pipeline,
  Pipeline,
  type PipelineOptions,
  type RememberedTarget,
  type RunData,
  type RunOptions,
} from './pipeline.ts'
export { type PipelineState } from './state.ts'
export type { LoggedRequest } from './request-log.ts'
