export { ApiDocument, readDocument } from './document.ts'
export { draftSource, type Draft, type DraftOptions, type DraftResource } from './draft-source.ts'
export { sourceFileText } from './write-source-file.ts'
