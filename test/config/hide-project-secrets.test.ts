import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type * as Config from '../../src/config/index.ts'
import type * as Masking from '../../src/masking/index.ts'
import { randomFrom, seed } from '../support/seed.ts'

let config: typeof Config
let masking: typeof Masking
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-hidden-'))
  vi.unstubAllEnvs()
  vi.stubEnv('SLUICE_DATA_DIR', join(folder, 'data'))
  vi.stubEnv('HOME', folder)
  vi.resetModules()
  masking = await import('../../src/masking/index.ts')
  config = await import('../../src/config/index.ts')
})

const random = randomFrom(seed)
const below = (n: number): number => Math.floor(random() * n)
const one = <T>(items: readonly T[]): T => items[below(items.length)]!
/** Letters alone, so that nothing but the name tells that it is secret. */
const valueOf = (): string => Array.from({ length: 8 }, () => one([...'ABCDEFghkmnpqrstuvwxyz'])).join('') + 'Q'

/** Names of settings that something may look up as a secret, without a pipeline before them. */
const sections = [
  'WORKERS__QUEUE',
  'INBOX__CHATLIO__PATH',
  'INBOX__SHOP_2__PATH',
  'ALERTS__SLACK_URL',
  'ALERTS__SMTP',
  'SOURCES__SHOP__PIN',
  'SOURCES__SHOP__PIN_CODE',
  'SOURCES__SHOP__KEY',
  'SOURCES__SHOP__SHOP_SOURCE__API_KEY_PAIR',
  'SOURCES__SHOP__CREDENTIALS__USERNAME',
  'SOURCES__ACCESS_TOKEN',
  'SOURCES__SHOP__SESSION',
  'DESTINATION__POSTGRES__CREDENTIALS',
  'DESTINATION__POSTGRES__CREDENTIALS__PASSWORD',
  'DESTINATION__FILESYSTEM__CREDENTIALS__AWS_SECRET_ACCESS_KEY',
  'API_SECRET_KEY',
  'GITHUB_TOKEN',
  'PGPASSWORD',
  'CLIENT_SECRET',
]
/** Names that say nothing of the kind, and are asked for by a source: keys of `{ secret: … }`. */
const asked = ['login', 'shop.word', 'my_site']

describe('a variable of the environment is a secret', () => {
  it.each(sections)('by its name: %s, also of one pipeline', (name) => {
    for (const full of [name, `SHOP_PIPELINE__${name}`]) {
      const value = valueOf()
      vi.stubEnv(full, value)
      config.hideProjectSecrets(folder)
      expect(masking.redact(`(${value})`), full).toBe('(***)')
    }
  })

  it.each(asked)('which sources ask for: %s', (key) => {
    const last = key
      .split('.')
      .map((part) => part.toUpperCase())
      .join('__')
    for (const full of [last, `SOURCES__SHOP__${last}`, `SHOP__SOURCES__SHOP__SHOP_SOURCE__${last}`, `SHOP__${last}`]) {
      const value = valueOf()
      vi.stubEnv(full, value)
      config.hideProjectSecrets(folder, asked)
      expect(masking.redact(`(${value})`), full).toBe('(***)')
    }
  })

  it('by its value: a login in an address, or what nobody takes for a word', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://loader:Planted/word-1@proxy.test:8080')
    vi.stubEnv('SOURCES__SHOP__THING', 'Zq81kfjw02LLsm4472xA')
    config.hideProjectSecrets(folder)
    expect(masking.redact('Planted/word-1 and Zq81kfjw02LLsm4472xA')).toBe('*** and ***')
  })

  it('and other settings are shown', () => {
    const shown = {
      SOURCES__SHOP__BASE_URL: 'https://shop.test/v1',
      SOURCES__SHOP__START_DATE: '2026-01-01T00:00:00Z',
      SOURCES__SHOP__SITE: 'acme-shops',
      DESTINATION__FILESYSTEM__BUCKET_URL: 's3://acme-bucket/2026',
      GOOGLE_APPLICATION_CREDENTIALS: '/etc/keys/google.json',
      SSH_AUTH_SOCK: '/tmp/ssh-1/agent.1',
      TOKEN_LIMIT: '40961',
    }
    for (const [name, value] of Object.entries(shown)) vi.stubEnv(name, value)
    config.hideProjectSecrets(folder)
    for (const value of Object.values(shown)) expect(masking.redact(`(${value})`)).toBe(`(${value})`)
  })
})

it('numbers of secrets.toml and tokens that are kept are secrets', () => {
  mkdirSync(join(folder, '.sluice'))
  writeFileSync(join(folder, '.sluice', 'secrets.toml'), '[sources.shop]\npin = 482913\n')
  mkdirSync(join(folder, 'data', 'tokens'), { recursive: true })
  writeFileSync(join(folder, 'data', 'tokens', 'a'), 'rt-kept-1234567')
  config.hideProjectSecrets(folder)
  expect(masking.redact('482913, rt-kept-1234567')).toBe('***, ***')
})
