import { beforeEach, describe, expect, it, vi } from 'vitest'
import type * as Masking from '../../src/masking/index.ts'
import { effort } from '../support/effort.ts'
import { randomFrom, seed } from '../support/seed.ts'
import { base64, escapes } from './encodings.ts'

let masking: typeof Masking
beforeEach(async () => {
  // What is remembered belongs to the module.
  vi.resetModules()
  masking = await import('../../src/masking/index.ts')
})

const random = randomFrom(seed)
const below = (n: number): number => Math.floor(random() * n)
const one = <T>(items: readonly T[]): T => items[below(items.length)]!

const alphabets = [
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  '0123456789abcdef',
  'abcXYZ019+/=',
  'abcXYZ019-_',
  'aZ0%"\\/+&=?#<>\'@: ;,{}[]()!$^~`|\n\t',
  'aß0é漢😀"/%',
]
/** Digits at the ends tell it from a word; what folds to nothing could not be told from white space. */
function secretOf(length: number): string {
  // Where the escapes in a short one are taken off as well, nothing is left of it.
  const letters = [...one(length < 12 ? alphabets.filter((letters) => !letters.includes('%')) : alphabets)]
  return `7${Array.from({ length: length - 2 }, () => one(letters)).join('')}q`
}
const lengths = [4, 5, 6, 8, 12, 20, 32, 33, 64, 200]
// Nothing in them belongs to an escape or to Base64.
const before = ['the key ', '{"error":"', 'a=', '(', '']
const after = [' is wrong', '"}', '&', ')', '']

describe('a secret is hidden', () => {
  it('in every spelling, also one in another, and the text around it stays', () => {
    for (let round = 0; round < effort(400, 10_000); round++) {
      const secret = secretOf(one(lengths))
      masking.addSecret(secret)
      const layers = Array.from({ length: 1 + below(3) }, () => one(escapes))
      const written = layers.reduce((text, { encode }) => encode(text), secret)
      const [left, right] = [one(before), one(after)]
      const told = layers.map(({ name }) => name).join(' in ')
      expect(masking.redact(`${left}${written}${right}`), `${JSON.stringify(secret)} as ${told}`).toBe(
        `${left}***${right}`,
      )
    }
  })

  it('in Base64 at every offset, with no bit of it left', () => {
    for (let round = 0; round < effort(400, 10_000); round++) {
      const secret = secretOf(one(lengths))
      masking.addSecret(secret)
      const [left, right] = [below(7), below(7)]
      const { name, encode } = one(base64)
      const text = masking.redact(`(${encode('.'.repeat(left) + secret + '.'.repeat(right))})`)
      const told = `${JSON.stringify(secret)} as ${name} after ${left} bytes`
      const [head, tail, ...more] = text.slice(1, -1).split('***') as [string, string]
      expect(more, told).toEqual([])
      expect(tail, told).toBeDefined()
      expect(head.length, told).toBeLessThanOrEqual(Math.floor((left * 8) / 6))
      expect(tail.replaceAll(/=|%3D|\n/g, '').length, told).toBeLessThanOrEqual(Math.ceil((right * 8) / 6))
    }
  })

  it('as a pair of Basic authentication, whole and in parts', () => {
    const [user, password] = ['loader-17', 'p@ss-PLANTED-w/rd']
    masking.addSecret(user)
    masking.addSecret(password)
    const header = Buffer.from(`${user}:${password}`).toString('base64')
    const text = masking.redact(`cannot accept Basic ${header}`)
    expect(Buffer.from(text.slice('cannot accept Basic '.length), 'base64').toString()).not.toMatch(
      /load|pass|PLANT|w.rd/,
    )
  })

  it('where a cut goes through it', () => {
    const secret = 'sk_live_0123456789abcdef'
    masking.addSecret(secret)
    for (const written of [secret, Buffer.from(secret).toString('base64'), escapes[5]!.encode(secret)]) {
      for (let cut = 1; cut < written.length; cut++)
        expect(masking.redactStart(`ab${written}cd`, 2 + cut)).toBe('ab***')
    }
  })

  it.each([
    ['postgres://me:s3cr3t%2Fpw@db.test/x', ['s3cr3t%2Fpw', 's3cr3t/pw']],
    ['host=db.test user=me password=s3cr3tpw', ['s3cr3tpw']],
    ['AccountName=me;AccountKey=c2VjcmV0LWtleQ==;EndpointSuffix=x.test', ['c2VjcmV0LWtleQ==']],
    ['https://me.test/c?sv=1&sig=Ab%2Fc12345', ['Ab%2Fc12345', 'Ab/c12345']],
    ['public17:secret-half-1', ['secret-half-1']],
    ['{"type":"service_account","private_key":"k3y-value-1"}', ['k3y-value-1']],
    [
      `-----BEGIN PRIVATE KEY-----\n${'Ab1/'.repeat(16)}\n${'Cd2+'.repeat(16)}\n-----END PRIVATE KEY-----`,
      ['Cd2+'.repeat(16)],
    ],
  ])('within another one: %s', (whole, parts) => {
    masking.addSecret(whole)
    for (const part of parts) expect(masking.redact(`it is (${part})`)).toBe('it is (***)')
    for (const name of ['service_account', 'db.test', 'AccountName'])
      expect(masking.redact(`it is ${name}`)).toBe(`it is ${name}`)
  })
})

