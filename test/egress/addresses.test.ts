import { describe, expect, it } from 'vitest'
import { hostKind, hostOf, isLoopbackHost, isPublicAddress } from '../../src/egress/addresses.ts'
import { effort } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

const random = randomFrom()
const below = (limit: number): number => Math.floor(random() * limit)

/** First and last address of what is not public, from IANA's registry, apart from the code under test. */
const ranges: [string, string][] = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '255.255.255.255'],
]
const numberOf = (dotted: string): number => dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const dottedOf = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
const isPublicByModel = (value: number): boolean =>
  !ranges.some(([first, last]) => value >= numberOf(first) && value <= numberOf(last))
const hex = (value: number): string => value.toString(16)
const halves = (value: number): string => `${hex(Math.floor(value / 65536))}:${hex(value % 65536)}`

/** Every way to write an IPv4 address as a host of a URL. */
const spellings: ((value: number) => string)[] = [
  dottedOf,
  String,
  (value) => `0x${hex(value)}`,
  (value) => `0${value.toString(8)}`,
  (value) => `${dottedOf(value)}.`,
  (value) =>
    dottedOf(value)
      .split('.')
      .map((part) => `0x${hex(Number(part))}`)
      .join('.'),
  (value) => `${Math.floor(value / 2 ** 24)}.${value % 2 ** 24}`,
  (value) => `[::ffff:${dottedOf(value)}]`,
  (value) => `[::ffff:${halves(value)}]`,
  (value) => `[0:0:0:0:0:FFFF:${halves(value)}]`,
  (value) => [...dottedOf(value)].map((letter) => (letter === '.' ? '。' : letter)).join(''),
]
/** Ways to put an IPv4 address into an IPv6 one that leads to it: nothing of these is asked. */
const carriers: ((value: number) => string)[] = [
  (value) => `[64:ff9b::${halves(value)}]`,
  (value) => `[64:ff9b::${dottedOf(value)}]`,
  (value) => `[64:ff9b:1::${halves(value)}]`,
  (value) => `[2002:${halves(value)}::1]`,
  (value) => `[2001:0:4136:e378:8000:63bf:${halves(value)}]`,
  (value) => `[::${halves(value)}]`,
]

describe('where a host is, by its text', () => {
  it('IPv4 in every spelling is what the registry says', () => {
    for (let round = 0; round < effort(1000, 200_000); round++) {
      const [first, last] = ranges[below(ranges.length)]!
      const edges = [numberOf(first), numberOf(first) - 1, numberOf(last), numberOf(last) + 1]
      const value = round % 2 === 0 ? below(2 ** 32) : (edges[below(4)]! + 2 ** 32) % 2 ** 32
      const text = spellings[below(spellings.length)]!(value)
      const expected = isPublicByModel(value) ? 'public' : Math.floor(value / 2 ** 24) === 127 ? 'loopback' : 'private'
      expect(hostKind(text), `${text} ${dottedOf(value)}`).toBe(expected)
      expect(hostKind(carriers[below(carriers.length)]!(value)), dottedOf(value)).toMatch(/private|loopback/)
    }
  })

  it('IPv6 is public only where addresses are given out', () => {
    const closed =
      '64:ff9b::1 64:ff9b:1::1 100::1 :: ::1 ::7f00:1 fc00::1 fdff::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 2001::1'
    const more =
      ' 2001:1ff::1 2001:db8::1 2002:7f00:1:: 3fff::1 3fff:fff::1 5f00::1 4000::1 1fff::1 e000::1 ::ffff:0:127.0.0.1'
    for (const address of `${closed}${more}`.split(' ')) expect(isPublicAddress(address), address).toBe(false)
    for (const address of ['2606:4700::1111', '2a00:1450::8', '2001:200::1', '2003::1', '3ffe::1', '::ffff:8.8.8.8'])
      expect(isPublicAddress(address), address).toBe(true)
    for (const text of ['', 'x', '1.2.3', '256.1.1.1', '::g']) expect(isPublicAddress(text), text).toBe(false)
  })

  it('names of this machine are loopback; others are names, and odd texts are no hosts', () => {
    for (const name of [
      'localhost',
      'LOCALHOST',
      'localhost.',
      'a.localhost',
      'a.b.localhost.',
      '[::1]',
      '0:0:0:0:0:0:0:1',
    ])
      expect(isLoopbackHost(name), name).toBe(true)
    for (const name of ['localhost.example.com', 'notlocalhost', 'localhost.localdomain', '127.0.0.1.nip.io'])
      expect(hostKind(name), name).toBe('name')
    for (const text of ['', 'a b', 'x/y', 'u@h', 'h:81', '[::', 'a?b', 'a#b'])
      expect(hostOf(text), text).toBeUndefined()
  })
})
