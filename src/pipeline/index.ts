export { Dataset, type DatasetQuery, type Relation } from './dataset.ts'
export type { EventListener, RunEvent } from './events.ts'
export { compareRuns, type RunComparison } from './run-comparison.ts'
export type { ErrorRecord, PackageRecord, RequestRecord, ResourceRecord, RunRecord } from './run-record.ts'
export {
  leftLine,
  LoadInfo,
  LoadRefused,
  refusedLines,
  type LeftPackage,
  type LoadedPackage,
  type RefusedFacts,
  type RefusedPackage,
} from './load-info.ts'
export { failedFacts, refusedRows, type FailedFacts, type RefusedRow } from './failed-facts.ts'
export type { PackageLimits } from './package-builder.ts'
export { attach, attachToFailed } from './attach.ts'
export { pipeline, Pipeline, type PipelineOptions, type RunOptions } from './pipeline.ts'
export { listPipelines, type RememberedTarget } from './remembered-target.ts'
export type { RunData } from './run-data.ts'
export { type PipelineState } from './state.ts'
export type { LoggedRequest } from './request-log.ts'
