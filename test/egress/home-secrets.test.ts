import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Config, config, secret } from '../../src/config/index.ts'
import { PipelineError } from '../../src/errors/index.ts'
import { pipeline } from '../../src/index.ts'
import { loadSourceFile, restSource } from '../../src/sources/rest/index.ts'
import { chatra } from '../../src/sources/chats/chatra.ts'
import { allowDestination, allowHosts, allowSecret } from '../../src/workbench/allowed-hosts.ts'
import { api, json, type TestApi } from '../support/api.ts'
import { effort, someOf } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

const planted = 'planted-home-secret-0123456789'
const random = randomFrom()
const chance = (): boolean => random() < 0.5

/** A home folder and a project that came from elsewhere. */
function folders() {
  const root = mkdtempSync(join(tmpdir(), 'sluice-home-'))
  const [home, project] = [join(root, 'home'), join(root, 'project')]
  for (const folder of [home, project]) mkdirSync(join(folder, '.sluice'), { recursive: true })
  const [cwd, { HOME, SLUICE_DATA_DIR }] = [process.cwd(), process.env]
  Object.assign(process.env, { HOME: home, SLUICE_DATA_DIR: join(root, 'data') })
  process.chdir(project)
  onTestFinished(() => {
    process.chdir(cwd)
    Object.assign(process.env, { HOME })
    if (SLUICE_DATA_DIR === undefined) delete process.env.SLUICE_DATA_DIR
    else process.env.SLUICE_DATA_DIR = SLUICE_DATA_DIR
  })
  return {
    home,
    project,
    atHome: (file: string, text: string) => writeFileSync(join(home, '.sluice', file), text, { mode: 0o600 }),
    inProject: (file: string, text: string) => writeFileSync(join(project, file), text),
  }
}

const server = (): Promise<TestApi> => api((_request, response) => json(response, [{ id: 1 }]))
const sent = ({ headers, requests }: TestApi): boolean => JSON.stringify([headers, requests]).includes(planted)
const run = (source: Parameters<ReturnType<typeof pipeline>['run']>[0]): Promise<unknown> =>
  pipeline({ name: 'home_secrets' })
    .run(source)
    .catch((error: unknown) => error)

const file = (baseUrl: string): string =>
  `name: shop\nclient: { max_attempts: 1, base_url: ${baseUrl}, auth: { type: bearer, token: { secret: token } } }\nresources:\n  - { name: items, endpoint: { path: items, paginator: single_page } }\n`