describe('what is no secret stays', () => {
  it('short values, words of every message, and words within words', () => {
    for (const value of ['', 'abc', 'postgres', 'test', 'Data', 'orchid', '4821']) masking.addSecret(value)
    const text = 'abc: destination "postgres" is the latest test of Data; orchids, 14821 and 4821.5'
    expect(masking.redact(text)).toBe(
      'abc: destination "postgres" is the latest test of Data; orchids, 14821 and ***.5',
    )
    expect(masking.redact('the orchid')).toBe('the ***')
  })

  it('any text without one', () => {
    for (let round = 0; round < 50; round++) masking.addSecret(secretOf(12))
    for (let round = 0; round < effort(1000, 20_000); round++) {
      const text = Array.from({ length: below(200) }, () => String.fromCharCode(32 + below(200))).join('')
      if (text.includes('://')) continue
      expect(masking.redact(text)).toBe(text)
      expect(masking.redactStart(text, 20)).toBe(text.slice(0, 20))
    }
  })
})

describe('user and password of an address', () => {
  it.each([
    ['https://me:pw@api.test/v1', 'https://***@api.test/v1'],
    ['see "https://me:p@ss@api.test/v1?a=b@c"', 'see "https://***@api.test/v1?a=b@c"'],
    ['https://me:pa/ss@api.test/v1', 'https://***@api.test/v1'],
    ['https://ghp_1234@api.test', 'https://***@api.test'],
    ['postgres://me:pw@db/x and postgres://me@db/x', 'postgres://***@db/x and postgres://me@db/x'],
    ['"https:\\/\\/me:pw@api.test"', '"https:\\/\\/***@api.test"'],
    ['?to=https%3A%2F%2Fme%3Apw%40api.test', '?to=https%3A%2F%2F***%40api.test'],
    ['smtp://me:pw@mail.test:587', 'smtp://***@mail.test:587'],
    ['https://api.test:8080/users/a@b.test', 'https://api.test:8080/users/a@b.test'],
    ['https://api.test/a:b@c', 'https://api.test/a:b@c'],
  ])('%s', (text, shown) => {
    expect(masking.redact(text)).toBe(shown)
  })
})

describe('values are hidden by the names of their fields', () => {
  it.each([
    ['{"access_token": "a1", "n": 1, "refreshToken":"b\\"2"}', '{"access_token": "***", "n": 1, "refreshToken":"***"}'],
    ['{"id_token":"a', '{"id_token":"***'],
    [
      '{"tokens":["a","b"],"pin":4821,"total_tokens":482100}',
      '{"tokens":["***","***"],"pin":***,"total_tokens":482100}',
    ],
    ['{"body":"{\\"token\\":\\"a1\\"}","x":1}', '{"body":"{\\"token\\":\\"***\\"}","x":1}'],
    [
      '{"next_page_token":"a1","key":"SHOP-1","session":"s1","token":null}',
      '{"next_page_token":"a1","key":"SHOP-1","session":"s1","token":null}',
    ],
    ['a=1&client_secret=x%20y&b=2', 'a=1&client_secret=***&b=2'],
    ['https://api.test/?api_key=a1&page=2', 'https://api.test/?api_key=***&page=2'],
    ['Authorization: Bearer a.b.c\nAccept: */*', 'Authorization: Bearer ***\nAccept: */*'],
    [
      '<login><password>a b</password><id token="x">1</id></login>',
      '<login><password>***</password><id token="***">1</id></login>',
    ],
    ['apikey: a1', 'apikey: ***'],
  ])('%s', (text, shown) => {
    expect(masking.redact(text, { byName: true })).toBe(shown)
  })

  it.each([
    ['apikey', true],
    ['X-Api-Key', true],
    ['xAuthToken', true],
    ['Set-Cookie', true],
    ['x-amz-security-token', true],
    ['X-Amz-Signature', true],
    ['proxy-authorization', true],
    ['pageToken', false],
    ['x-next-cursor-token', false],
    ['content-type', false],
    ['monkey', false],
  ])('the header %s: %s', (name, isSecret) => {
    expect(masking.isSecretName(name)).toBe(isSecret)
  })
})

describe('costs', () => {
  const text = [
    '%25',
    '\\',
    '\\"',
    '://',
    '://a:',
    'token:',
    '"token":"',
    '&',
    '&#',
    'a@b://',
    'aaaa',
    '<token>',
    '"token":[',
    ' :',
  ]

  it.each(text)('of %j grow no faster than the text, with many secrets that begin alike', (part) => {
    for (let i = 0; i < 30; i++) masking.addToken(`${'a'.repeat(200 + i)}${i}`)
    const cpu = (length: number): number => {
      const long = part.repeat(length / part.length)
      const times = Array.from({ length: 2 }, () => {
        const begun = process.cpuUsage()
        masking.redact(long, { byName: true })
        const { user } = process.cpuUsage(begun)
        return user
      })
      return Math.min(...times)
    }
    cpu(5_000)
    // Four times the text; the rest is for the noise of a busy machine.
    expect(cpu(80_000)).toBeLessThan(8 * cpu(20_000) + 150_000)
  })

  it('of tokens that are granted again and again are bounded, and the last ones are hidden', () => {
    const token = (i: number): string => `${i}-${'0123456789abcdef'.repeat(64)}-${i}`
    for (let i = 0; i < 600; i++) masking.addToken(token(i))
    expect(masking.redact(`it is ${token(599)}`)).toBe('it is ***')
    expect(masking.redact(`it is ${token(0)}`)).toContain(token(0))
  })
})
