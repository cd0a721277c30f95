import { excerpt } from '../../errors/index.ts'

/** Names are compared without case, `_` and `-`. */
const flags = new Set(['ok', 'success', 'succeeded', 'successful', 'issuccess', 'issuccessful'])
const states = new Set(['status', 'stat', 'result', 'outcome'])
const errors = new Set(['error', 'errors', 'err', 'fault', 'exception', 'haserror', 'haserrors', 'iserror'])
const codes = new Set(['errorcode', 'errcode', 'errno', 'statuscode', 'httpstatus', 'httpcode', 'errortype'])
const texts = new Set([
  'message',
  'errormessage',
  'errormsg',
  'errmsg',
  'errordescription',
  'msg',
  'detail',
  'reason',
  'title',
])
/** What else an error may consist of. */
const rest = new Set(
  (
    'code description details documentationurl helpurl helplink docurl type path instance url method timestamp ' +
    'requestid traceid correlationid transactionid meta metadata warning warnings messages responsemetadata needed ' +
    'provided retryafter retryable version data response results items records rows list value'
  ).split(' '),
)
const failed = /^(error|err|fail|failed|failure|fault|nok)$/i
const wellSaid = /^(none|null|no|no[ _]?error|ok|success|false|0)?$/i

interface ErrorInBody {
  said: string
  /** The response says as a whole that it failed, whatever else it holds. */
  isFlag: boolean
}

const plain = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase()

/** The error that a body states among its top-level fields. */
export function errorIn(body: unknown): ErrorInBody | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const entries = Object.entries(body)
  let found = false
  let isFlag = false
  for (const [key, value] of entries) {
    const name = plain(key)
    isFlag ||= flags.has(name) && String(value).toLowerCase() === 'false'
    found ||= states.has(name) && ((typeof value === 'string' && failed.test(value)) || isErrorStatus(value))
    found ||= (errors.has(name) && isLive(value)) || (codes.has(name) && isErrorCode(value))
  }
  if (!found && !isFlag) return undefined
  return { said: messageIn(body), isFlag }
}

const isErrorStatus = (value: unknown): boolean => typeof value === 'number' && value >= 400 && value < 600
/** A code of zero, or one of HTTP's for success, is none. */
const isErrorCode = (value: unknown): boolean => isLive(value) && !/^2\d\d$/.test(String(value))

function isLive(value: unknown): boolean {
  if (typeof value === 'string') return !wellSaid.test(value.trim())
  if (Array.isArray(value)) return value.length > 0
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}

/** An error, and nothing that could be a row. */
export function isOnlyError(body: unknown): boolean {
  if (errorIn(body) === undefined) return false
  const known = [flags, states, errors, codes, texts, rest]
  return Object.entries(body as object).every(([key, value]) => {
    const name = plain(key)
    if (!known.some((names) => names.has(name))) return false
    return !/^(data|response|results|items|records|rows|list|value)$/.test(name) || !isLive(value)
  })
}

/** The text of an error: a message of the response, or within its error; empty when there is none. */
export const messageIn = (body: object): string => short(textIn(Object.entries(body)))

function textIn(entries: readonly [string, unknown][]): string {
  const inner = (value: unknown): string => {
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    if (Array.isArray(value)) return value.length === 0 ? '' : inner(value[0])
    return typeof value === 'object' && value !== null ? textIn(Object.entries(value)) : ''
  }
  const of = (names: ReadonlySet<string>): string =>
    entries.flatMap(([key, value]) => (names.has(plain(key)) ? inner(value) : [])).find((text) => text !== '') ?? ''
  return of(texts) || of(errors) || of(codes)
}

const short = (text: string): string => excerpt(text.replaceAll(/\s+/g, ' ').trim(), 160)
