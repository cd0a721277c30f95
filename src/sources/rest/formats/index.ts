export { decode, type FormatOptions } from './decode.ts'
export { NotInFormat } from './not-in-format.ts'
export { UnreadableLine } from './unreadable-line.ts'
