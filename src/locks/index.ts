export { lockFolder, type FolderLock } from './lock-folder.ts'
export { removeOrphans } from './orphans.ts'
export { identityOf, isRunning, nameOf, ownIdentity, type ProcessIdentity } from './process-identity.ts'
