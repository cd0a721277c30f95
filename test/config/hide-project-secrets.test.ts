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

/** A folder name, as people choose them. */
const folderName = (): string => one(['keys', 'my-app', 'v1.2', 'Users', 'node_modules', 'app2', 'etc'])
const base64 = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/']

describe('a variable is no secret for its name alone', () => {
  it('where it holds a path: PWD, OLDPWD, and files of keys', () => {
    for (let at = 0; at < 60; at++) {
      const path = `/${Array.from({ length: 2 + below(4) }, folderName).join('/')}`
      vi.stubEnv(one(['PWD', 'OLDPWD', 'SSH_PRIVATE_KEY', 'NPM_TOKEN', 'SESSION_COOKIE']), path)
      config.hideProjectSecrets(folder)
      expect(masking.redact(`cannot read ${path}/data/a.json`)).toBe(`cannot read ${path}/data/a.json`)
    }
    vi.stubEnv('PWD', `${folder}/aB3xQz9`)
    vi.stubEnv('CLIENT_SECRET', folder)
    config.hideProjectSecrets(folder)
    expect(masking.redact(`${folder}/aB3xQz9/x`)).toBe(`${folder}/aB3xQz9/x`)
  })

  it('but random secrets that begin with a slash, and passwords of PWD variables are', () => {
    for (let at = 0; at < 60; at++) {
      const value = `/${Array.from({ length: 39 }, () => one(base64)).join('')}`
      vi.stubEnv(one(['AWS_SECRET_ACCESS_KEY', 'NPM_TOKEN', 'MYSQL_PWD', 'SOURCES__SHOP__TOKEN']), value)
      config.hideProjectSecrets(folder)
      expect(masking.redact(`(${value})`)).toBe('(***)')
    }
  })

  it('where it counts tokens', () => {
    for (const name of ['MAX_THINKING_TOKENS', 'MAX_OUTPUT_TOKENS', 'CONTEXT_TOKENS', 'SOURCES__MODEL__MAX_TOKENS']) {
      const count = String(10_000 + below(200_000))
      vi.stubEnv(name, count)
      config.hideProjectSecrets(folder)
      expect(masking.redact(`${count} rows`), name).toBe(`${count} rows`)
    }
    vi.stubEnv('SOURCES__SHOP__TOKENS', '7391640')
    vi.stubEnv('RESET_TOKEN', '8391640')
    config.hideProjectSecrets(folder)
    expect(masking.redact('7391640 8391640')).toBe('*** ***')
  })
})

/** A value as TOML has it, with every secret of it as text. */
function generated(depth = 0): { toml: string; secrets: string[] } {
  const kind = below(depth > 2 ? 5 : 7)
  const text = valueOf()
  if (kind === 0) return { toml: `"${text}"`, secrets: [text] }
  // Runs use these: only text that is nothing but a placeholder counts as missing.
  if (kind === 1) return near(`${text}${one(['...', 'xxxxx', '***', '…'])}${valueOf()}`)
  if (kind === 2) return near(`your_${text}`)
  if (kind === 3) {
    const number = String(10_000_000 + below(80_000_000))
    return { toml: number, secrets: [number] }
  }
  if (kind === 4) {
    const day = `${1950 + below(70)}-${String(1 + below(12)).padStart(2, '0')}-${10 + below(18)}`
    const date = one([day, `${day}T07:32:01Z`, `${day}T07:32:01+02:00`, `${day}T07:32:01`])
    const utc = date.length > 19 ? [new Date(date).toISOString()] : []
    return { toml: date, secrets: [date, ...utc] }
  }
  const inner = Array.from({ length: 1 + below(3) }, () => generated(depth + 1))
  const secrets = inner.flatMap((item) => item.secrets)
  if (kind === 5) return { toml: `[${inner.map(({ toml }) => toml).join(', ')}]`, secrets }
  return { toml: `{ ${inner.map(({ toml }, at) => `k${at} = ${toml}`).join(', ')} }`, secrets }
}

const near = (text: string): { toml: string; secrets: string[] } => ({ toml: `"${text}"`, secrets: [text] })

it('whatever secrets.toml holds is hidden, in lists and tables too, and what looks like a placeholder', () => {
  const values = Array.from({ length: 80 }, () => generated())
  const tables = Array.from({ length: 5 }, () => generated())
  const lines = values.map(({ toml }, at) => `s${at} = ${toml}`)
  const text = `[sources.shop]\n${lines.join('\n')}\n${tables.map(({ toml }) => `[[sources.shop.logins]]\na = ${toml}`).join('\n')}\n`
  mkdirSync(join(folder, '.sluice'))
  writeFileSync(join(folder, '.sluice', 'secrets.toml'), `${text}[sources.other]\na = "<paste it here>"\nb = "..."\n`)
  config.hideProjectSecrets(folder)
  const shown = [...values, ...tables]
    .flatMap(({ secrets }) => secrets)
    .filter((value) => masking.redact(`(${value})`) !== '(***)')
  expect(shown).toEqual([])
  expect(masking.redact('<paste it here> ...')).toBe('<paste it here> ...')
})

it('numbers of secrets.toml and tokens that are kept are secrets', () => {
  mkdirSync(join(folder, '.sluice'))
  writeFileSync(join(folder, '.sluice', 'secrets.toml'), '[sources.shop]\npin = 482913\n')
  mkdirSync(join(folder, 'data', 'tokens'), { recursive: true })
  writeFileSync(join(folder, 'data', 'tokens', 'a'), 'rt-kept-1234567')
  config.hideProjectSecrets(folder)
  expect(masking.redact('482913, rt-kept-1234567')).toBe('***, ***')
})
