import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { keepSecret, secretStatuses, writePlaceholders, writeSecret } from '../../src/index.ts'
import { checkSecrets, projectSecrets } from '../../src/workbench/project-secrets.ts'
import { writeSourceFile } from '../../src/workbench/source-draft.ts'
import { serve, simulation } from '../../src/testing/index.ts'
import { api, json } from '../support/api.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  for (const name of Object.keys(process.env)) if (name.startsWith('SOURCES__')) delete process.env[name]
})

const secretsFile = (): string => join(folder, '.sluice', 'secrets.toml')
function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}
const shop = (baseUrl = 'https://shop.test'): void =>
  write(
    'shop.source.yaml',
    `name: shop
client:
  base_url: ${baseUrl}
  auth: { type: bearer, token: { secret: token } }
resources:
  - name: items
    endpoint: { path: items, paginator: single_page }
`,
  )

function sluice(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, HOME: folder, ...env },
  })
}

describe('secrets list', () => {
  it('tells set, placeholder and missing, where, and for what', async () => {
    shop()
    write(
      '.sluice/secrets.toml',
      `# an old one: old-key-in-a-comment
[sources.chatra_source]
api_key_pair = "PUBLIC_KEY:PRIVATE_KEY"
[sources.github]
token = "ghp_0123456789abcdef"
[sources.stripe]
key = "sk-*****-your-key"
[destination.postgres.credentials]
password = "correct horse"
`,
    )
    const all = await projectSecrets(folder)
    expect(all.map(({ key, status, where }) => `${key} ${status} ${where}`)).toEqual([
      'destination.postgres.credentials.password set .sluice/secrets.toml',
      'sources.chatra_source.api_key_pair placeholder .sluice/secrets.toml',
      'sources.github.token set .sluice/secrets.toml',
      'sources.shop.token missing ~/.sluice/secrets.toml',
      'sources.stripe.key placeholder .sluice/secrets.toml',
    ])
    expect(all.find(({ key }) => key === 'sources.shop.token')!.neededBy).toEqual(['shop.source.yaml'])
    process.env.SOURCES__SHOP__TOKEN = 'from the environment'
    const [token] = await projectSecrets(folder, ['shop.source.yaml'])
    expect(token).toEqual({
      key: 'sources.shop.token',
      status: 'set',
      where: 'SOURCES__SHOP__TOKEN',
      neededBy: ['shop.source.yaml'],
    })
  })

  it('never shows a value, its beginning, its length, or a comment', () => {
    const value = 'ghp_verysecretvalue0123456789'
    write('.sluice/secrets.toml', `# formerly hunter2hunter2\n[sources.github]\ntoken = "${value}"\n`)
    const short = sluice(['secrets', 'list'])
    write('.sluice/secrets.toml', `[sources.github]\ntoken = "${value.repeat(20)}\\nsecond line"\n`)
    const long = sluice(['secrets', 'list', '--json'])
    for (const { stdout } of [short, long]) expect(stdout).not.toMatch(/ghp_|hunter2|second line|\d{2}/)
    expect(sluice(['secrets', 'list']).stdout).toBe(short.stdout)
  })

  it('does not take values of other places for set: a placeholder before a value does not hide it', () => {
    write('.sluice/secrets.toml', '[sources.shop]\ntoken = "<paste it here>"\n[sources]\ntoken = "real-value-1234"\n')
    const need = { key: 'token', place: { root: 'sources', name: 'shop' }, neededBy: 'shop' }
    expect(secretStatuses([need], folder).find(({ neededBy }) => neededBy.length > 0)).toMatchObject({
      key: 'sources.token',
      status: 'set',
    })
  })
})

