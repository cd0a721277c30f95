export { createFile, removeDrafts, replaceFile, type ReplaceOptions } from './replace-file.ts'
export { syncFile, syncFolder } from './sync.ts'
