export { lockFolder } from './lock-folder.ts'
export { removeOrphans } from './orphans.ts'
export { identityOf, isAlive, isRunning, type ProcessIdentity } from './process-identity.ts'
