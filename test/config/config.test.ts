import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Config, config, secret } from '../../src/config/index.ts'
import { PipelineError, redact } from '../../src/errors/index.ts'

function project(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const place = (platform: string) => ({ root: 'sources', section: platform, name: `${platform}_source` })

describe('the snippets of the five source pages', () => {
  it.each([
    ['chatlio', 'api_key', '[sources.chatlio_source] api_key = "your_api_key_here"', 'your_api_key_here'],
    [
      'chatbot',
      'api_key',
      '[sources.chatbot_source] api_key = "your_developer_access_token_here"',
      'your_developer_access_token_here',
    ],
    ['chaport', 'token', '[sources.chaport_source] token = "your_chaport_token_here"', 'your_chaport_token_here'],
    [
      'chatra',
      'api_key_pair',
      '[sources.chatra_source] api_key_pair = "PUBLIC_KEY:PRIVATE_KEY"',
      'PUBLIC_KEY:PRIVATE_KEY',
    ],
    ['cliengo', 'api_key', '[sources.cliengo_source] api_key = "your_api_key_here"', 'your_api_key_here'],
  ])('%s', (platform, key, snippet, value) => {
    for (const text of [snippet, snippet.replace('] ', ']\n')]) {
      const projectDir = project({ '.dlt/secrets.toml': text })
      expect(new Config({ projectDir, env: {} }).get(secret(key), place(platform))).toBe(value)
    }
  })
})

describe('where a value is looked up', () => {
  const files = {
    '.sluice/secrets.toml':
      'api_key = "widest"\n[sources]\napi_key = "sources"\n[sources.chatra_source]\napi_key = "named"\n',
    '.dlt/secrets.toml': '[sources.chatra_source]\napi_key = "dlt"\nother = "only dlt"\n',
  }

  it('the environment wins, then the most specific section, then .sluice over .dlt', () => {
    const projectDir = project(files)
    const find = (env: NodeJS.ProcessEnv, key = 'api_key') =>
      new Config({ projectDir, env, pipeline: 'p' }).get(secret(key), place('chatra'))
    expect(find({ SOURCES__CHATRA_SOURCE__API_KEY: 'env' })).toBe('env')
    expect(find({ P__SOURCES__CHATRA_SOURCE__API_KEY: 'of pipeline', SOURCES__CHATRA_SOURCE__API_KEY: 'env' })).toBe(
      'of pipeline',
    )
    expect(find({})).toBe('named')
    expect(find({}, 'other')).toBe('only dlt')
  })

  it('a missing value tells every place that was tried, and what to do', () => {
    const projectDir = project({ '.sluice/secrets.toml': '[sources.chatra_source]\napi_key = "<configure me>"\n' })
    const look = () => new Config({ projectDir, env: {}, pipeline: 'p' }).get(secret('api_key'), place('chatra'))
    expect(look).toThrow(PipelineError)
    let message = ''
    try {
      look()
    } catch (error) {
      message = (error as Error).message
    }
    for (const part of [
      'secret "api_key" of chatra_source is missing',
      'still a placeholder: sources.chatra_source.api_key',
      'environment: P__SOURCES__CHATRA__CHATRA_SOURCE__API_KEY',
      'environment: SOURCES__CHATRA_SOURCE__API_KEY',
      'environment: API_KEY',
      'secrets.toml: sources.chatra_source.api_key',
      join(projectDir, '.sluice', 'secrets.toml'),
      'fix: set SOURCES__CHATRA_SOURCE__API_KEY, or run: sluice secrets set sources.chatra_source.api_key',
    ]) {
      expect(message).toContain(part)
    }
    // A secret is never looked for in config.toml, so that file is not among the places tried.
    expect(message).not.toContain('config.toml: ')
  })

  it('what every object has is no setting', () => {
    const settings = new Config({ projectDir: project(files), env: {} })
    for (const key of ['constructor', 'toString', '__proto__'])
      expect(settings.find(config(key), place('chatra')), key).toBeUndefined()
  })

  it('refuses a secret in config.toml', () => {
    const projectDir = project({ '.sluice/config.toml': '[sources.chatra_source]\napi_key = "oops"\n' })
    const settings = new Config({ projectDir, env: {} })
    expect(() => settings.get(secret('api_key'), place('chatra'))).toThrow(/not for secrets/)
    expect(settings.get(config('api_key'), place('chatra'))).toBe('oops')
  })

  it('broken TOML is told without quoting it', () => {
    const projectDir = project({ '.sluice/secrets.toml': 'a = 1\napi_key = supersecretvalue\n' })
    expect(() => new Config({ projectDir, env: {} })).toThrow(/secrets\.toml is not valid TOML, line 2/)
    expect(() => new Config({ projectDir, env: {} })).not.toThrow(/supersecretvalue/)
  })

  it('a secret is masked wherever it turns up later', () => {
    const settings = new Config({ projectDir: project({}), env: { SOURCES__CHATRA_SOURCE__API_KEY: 'pub:s3cr3t-x' } })
    settings.get(secret('api_key'), place('chatra'))
    expect(redact('GET /x?key=pub%3As3cr3t-x and pub:s3cr3t-x')).toBe('GET /x?key=*** and ***')
  })
})
