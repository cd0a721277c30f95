export { asDiskError } from './disk-error.ts'
export { withDriver } from './driver.ts'
export { PipelineError, type ErrorCode, type PipelineErrorOptions, type Recovery } from './pipeline-error.ts'
export { addSecret, redact } from './redact.ts'
