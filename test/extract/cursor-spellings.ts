import { decimal, type ExactNumber } from '../../src/index.ts'

export type Random = () => number
export type Value = string | number | bigint | Date | ExactNumber

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!

/** Values of one column, by their rank: how far along each one is, in steps that do not depend on how it is written. */
export interface Column {
  name: string
  spell(rank: number, random: Random): Value
  /** The rank of a value that the library computed. */
  rankOf(value: unknown): number
  /** What one rank is as `lag` or `window.size`, where there are such. */
  step?: number
  options?: { format?: 'iso' | 'date' | 'seconds' | 'milliseconds' }
  dataType?: 'bigint' | 'decimal'
}

const base = Date.UTC(2026, 1, 27, 23, 59, 0)
/** Every rank is a quarter of a second, so that fractions come and go. */
const millisOf = (rank: number): number => base + rank * 250
const rankOfMillis = (millis: number): number => (millis - base) / 250

/** A second parser, so that the library's is not its own judge. */
export function millisOfText(text: string): number {
  const [, date, time = '00:00', fraction = '', sign = '+', hours = '0', minutes = '0'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)?\s?(?:Z|([+-])(\d\d):?(\d\d)?)?$/.exec(text) ?? []
  const seconds = time.length === 5 ? `${time}:00` : time
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return Date.parse(`${date}T${seconds}Z`) + Number(`0.${fraction === '' ? '0' : fraction}`) * 1000 - offset * 60_000
}

const zones: readonly [text: string, minutes: number][] = [
  ['', 0],
  ['Z', 0],
  ['+00:00', 0],
  ['-00:00', 0],
  ['+0530', 330],
  ['-05', -300],
  ['-08:00', -480],
  [' +02:00', 120],
]

export interface Spelling {
  separator: string
  zone: readonly [string, number]
  point: string
  /** Digits of the fraction; none leaves a fraction of zero out. */
  digits: number | undefined
}

export const spellingOf = (random: Random): Spelling => ({
  separator: pick(random, ['T', ' ']),
  zone: pick(random, zones),
  point: pick(random, ['.', '.', ',']),
  digits: pick(random, [undefined, 3, 6, 9]),
})

export function spellMillis(millis: number, { separator, zone: [zone, minutes], point, digits }: Spelling): string {
  const local = new Date(millis + minutes * 60_000).toISOString()
  const fraction = local.slice(20, 23)
  const written = digits === undefined ? fraction.replace(/0+$/, '') : fraction.padEnd(digits, '0')
  return `${local.slice(0, 10)}${separator}${local.slice(11, 19)}${written === '' ? '' : point + written}${zone}`
}

const rankOfMoment = (value: unknown): number =>
  rankOfMillis(value instanceof Date ? value.getTime() : millisOfText(String(value)))

const mixedTimestamps: Column = {
  name: 'timestamps of any spelling',
  spell: (rank, random) =>
    random() < 0.1 ? new Date(millisOf(rank)) : spellMillis(millisOf(rank), spellingOf(random)),
  rankOf: rankOfMoment,
  step: 0.25,
}

const dayOf = (rank: number): string => new Date(Date.UTC(2026, 1, 20 + rank)).toISOString().slice(0, 10)
const rankOfDay = (value: unknown): number => (millisOfText(String(value)) - Date.UTC(2026, 1, 20)) / 86_400_000

const dates: Column = { name: 'dates', spell: dayOf, rankOf: rankOfDay, step: 1 }

const datesAndTimestamps: Column = {
  name: 'dates, and timestamps at midnight',
  spell: (rank, random) => pick(random, [dayOf(rank), `${dayOf(rank)}T00:00:00Z`, `${dayOf(rank)} 00:00`]),
  rankOf: rankOfDay,
}

const wholeNumbers: Column = {
  name: 'whole numbers around 2^53, as numbers and strings of digits',
  spell(rank, random) {
    const value = 9_007_199_254_740_980n + BigInt(rank)
    const forms: Value[] = [value, String(value)]
    if (Number.isSafeInteger(Number(value))) forms.push(Number(value))
    return pick(random, forms)
  },
  rankOf: (value) => Number(BigInt(String(value)) - 9_007_199_254_740_980n),
  step: 1,
  dataType: 'bigint',
}

const decimals: Column = {
  name: 'decimals that no double holds',
  spell(rank, random) {
    const text = `1234567890123456789.${String(rank + 100).padStart(4, '0')}`
    return random() < 0.5 ? text : decimal(random() < 0.5 ? text : `${text}00`)
  },
  rankOf: (value) => Number(String(value).split('.')[1]!.slice(0, 4)) - 100,
  step: 0.0001,
  dataType: 'decimal',
}

const smallNumbers: Column = {
  name: 'numbers with fractions',
  spell: (rank) => rank / 4 - 5,
  rankOf: (value) => (Number(value) + 5) * 4,
  step: 0.25,
}

const seconds: Column = {
  name: 'epoch seconds, and timestamps next to them',
  spell(rank, random) {
    const millis = millisOf(rank)
    return pick<Value>(random, [millis / 1000, String(millis / 1000), spellMillis(millis, spellingOf(random))])
  },
  rankOf: (value) => (/^-?[\d.]+$/.test(String(value)) ? rankOfMillis(Number(value) * 1000) : rankOfMoment(value)),
  step: 0.25,
  options: { format: 'seconds' },
}

const milliseconds: Column = {
  name: 'epoch milliseconds',
  spell: (rank, random) => pick<Value>(random, [millisOf(rank), String(millisOf(rank)), BigInt(millisOf(rank))]),
  rankOf: (value) => rankOfMillis(Number(value)),
  step: 0.25,
  options: { format: 'milliseconds' },
}

const words = ['', '10', '9', 'A', 'Z', 'a', 'é', '中', '\ud7ff', '\ue000', '\uffff', '😀', '😀a', '\u{10ffff}']
const texts = words
  .flatMap((first) => ['', 'x', '2', '\ufffd', '🙂'].map((second) => `k${first}${second}`))
  .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const text: Column = {
  name: 'other text, by code point',
  spell: (rank) => texts[rank]!,
  rankOf: (value) => texts.indexOf(String(value)),
}

export const columns: readonly Column[] = [
  mixedTimestamps,
  dates,
  datesAndTimestamps,
  wholeNumbers,
  decimals,
  smallNumbers,
  seconds,
  milliseconds,
  text,
]
