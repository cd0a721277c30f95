export { instrument } from './instrument.ts'
export { logRuns, type Logger } from './log-runs.ts'
