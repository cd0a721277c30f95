export { syncFile, syncFolder } from './sync.ts'
