export { loadPackage, type LoadReceipt } from './load-package.ts'
export type { SchemaChange } from './migrate.ts'
