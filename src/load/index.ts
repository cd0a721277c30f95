export { EarlyLoad, type EarlyFile } from './early-load.ts'
export { loadPackage, type LoadReceipt, type TableSpan } from './load-package.ts'
export type { CheckResult } from './run-checks.ts'
export type { SchemaChange } from './migrate.ts'
