/** Repeatable randomness: the same seed gives the same data on every machine. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** In [0, 1). The mulberry32 generator. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  characters(length: number, alphabet: string): string {
    let text = ''
    for (let at = 0; at < length; at++) text += alphabet[this.int(0, alphabet.length - 1)]
    return text
  }

  hex(length: number): string {
    return this.characters(length, '0123456789abcdef')
  }

  uuid(): string {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-a${this.hex(3)}-${this.hex(12)}`
  }

  /** A 17-character id as Meteor makes them. */
  meteorId(): string {
    return this.characters(17, '23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz')
  }

  name(): string {
    return `${this.pick(firstNames)} ${this.pick(lastNames)}`
  }

  sentence(): string {
    return this.pick(sentences)
  }
}

const firstNames = [
  'Ana',
  'Björn',
  'Chidi',
  'Dilara',
  'Émile',
  'Fatima',
  'Goran',
  'Hana',
  'Ines',
  'José',
  'Karin',
  'Li',
  'Maya',
  'Noor',
  'Olga',
  'Paul',
]
const lastNames = [
  'López',
  'Svensson',
  'Okafor',
  'Yılmaz',
  'Durand',
  'Haddad',
  'Petrović',
  'Sato',
  "O'Brien",
  'Müller',
  'Nowak',
  'Chen',
]
const sentences = [
  'Hi, I am having trouble signing up',
  'Where is my order?\nIt should have come on Monday.',
  'Thanks, that worked!',
  'Can I pay by "invoice", or only by card?',
  '¿Tienen envíos a Córdoba?',
  'The page says: error 500; please help 🙏',
  'How do I change my e-mail address?',
  'Great, have a nice day',
]

/** An ISO timestamp so many seconds after the beginning of 2025. */
export const moment = (seconds: number): string => new Date(Date.UTC(2025, 0, 1) + seconds * 1000).toISOString()
