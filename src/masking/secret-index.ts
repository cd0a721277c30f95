import type { Units } from './escapes.ts'
import { shortestSecret, type Spelling } from './spellings.ts'

/** A part of the original text. */
export type Span = [start: number, end: number]

// A base that nobody can know, so that no text can be made of which many parts have the hash of a secret.
const base = (Math.floor(Math.random() * 2 ** 31) << 1) | 1

/** Spellings of one length, by their hash. */
interface Group {
  power: number
  byHash: Map<number, Spelling[]>
}

/**
 * Finds secrets in a text in one pass, however many there are: where four units could be the beginning of one, the hash of the
 * part that is as long decides, and then the units themselves.
 */
export class SecretIndex {
  /** By their first four units, then by their length. */
  private readonly buckets = new Map<number, Map<number, Group>>()
  /** Which beginnings there may be; at most positions of a text nothing else is asked. */
  private readonly beginnings = new Uint8Array(0x10000)

  private readonly codes: Uint16Array

  /** `codes`: what code units are compared as; 0 for those that are dropped. */
  constructor(codes: Uint16Array) {
    this.codes = codes
  }

  get isEmpty(): boolean {
    return this.buckets.size === 0
  }

  add(spelling: Spelling): void {
    const { codes } = spelling
    const key = beginningAt(codes, 0)
    this.beginnings[short(key)] = 1
    const bucket = this.buckets.get(key) ?? new Map<number, Group>()
    this.buckets.set(key, bucket)
    const group: Group = bucket.get(codes.length) ?? { power: powerOf(codes.length), byHash: new Map() }
    bucket.set(codes.length, group)
    const hash = codes.reduce(hashWith, 0)
    const alike = group.byHash.get(hash) ?? []
    if (!alike.some((one) => isSame(one, spelling))) group.byHash.set(hash, [...alike, spelling])
  }

  /** Whether a secret may begin somewhere in a text: of most texts, this is all that is asked. */
  mayBeIn(text: string): boolean {
    if (this.isEmpty) return false
    let key = 0
    let units = 0
    for (let at = 0; at < text.length; at++) {
      const code = this.codes[text.charCodeAt(at)]!
      if (code === 0) continue
      key = nextBeginning(key, code)
      units++
      if (units >= shortestSecret && this.beginnings[short(key)] === 1 && this.buckets.has(key)) return true
    }
    return false
  }

  /** Adds where in the original text secrets are, by units that were folded. */
  find(units: Units, found: Span[]): void {
    const { codes, length } = units
    let hashes: Int32Array | undefined
    for (let at = 0; at + shortestSecret <= length; at++) {
      const key = beginningAt(codes, at)
      const bucket = this.beginnings[short(key)] === 1 ? this.buckets.get(key) : undefined
      if (bucket === undefined) continue
      hashes ??= hashesOf(units)
      for (const [size, { power, byHash }] of bucket) {
        if (at + size > length) continue
        const hash = (hashes[at + size]! - Math.imul(hashes[at]!, power)) | 0
        for (const spelling of byHash.get(hash) ?? [])
          if (isAt(units, at, spelling)) found.push(spanOf(units, at, spelling))
      }
    }
  }
}

const isSame = ({ codes, ...flags }: Spelling, other: Spelling): boolean =>
  Object.entries(flags).every(([name, value]) => other[name as keyof Spelling] === value) &&
  codes.every((code, at) => code === other.codes[at])

/** Of four units, eight bits each. */
const nextBeginning = (key: number, code: number): number => (key << 8) | (code & 0xff)
const beginningAt = (codes: Uint16Array, at: number): number =>
  ((codes[at]! & 0xff) << 24) |
  ((codes[at + 1]! & 0xff) << 16) |
  ((codes[at + 2]! & 0xff) << 8) |
  (codes[at + 3]! & 0xff)
const short = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 16

const hashWith = (hash: number, code: number): number => (Math.imul(hash, base) + code + 1) | 0

function powerOf(length: number): number {
  let power = 1
  for (let i = 0; i < length; i++) power = Math.imul(power, base)
  return power
}

/** The hashes of all beginnings of the text; that of any part follows from two of them. */
function hashesOf({ codes, length }: Units): Int32Array {
  const hashes = new Int32Array(length + 1)
  for (let at = 0; at < length; at++) hashes[at + 1] = hashWith(hashes[at]!, codes[at]!)
  return hashes
}

function isAt(units: Units, at: number, { codes, isWord, isGapless }: Spelling): boolean {
  for (let i = 0; i < codes.length; i++) if (units.codes[at + i] !== codes[i]) return false
  const last = at + codes.length - 1
  if (isGapless) for (let i = at; i < last; i++) if (!isNextTo(units, i)) return false
  return !isWord || !(goesOn(units, at - 1) || goesOn(units, last))
}

/** A letter follows a letter, or a digit a digit: a word does not end between the two. */
function goesOn(units: Units, at: number): boolean {
  if (at < 0 || at + 1 >= units.length || !isNextTo(units, at)) return false
  const [one, next] = [units.codes[at]!, units.codes[at + 1]!]
  return (isDigit(one) && isDigit(next)) || (isLetter(one) && isLetter(next))
}

/** Nothing was dropped between this unit and the one after it. */
const isNextTo = ({ starts, ends }: Units, at: number): boolean => starts[at + 1]! <= ends[at]!

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLetter = (code: number): boolean =>
  ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) || (code >= 0xc0 && code < 0x2000)

const slash = 0x2f
const isBase64 = (code: number): boolean => isDigit(code) || isLetter(code) || code === slash

function spanOf(units: Units, at: number, { codes, before, after }: Spelling): Span {
  const { starts, ends, length } = units
  const last = at + codes.length - 1
  const holdsBits = (from: number, index: number): boolean => isNextTo(units, from) && isBase64(units.codes[index]!)
  const isBitsBefore = before === 'bits' && at > 0 && holdsBits(at - 1, at - 1)
  const isBitsAfter = after === 'bits' && last + 1 < length && holdsBits(last, last + 1)
  const start = before === 'dropped' ? (at > 0 ? ends[at - 1]! : 0) : starts[isBitsBefore ? at - 1 : at]!
  if (after !== 'dropped') return [start, ends[isBitsAfter ? last + 1 : last]!]
  return [start, last + 1 < length ? starts[last + 1]! : units.end]
}