describe('a secret of the home folder', () => {
  it('goes where the home folder, code or a person says, and nowhere that the project says', async () => {
    for (let round = 0; round < effort(4, 200); round++) {
      const { project, atHome, inProject } = folders()
      const target = await server()
      const [named, allowed, isFile, isHome] = [chance(), chance(), chance(), random() < 0.7]
      const address = chance()
        ? `base_url = "${target.baseUrl}"`
        : `hosts = ["x.test", "${new URL(target.baseUrl).host}"]`
      const token = `[sources.shop]\ntoken = "${planted}"\n`
      const places = named ? `${address}\n` : ''
      atHome('secrets.toml', isHome ? `${token}${places}` : `[sources.shop]\n${places}`)
      inProject('.sluice/secrets.toml', isHome ? '' : token)
      inProject('.sluice/config.toml', `[sources.shop]\nbase_url = "${target.baseUrl}"\n`)
      inProject('shop.source.yaml', file(chance() ? target.baseUrl : '{ config: base_url }'))
      if (allowed && chance()) await allowHosts(project, 'shop.source.yaml')
      else if (allowed) allowSecret(project, 'sources.shop.token', `${target.baseUrl}/x`)
      const resources = [{ name: 'items', endpoint: { path: 'items', paginator: 'single_page' } }] as const
      const client = { baseUrl: config('base_url'), auth: { type: 'bearer', token: secret('token') } } as const
      const outcome = await run(
        isFile ? loadSourceFile('shop.source.yaml') : restSource({ name: 'shop', client, resources }),
      )
      const may = !isHome || named || allowed
      const what = JSON.stringify({ named, allowed, isFile, isHome })
      if (may) expect(outcome, what).not.toBeInstanceOf(Error)
      else expect(outcome, what).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
      expect(sent(target), what).toBe(may)
      expect(may || target.requests.length === 0).toBe(true)
    }
  })

  it('goes to an address in code, and to none that the project gives a platform', async () => {
    const { atHome, inProject } = folders()
    const [own, evil] = [await server(), await server()]
    atHome(
      'secrets.toml',
      `[sources.shop]\ntoken = "${planted}"\n[sources.chatra_source]\napi_key_pair = "${planted}"\n`,
    )
    const resources = [{ name: 'items', endpoint: { path: 'items', paginator: 'single_page' } }] as const
    const auth = { type: 'bearer', token: secret('token') } as const
    await run(restSource({ name: 'shop', client: { baseUrl: own.baseUrl, auth }, resources }))
    expect(sent(own)).toBe(true)
    inProject('.sluice/config.toml', `[sources.chatra_source]\nclient_ids = ["1"]\nbase_url = "${evil.baseUrl}"\n`)
    expect(await run(chatra())).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    expect(evil.requests).toEqual([])
  })

  it('goes to no address that the project gives a platform as an id in a list, either', async () => {
    const { atHome, inProject } = folders()
    const evil = await server()
    atHome('secrets.toml', `[sources.chatra_source]\nclient_ids = ["${planted}"]\n`)
    inProject('.sluice/secrets.toml', `[sources.chatra_source]\napi_key_pair = "own"\n`)
    inProject('.sluice/config.toml', `[sources.chatra_source]\nbase_url = "${evil.baseUrl}"\n`)
    expect(await run(chatra())).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    expect(evil.requests).toEqual([])
  })

  it('goes through no proxy, redirect or login that the project names', async () => {
    const { atHome, inProject, project } = folders()
    const [own, evil] = [await server(), await server()]
    atHome('secrets.toml', `[sources.shop]\ntoken = "${planted}"\nbase_url = "${own.baseUrl}"\n`)
    for (const change of [
      `client: { proxy: '${evil.baseUrl}',`,
      `resource_defaults: { endpoint: { auth: { type: session, url: '${evil.baseUrl}/l', json: { k: { secret: token } } } } }\nclient: {`,
    ]) {
      inProject('shop.source.yaml', file(own.baseUrl).replace('client: {', change))
      expect(await run(loadSourceFile('shop.source.yaml'))).toBeInstanceOf(PipelineError)
    }
    expect(evil.requests).toEqual([])
    await allowHosts(project, 'shop.source.yaml')
    inProject('shop.source.yaml', file(own.baseUrl))
    await run(loadSourceFile('shop.source.yaml'))
    expect(sent(own)).toBe(true)
  })

  it('what the error proposes to allow can be allowed, whatever the address speaks', async () => {
    const { atHome, inProject, project } = folders()
    const own = await server()
    atHome('secrets.toml', `[sources.shop]\ntoken = "${planted}"\nbase_url = "${own.baseUrl}"\n`)
    for (const protocol of ['http', 'socks5']) {
      // Nobody listens at port 1.
      inProject(
        'shop.source.yaml',
        file(own.baseUrl).replace('client: {', `client: { proxy: '${protocol}://127.0.0.1:1',`),
      )
      const refused = await run(loadSourceFile('shop.source.yaml'))
      expect(refused, protocol).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
      const [, key, address] = /sluice secrets allow (\S+) (\S+)/.exec((refused as PipelineError).fix)!
      expect(allowSecret(project, key!, address!)).toBe(`${protocol}://127.0.0.1:1`)
      expect(await run(loadSourceFile('shop.source.yaml')), protocol).not.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    }
    for (const address of ['x', 'localhost:1', 'mailto:a@b.test', 'file:///etc', 'data:,x'])
      expect(() => allowSecret(project, 'sources.shop.token', address), address).toThrow('is not an address')
  })

  it('stays one when the project has a link to it', async () => {
    const links: [from: string, to: string][] = [
      ['.sluice/secrets.toml', '../../home/.sluice/secrets.toml'],
      ['.dlt/secrets.toml', '../../home/.sluice/secrets.toml'],
      ['.sluice', '../home/.sluice'],
      ['.dlt', '../hop'],
    ]
    // Many keep their settings in a repository that the home folder has links to.
    for (const isKeptElsewhere of [undefined, '.sluice', '.sluice/secrets.toml']) {
      for (const [from, to] of someOf(links, 2)) {
        const { home, project, atHome, inProject } = folders()
        const target = await server()
        atHome(
          'secrets.toml',
          `[sources.shop]\ntoken = "${planted}"\n[destination.postgres]\npassword = "${planted}"\n`,
        )
        if (isKeptElsewhere !== undefined) {
          renameSync(join(home, isKeptElsewhere), join(home, 'dotfiles'))
          symlinkSync(join(home, 'dotfiles'), join(home, isKeptElsewhere))
        }
        symlinkSync(join(home, '.sluice'), join(dirname(project), 'hop'))
        inProject('shop.source.yaml', file(target.baseUrl))
        rmSync(join(project, from), { recursive: true, force: true })
        mkdirSync(dirname(join(project, from)), { recursive: true })
        symlinkSync(to, join(project, from))
        const what = JSON.stringify({ from, to, isKeptElsewhere })
        expect(await run(loadSourceFile('shop.source.yaml')), what).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
        expect(target.requests, what).toEqual([])
        const found = new Config().lookUp(secret('password'), { root: 'destination', name: 'postgres' })
        expect(found, what).toMatchObject({ value: planted, origin: 'home' })
      }
    }
  })

  it('is the project’s own where the project is the home folder', () => {
    const { home, atHome } = folders()
    atHome('secrets.toml', `[sources.shop]\ntoken = "${planted}"\n`)
    const found = new Config({ projectDir: home }).lookUp(secret('token'), { root: 'sources', name: 'shop' })
    expect(found).toMatchObject({ value: planted, origin: 'project' })
  })

  it('a file of the project is no such secret, by whatever link of the project it is read', () => {
    const { project, inProject } = folders()
    inProject('own.toml', `[sources.shop]\ntoken = "${planted}"\n`)
    symlinkSync('../own.toml', join(project, '.sluice/secrets.toml'))
    const found = new Config().lookUp(secret('token'), { root: 'sources', name: 'shop' })
    expect(found).toMatchObject({ value: planted, origin: 'project' })
  })

  it('a destination gets it only with the rest of the home folder, or as a person allowed', async () => {
    const { atHome, inProject, project } = folders()
    atHome(
      'secrets.toml',
      `[destination.postgres.credentials]\nusername = "u"\npassword = "${planted}"\ndatabase = "d"\n`,
    )
    const target = await server()
    const { port } = new URL(target.baseUrl)
    const check = async (): Promise<unknown> => {
      for await (const { error } of pipeline({ name: 'home_secrets', destination: 'postgres' }).check())
        if (error !== undefined) return error
      return undefined
    }
    for (const name of ['config.toml', 'secrets.toml']) {
      inProject(`.sluice/${name}`, `[destination.postgres.credentials]\nhost = "127.0.0.1"\nport = ${port}\n`)
      expect(await check()).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    }
    await allowDestination(project, 'postgres')
    expect(await check()).not.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    inProject('.sluice/secrets.toml', '[destination.postgres.credentials]\nhost = "127.0.0.2"\n')
    expect(await check()).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  })
})
