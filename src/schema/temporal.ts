const isoTimestamp =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?$/
const isoDate = /^(\d{4})-(\d\d)-(\d\d)$/
const isoTime = /^(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?$/

function isDay(year: number, month: number, day: number): boolean {
  if (year === 0 || month < 1 || month > 12 || day < 1) return false
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

const code = (text: string, at: number): number => text.charCodeAt(at) - 48
const isDigit = (value: number): boolean => value >= 0 && value <= 9

/** The number that two digits make; 99, out of every range here, when they are no digits. */
function twoDigits(text: string, at: number): number {
  const tens = code(text, at)
  const ones = code(text, at + 1)
  return isDigit(tens) && isDigit(ones) ? 10 * tens + ones : 99
}

/**
 * True for the form in which nearly all APIs write timestamps, `2026-03-01T12:30:00Z` with up to six digits of the
 * second. It is stored as it came, and known without a pattern.
 */
export function isPlainTimestamp(text: string): boolean {
  const last = text.length - 1
  if (last < 19 || last > 26 || text.charCodeAt(last) !== 90 || text.charCodeAt(10) !== 84) return false
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return false
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return false
  const century = twoDigits(text, 0)
  const year = twoDigits(text, 2)
  if (century > 98 || year > 98 || !isDay(100 * century + year, twoDigits(text, 5), twoDigits(text, 8))) return false
  if (twoDigits(text, 11) > 23 || twoDigits(text, 14) > 59 || twoDigits(text, 17) > 59) return false
  if (last === 19) return true
  if (last === 20 || text.charCodeAt(19) !== 46) return false
  for (let at = 20; at < last; at++) if (!isDigit(code(text, at))) return false
  return true
}

/** True for text that dlt's default detector takes for a timestamp: a full ISO date with a time of day. */
export function isTimestampText(text: string): boolean {
  // The length and the two dashes rule out nearly all other text before the pattern runs.
  if (isPlainTimestamp(text)) return true
  if (text.length < 16 || text.length > 38 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return false
  const match = isoTimestamp.exec(text)
  return match !== null && isMoment(match)
}

/** The spelling of a timestamp, part by part. Parts that are left out are empty. */
export interface TimestampParts {
  date: string
  separator: string
  /** With or without seconds. */
  time: string
  point: string
  fraction: string
  /** A space before the zone. */
  gap: string
  zone: string
}

/** The parts of timestamp text; `undefined` for other text. */
export function timestampParts(text: string): TimestampParts | undefined {
  if (text.length < 16 || text.length > 38 || text.charCodeAt(4) !== 45) return undefined
  const match = isoTimestamp.exec(text)
  if (match === null || !isMoment(match)) return undefined
  const [, , , , , , second, fraction = '', zone = ''] = match
  const timeEnd = second === undefined ? 16 : 19
  const rest = text.length - zone.length
  return {
    date: text.slice(0, 10),
    separator: text.charAt(10),
    time: text.slice(11, timeEnd),
    point: fraction === '' ? '' : text.charAt(19),
    fraction,
    gap: text.slice(fraction === '' ? timeEnd : 20 + fraction.length, rest),
    zone,
  }
}

function isMoment(match: RegExpExecArray): boolean {
  const zone = match[8]
  return (
    isDay(Number(match[1]), Number(match[2]), Number(match[3])) &&
    Number(match[4]) < 24 &&
    Number(match[5]) < 60 &&
    Number(match[6] ?? 0) < 60 &&
    (zone === undefined || zone.length === 1 || (Number(zone.slice(1, 3)) < 16 && Number(zone.slice(-2)) < 60)) &&
    staysInItsYears(match)
  )
}

/** A zone moves the first day of the year 1, and the last one of 9999, out of the years that there are. */
function staysInItsYears([, year, month, day, hour, minute, second, , zone = 'Z']: RegExpExecArray): boolean {
  if ((year !== '0001' && year !== '9999') || zone.length === 1) return true
  const utc = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second ?? '00'}${zoneText(zone)}`).getUTCFullYear()
  return utc >= 1 && utc <= 9999
}

/** Text of a timestamp, or of a date, as `YYYY-MM-DDTHH:MM:SS.ffffff±HH:MM`; `undefined` when it is neither. */
export function timestampText(text: string): string | undefined {
  if (isPlainTimestamp(text)) return text
  if (isTimestampText(text)) {
    const match = isoTimestamp.exec(text)!
    const [, year, month, day, hour, minute, second = '00', fraction, zone = 'Z'] = match
    const micros = fraction === undefined ? '' : `.${fraction.slice(0, 6)}`
    return `${year}-${month}-${day}T${hour}:${minute}:${second}${micros}${zoneText(zone)}`
  }
  return dateText(text) === undefined ? undefined : `${text}T00:00:00Z`
}

/** More digits than microseconds: stored timestamps keep six. */
export const finerThanMicroseconds = (text: string): boolean => /[.,]\d{6}0*[1-9]/.test(text)

/** True for the text of a timestamp that a date holds as well. */
export const isMidnight = (text: string): boolean => /T00:00:00(\.0+)?(Z|[+-]00:00)?$/.test(text)

function zoneText(zone: string): string {
  if (zone.length === 1) return 'Z'
  if (zone.length === 3) return `${zone}:00`
  return zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
}

export function dateText(text: string): string | undefined {
  const match = isoDate.exec(text)
  return match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3])) ? text : undefined
}

/** A time of day, to microseconds. */
export function timeText(text: string): string | undefined {
  const match = isoTime.exec(text)
  if (match === null || Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3] ?? 0) > 59) return undefined
  return match[3] === undefined ? `${text}:00` : text.slice(0, 15)
}

/** Fewer digits are years, compact dates and counters; more are milliseconds and longer compact dates. */
const unixSeconds = /^(-?)([1-9]\d{8,9})(?:\.(\d+))?$/

/** Unix seconds of nine or ten digits, whole or not, as timestamp text to microseconds. */
export function unixTimestampText(text: string): string | undefined {
  const match = unixSeconds.exec(text)
  if (match === null) return undefined
  const [, sign, whole, fraction = ''] = match
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'))
  // Before 1970 the fraction counts back from the second above.
  const borrows = sign === '-' && micros > 0
  const seconds = sign === '-' ? -Number(whole) - (borrows ? 1 : 0) : Number(whole)
  const second = new Date(seconds * 1000).toISOString().slice(0, 19)
  return `${second}.${String(borrows ? 1e6 - micros : micros).padStart(6, '0')}Z`
}

/** The instant of a timestamp text in UTC, without a zone. */
export function utcText(text: string): string {
  if (text.endsWith('Z')) return text.slice(0, -1)
  const [whole, fraction = ''] = text.slice(0, -6).split('.')
  const utc = new Date(`${whole}${text.slice(-6)}`).toISOString().slice(0, 19)
  return fraction === '' ? utc : `${utc}.${fraction}`
}