describe('placeholders', () => {
  it('are words between brackets; what is there stays, comments too', () => {
    write('.sluice/secrets.toml', '# mine\n[sources.github]\ntoken = "ghp_0123456789abcdef" # real\n')
    expect(
      writePlaceholders(
        [{ key: 'sources.github.token' }, { key: 'sources.shop.token', hint: 'from Settings, API' }],
        folder,
      ),
    ).toEqual(['sources.shop.token'])
    expect(readFileSync(secretsFile(), 'utf8')).toBe(
      '# mine\n[sources.github]\ntoken = "ghp_0123456789abcdef" # real\n\n[sources.shop]\ntoken = "<from Settings, API>"\n',
    )
    expect(statSync(secretsFile()).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, '.sluice', '.gitignore'), 'utf8')).toContain('secrets.toml')
  })

  it.each([
    ['sources.shop.token', 'ghp_0123456789abcdef0123'],
    ['sources.shop.token', 'sk-live-4242'],
    ['sources.shop.token', 'it is hunter2'],
    ['sources.shop.token', 'a> "x'],
    ['sources.shop.token', 'correcthorsebatterystaple'],
    ['sources.shop.token', 'x\n[other]\ny = "z'],
    ['../../etc/passwd', undefined],
    ['sources.__proto__.polluted', undefined],
    ['token', undefined],
  ])('%s with the hint %j is refused', (key, hint) => {
    expect(() => writePlaceholders([hint === undefined ? { key } : { key, hint }], folder)).toThrow()
    expect(existsSync(secretsFile())).toBe(false)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('are not written through a link that leads out of the project', () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'))
    symlinkSync(outside, join(folder, '.sluice'))
    expect(() => writePlaceholders([{ key: 'sources.shop.token' }], folder)).toThrow('leads out of the project')
    expect(existsSync(join(outside, 'secrets.toml'))).toBe(false)
  })
})

describe('secrets set', () => {
  it('asks a person: without a terminal it refuses, and what is piped in is not taken', () => {
    const piped = spawnSync(process.execPath, [main, 'secrets', 'set', 'sources.shop.token'], {
      cwd: folder,
      encoding: 'utf8',
      input: 'piped-value\n',
    })
    expect(piped.status).toBe(2)
    expect(piped.stderr).toContain('a person at a terminal')
    expect(existsSync(secretsFile())).toBe(false)
  })

  it('at a terminal, takes the value, shows nothing of it, and keeps it in the home folder', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sluice-home-'))
    write('.sluice/secrets.toml', '# mine\n[sources.shop]\ntoken = "<paste token here>"\nother = 1\n')
    // util-linux gives a program a terminal; it is part of every Debian.
    const child = spawn(
      'script',
      ['-qefc', `"${process.execPath}" "${main}" secrets set sources.shop.token`, '/dev/null'],
      { cwd: folder, env: { ...process.env, HOME: home } },
    )
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    await expect.poll(() => shown).toContain('value of sources.shop.token')
    child.stdin.write('typed"value\\1\r')
    await expect.poll(() => shown).toContain('is set in')
    child.kill()
    expect(shown).not.toContain('typed')
    expect(readFileSync(join(home, '.sluice/secrets.toml'), 'utf8')).toBe(
      '[sources.shop]\ntoken = "typed\\"value\\\\1"\n',
    )
    // The placeholder would come first.
    expect(readFileSync(secretsFile(), 'utf8')).toBe('# mine\n[sources.shop]\nother = 1\n')
  })

  it('the home folder is for this user alone, and a broken file there or in the project changes nothing', () => {
    const home = mkdtempSync(join(tmpdir(), 'sluice-home-'))
    mkdirSync(join(home, '.sluice'), { mode: 0o755 })
    const file = join(home, '.sluice/secrets.toml')
    const before = process.env.HOME
    process.env.HOME = home
    try {
      expect(keepSecret('sources.shop.token', 'first', folder)).toEqual({ path: file, takenFrom: undefined })
      expect(statSync(join(home, '.sluice')).mode & 0o777).toBe(0o700)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      write('.sluice/secrets.toml', '[sources.shop]\ntoken = "in the project"\n')
      const need = { key: 'token', place: { root: 'sources', name: 'shop' }, neededBy: 'shop' }
      const where = () => secretStatuses([need], folder).map(({ status, where }) => `${status} ${where}`)
      expect(where()).toEqual(['set .sluice/secrets.toml'])
      write('.sluice/secrets.toml', '[sources.shop]\ntoken = "<paste it here>"\n')
      expect(where()).toEqual(['set ~/.sluice/secrets.toml'])
      expect(keepSecret('sources.shop.token', 'second', folder).takenFrom).toBe(secretsFile())
      expect(where()).toEqual(['set ~/.sluice/secrets.toml'])
      write('.sluice/secrets.toml', '[sources.shop\n')
      expect(() => keepSecret('sources.shop.token', 'third', folder)).toThrow('is not valid TOML')
      expect(readFileSync(file, 'utf8')).toBe('[sources.shop]\ntoken = "second"\n')
      write('.sluice/secrets.toml', '')
      writeFileSync(file, '[sources.shop\n')
      expect(() => keepSecret('sources.shop.token', 'third', folder)).toThrow('is not valid TOML')
    } finally {
      process.env.HOME = before
    }
  })

  it('in the home folder, or in a project with a link to its file, the value stays', () => {
    const home = mkdtempSync(join(tmpdir(), 'sluice-home-'))
    const before = process.env.HOME
    process.env.HOME = home
    try {
      for (const projectDir of [home, folder]) {
        if (projectDir === folder) symlinkSync(join(home, '.sluice'), join(folder, '.sluice'))
        for (const value of ['first', 'second']) {
          const kept = keepSecret('sources.shop.token', value, projectDir)
          expect(kept).toEqual({ path: join(home, '.sluice/secrets.toml'), takenFrom: undefined })
          expect(readFileSync(kept.path, 'utf8')).toBe(`[sources.shop]\ntoken = "${value}"\n`)
          expect(secretStatuses([], projectDir).map(({ key }) => key)).toEqual(['sources.shop.token'])
        }
      }
    } finally {
      process.env.HOME = before
    }
  })

  it('changes a value in its place', () => {
    write('.sluice/secrets.toml', '[sources.shop] # the shop\ntoken = "old"\nother = 1\n')
    writeSecret('sources.shop.token', 'new', folder)
    expect(readFileSync(secretsFile(), 'utf8')).toBe('[sources.shop] # the shop\ntoken = "new"\nother = 1\n')
    write('.sluice/secrets.toml', '[sources.shop\n')
    expect(() => writeSecret('sources.shop.token', 'new', folder)).toThrow('is not valid TOML')
  })
})

