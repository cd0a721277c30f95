export { decode, type FormatOptions } from './decode.ts'
export { NotInFormat } from './not-in-format.ts'
export { isUnreadable, UnreadableLine } from './unreadable-line.ts'
