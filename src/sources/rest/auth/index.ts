export type { Auth, Refused } from './auth.ts'
export { createAuth, fullAuth } from './create-auth.ts'
export { rememberGranted } from './granted.ts'
export { Settings } from './settings.ts'
