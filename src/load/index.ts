export { loadPackage, type LoadReceipt } from './load-package.ts'
export type { CheckResult } from './run-checks.ts'
export type { SchemaChange } from './migrate.ts'
