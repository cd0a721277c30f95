import { dateText, isPlainTimestamp, timestampParts } from './temporal.ts'

/**
 * The instant that a timestamp or a date names, as UTC text without a zone and without zeros at the end of the fraction:
 * such texts sort as their instants do. `undefined` for other text. No zone means UTC, as in stored columns.
 */
export function instantText(text: string): string | undefined {
  if (isPlainTimestamp(text)) return withoutZeros(text, text.length - 1)
  if (text.endsWith('+00:00')) {
    const plain = `${text.slice(0, -6)}Z`
    if (isPlainTimestamp(plain)) return withoutZeros(plain, plain.length - 1)
  }
  const parts = timestampParts(text)
  if (parts === undefined) return dateText(text) === undefined ? undefined : `${text}T00:00:00`
  const { date, time, fraction, zone } = parts
  const local = `${date}T${time.length === 5 ? `${time}:00` : time}`
  const minutes = zoneMinutes(zone)
  const utc = minutes === 0 ? local : isoSeconds(Date.parse(`${local}Z`) - minutes * 60_000)
  return fraction === '' ? utc : withoutZeros(`${utc}.${fraction}`)
}

/** `text` up to `end`, without the zeros at the end of a fraction that begins after the seconds. */
function withoutZeros(text: string, end = text.length): string {
  if (end === 19) return text.slice(0, 19)
  let last = end
  while (text.charCodeAt(last - 1) === 48) last -= 1
  return text.slice(0, last === 20 ? 19 : last)
}

/** Minutes east of UTC. */
function zoneMinutes(zone: string): number {
  if (zone.length <= 1) return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return zone.startsWith('-') ? -minutes : minutes
}

const isoSeconds = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 19)

const nanosPerSecond = 1_000_000_000n

/** Nanoseconds since 1970 of what `instantText` returns. */
export function nanosOf(instant: string): bigint {
  const seconds = BigInt(Date.parse(`${instant.slice(0, 19)}Z`) / 1000)
  return seconds * nanosPerSecond + BigInt(instant.slice(20).padEnd(9, '0'))
}

const earliest = nanosOf('0001-01-01T00:00:00')
const latest = nanosOf('9999-12-31T23:59:59.999999999')

/** The instant in the form of `instantText`. Instants before the year 1 or after 9999 become the nearest within. */
export function instantFromNanos(nanos: bigint): string {
  const kept = nanos < earliest ? earliest : nanos > latest ? latest : nanos
  const { seconds, rest } = splitNanos(kept)
  const text = isoSeconds(Number(seconds) * 1000)
  return rest === 0n ? text : withoutZeros(`${text}.${String(rest).padStart(9, '0')}`)
}

/** Whole seconds, rounded down, and the nanoseconds above them. */
function splitNanos(nanos: bigint): { seconds: bigint; rest: bigint } {
  const rest = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
  return { seconds: (nanos - rest) / nanosPerSecond, rest }
}

/**
 * An instant the way `like` is spelled: its separator, seconds, digits of the fraction and zone. Seconds and digits that the
 * instant needs are added, so that it stays the same instant. Only a date-only spelling rounds, down to its day.
 */
export function spelledLike(nanos: bigint, like: string): string {
  const parts = timestampParts(like)
  if (parts === undefined) return instantFromNanos(nanos).slice(0, 10)
  const { separator, time, point, fraction, gap, zone } = parts
  const local = instantFromNanos(nanos + BigInt(zoneMinutes(zone)) * 60n * nanosPerSecond)
  const digits = local.slice(20)
  const seconds = time.length === 5 && local.slice(17) === '00' ? '' : local.slice(16, 19)
  const written = digits.padEnd(fraction.length, '0')
  const shown = written === '' ? '' : `${point === '' ? '.' : point}${written}`
  return `${local.slice(0, 10)}${separator}${local.slice(11, 16)}${seconds}${shown}${gap}${zone}`
}