describe('a source file that is written', () => {
  it.each([
    ['x.source.json', '{', 'SOURCE_INVALID'],
    ['x.source.yaml', 'a: [', 'SOURCE_INVALID'],
    ['x.source.yaml', '['.repeat(300) + ']'.repeat(300), 'SOURCE_INVALID'],
    ['x.source.json', '['.repeat(300) + ']'.repeat(300), 'SOURCE_INVALID'],
    ['x.source.yaml', `#${'é'.repeat(2 ** 19)}`, 'LIMIT_EXCEEDED'],
  ])('%s is refused by name when its text cannot be read: %.8s', (name, text, code) => {
    let error: unknown
    try {
      writeSourceFile(folder, name, text, false)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code, summary: expect.stringContaining(name) as never })
    expect(existsSync(join(folder, name))).toBe(false)
  })
})

describe('secrets check', () => {
  it('tells what the API says to the secrets: accepted, refused, missing', async () => {
    const target = await api((request, response) =>
      request.headers.authorization === 'Bearer right-token-123'
        ? json(response, [{ id: 1 }])
        : json(response, { message: `bad token ${request.headers.authorization}` }, 401),
    )
    shop(target.baseUrl)
    expect(await checkSecrets(folder, 'shop.source.yaml')).toMatchObject({ outcome: 'missing' })
    expect(target.requests).toEqual([])
    const here = process.cwd()
    process.chdir(folder)
    try {
      write('.sluice/secrets.toml', '[sources.shop]\ntoken = "wrong-token-123"\n')
      const refused = await checkSecrets(folder, 'shop.source.yaml')
      expect(refused).toMatchObject({ outcome: 'refused', status: 401 })
      expect(JSON.stringify(refused)).not.toContain('wrong-token-123')
      write('.sluice/secrets.toml', '[sources.shop]\ntoken = "right-token-123"\n')
      expect(await checkSecrets(folder, 'shop.source.yaml')).toEqual({
        source: 'shop.source.yaml',
        outcome: 'accepted',
        status: 200,
        message: 'the API answered 200',
      })
    } finally {
      process.chdir(here)
    }
  })

  it('works for the included platforms', async () => {
    const simulated = simulation('chaport', { size: 5, seed: 1 })!
    const server = await serve(simulated)
    const env = {
      SOURCES__CHAPORT_SOURCE__BASE_URL: server.baseUrl,
      SOURCES__CHAPORT_SOURCE__TOKEN: simulated.secret[1],
    }
    const check = (values: NodeJS.ProcessEnv) =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, [main, 'secrets', 'check', 'chaport', '--json'], {
          cwd: folder,
          env: { ...process.env, HOME: folder, ...values },
        })
        let out = ''
        child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
        child.on('close', () => resolve(out))
      })
    try {
      expect(JSON.parse(await check(env))).toMatchObject([{ outcome: 'accepted', status: 200 }])
      const wrong = await check({ ...env, SOURCES__CHAPORT_SOURCE__TOKEN: 'some-other-token' })
      expect(JSON.parse(wrong)).toMatchObject([{ outcome: 'refused', status: 401 }])
      expect(wrong).not.toContain('some-other-token')
    } finally {
      await server.close()
    }
  })
})
