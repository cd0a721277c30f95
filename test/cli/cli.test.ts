import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { api, json } from '../support/api.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { sluice as command, type Ended } from '../support/command-line.ts'
import { someOf } from '../support/effort.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})

const sluice = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => command(folder, args, env)

/** Runs the command line in a process of its own, as a person would. */
function program(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

async function sourceFile(): Promise<string> {
  const target = await api((request, response, url) => {
    if (request.headers['x-key'] !== 'topsecret-1') return json(response, { message: 'bad key' }, 401)
    const page = Number(url.searchParams.get('page') ?? 1)
    const items = [{ id: page, big: '@', when: '2024-01-15T10:30:00Z', price: 1.5, tags: ['x'] }]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ items, total_pages: 3 }).replace('"@"', '9007199254740993'))
  })
  const path = join(folder, 'shop.source.yaml')
  writeFileSync(
    path,
    `client:
  base_url: ${target.baseUrl}
  auth: { type: api_key, name: X-Key, api_key: { secret: shop_key } }
resource_defaults:
  primary_key: id
  write_disposition: merge
resources:
  - name: items
    endpoint:
      path: items
      data_selector: items
      paginator: { type: page_number, base_page: 1, total_path: total_pages }
`,
  )
  return path
}

describe('sluice run', () => {
  const secretEnv = { SOURCES__SHOP__SHOP_KEY: 'topsecret-1' }

  it('loads a source file and prints one JSON value', async () => {
    await sourceFile()
    const { code, out, err } = await program(['run', 'shop.source.yaml', '--dataset', 'shop_data', '--json'], secretEnv)
    expect(code).toBe(0)
    const result = JSON.parse(out)
    expect(result).toMatchObject({
      pipeline: 'shop',
      destination: 'duckdb',
      dataset: 'shop_data',
      location: `duckdb:${join(folder, 'shop.duckdb')}`,
      packages: [{ state: 'loaded', failedJobs: [] }],
      rows: { items: 3, items__tags: 3 },
    })
    expect(result.loadIds).toEqual([result.packages[0].loadId])
    expect(err).toContain('items: 3 rows, 3 pages')
    expect(out + err).not.toContain('topsecret')

    const query = await sluice([
      'pipeline',
      'shop',
      'query',
      'select * exclude (_dlt_id, _dlt_load_id) from shop_data.items order by id limit 1',
      '--json',
    ])
    expect(JSON.parse(query.out)).toEqual([
      { id: 1, big: '9007199254740993', when: '2024-01-15T10:30:00.000Z', price: 1.5 },
    ])

    const show = await sluice(['pipeline', 'shop', 'show'])
    expect(show.out).toContain('items__tags')
    expect((await sluice(['pipeline', '--list', '--json'])).out).toContain('"shop"')
    expect((await sluice(['pipeline', 'shop', 'query', 'select nonsense'])).code).toBe(1)
    const dropped = await sluice(['pipeline', 'shop', 'query', 'create table t (a int)', '--json'])
    expect([dropped.code, JSON.parse(dropped.out).error.code]).toEqual([1, 'READ_ONLY'])
    const requests = await sluice(['pipeline', 'shop', 'requests', '--json'])
    expect(JSON.parse(requests.out)).toMatchObject([{ status: 200 }, { status: 200 }, { status: 200 }])
    expect(requests.out).not.toContain('topsecret')
  })

  it('prints four lines, what was loaded, and where to look', async () => {
    await sourceFile()
    const { out } = await sluice(['run', 'shop.source.yaml', '--progress', 'off'], secretEnv)
    const lines = out.trim().split('\n')
    expect(out).toMatch(/items +3 rows/)
    expect(out).toMatch(/Pipeline shop load step completed in [\d.]+ seconds/)
    expect(out).toContain('1 load package(s) were loaded to destination duckdb and into dataset shop_dataset')
    expect(out).toContain(`The duckdb destination used duckdb:${join(folder, 'shop.duckdb')} location to store data`)
    expect(out).toMatch(/Load package \d+\.\d+ is LOADED and contains no failed jobs/)
    expect(lines.at(-1)).toBe('look at it: sluice pipeline shop show')
  })

  it('fails with one JSON value and exit code 1', async () => {
    await sourceFile()
    const { code, out } = await program(['run', 'shop.source.yaml', '--json'], {
      SOURCES__SHOP__SHOP_KEY: 'wrong-key-1',
    })
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'HTTP_STATUS', resource: 'items', fix: 'check the key: it is missing, mistyped or revoked' },
    })
    const missing = await sluice(['run', 'shop.source.yaml', '--json'])
    expect(JSON.parse(missing.out).error.code).toBe('CONFIG_MISSING')
  })

  it.each([
    [['run'], 2],
    [['run', 'nothing.source.yaml'], 2],
    [['run', 'x', '--unknown'], 2],
    [['run', 'chatra', '--limit', 'ten'], 2],
    [['pipeline', 'neverran', 'show'], 1],
    [['source', 'docs', 'nobody'], 2],
    [['--help'], 0],
    [['run', '--help'], 0],
  ])('sluice %o ends with %i', async (args, code) => {
    const ended = await sluice(args as string[])
    expect(ended.code).toBe(code)
    expect(ended.err).not.toContain('    at ')
  })

  it.each([
    [['nonsense'], 2],
    [['--version'], 0],
  ])('the process of sluice %o ends with %i', async (args, code) => {
    const ended = await program(args as string[])
    expect(ended.code).toBe(code)
    expect(ended.err).not.toContain('    at ')
  })

  it('runs a module that exports a source', async () => {
    const index = new URL('../../src/index.ts', import.meta.url).href
    writeFileSync(
      join(folder, 'own.ts'),
      `import { resource, source } from '${index}'\nexport const mine = source('mine', [resource('numbers', [{ n: 1 }, { n: 2 }])])\n`,
    )
    const { out } = await program(['run', 'own.ts', '--json'])
    expect(JSON.parse(out)).toMatchObject({ pipeline: 'mine', rows: { numbers: 2 } })
  })

  it('tells every problem of a source file with its keys as written', async () => {
    writeFileSync(
      join(folder, 'bad.source.yaml'),
      'client: { baseurl: http://a }\nresources: [{ name: a, endpoint: { data_selektor: x } }]\n',
    )
    const { code, out } = await sluice(['source', 'lint', 'bad.source.yaml'])
    expect(code).toBe(1)
    expect(out).toContain('did you mean "base_url"?')
    expect(out.replace(/\s+/g, ' ')).toContain(
      'resources[0].endpoint.data_selektor is not known; did you mean "data_selector"?',
    )
  })
})

describe('sluice source', () => {
  it('simulates a platform that sluice run loads', async () => {
    const child = spawn(process.execPath, [main, 'source', 'simulate', 'chaport', '--size', '5', '--json'], {
      cwd: folder,
    })
    const first = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    )
    try {
      const { environment } = JSON.parse(first) as { environment: Record<string, string> }
      const { code, out } = await sluice(['run', 'chaport', '--json'], environment)
      expect(code).toBe(0)
      expect(JSON.parse(out)).toMatchObject({
        pipeline: 'chaport_pipeline',
        dataset: 'chaport_data',
        rows: { visitors: 5 },
      })
      const visitor = await sluice([
        'pipeline',
        'chaport_pipeline',
        'query',
        'select id from chaport_data.visitors limit 1',
        '--json',
      ])
      const [{ id }] = JSON.parse(visitor.out) as [{ id: string }]
      const input = JSON.stringify({ visitorId: id, text: 'Hello', operatorId: 'op1' })
      const called = await sluice(['source', 'call', 'chaport', 'send_message', '--input', input], environment)
      expect(JSON.parse(called.out)).toMatchObject({ result: { created: true } })
      expect((await sluice(['source', 'call', 'chaport', 'send_message', '--input', '{}'], environment)).code).toBe(2)
    } finally {
      child.kill('SIGTERM')
    }
  })

  it('documents each platform', async () => {
    for (const name of someOf(platformNames, 2)) {
      const { out } = await sluice(['source', 'docs', name, '--format', 'text'])
      expect(out).toContain(`sluice/sources/${name}`)
      expect(out).toContain('API differs from what is said of it')
      // Code stays in one line, so that it can be copied.
      const prose = out.split('\n').filter((line) => !line.startsWith('    '))
      expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(80)
      expect((await sluice(['source', 'docs', name])).out).toMatch(/^# \w/)
      expect((await sluice(['source', 'docs', name, '--format', 'html'])).out).toMatch(/^<!doctype html>/)
    }
  })
})

it('the demo fits 80 columns and loads all five', async () => {
  const { code, out } = await sluice(['demo', '--size', '10'])
  expect(code).toBe(0)
  for (const dataset of ['chatlio_data', 'chatbot_data', 'chaport_data', 'chatra_data', 'cliengo_data'])
    expect(out).toContain(dataset)
  expect(out.split('\n').filter((line) => line.length > 80 && !line.includes('npm run sluice'))).toEqual([])
})

it('another destination is one word', async () => {
  await sourceFile()
  const env = { SOURCES__SHOP__SHOP_KEY: 'topsecret-1', DESTINATION__FILESYSTEM__BUCKET_URL: join(folder, 'lake') }
  const { code, out } = await sluice(
    ['run', 'shop.source.yaml', '--destination', 'filesystem', '--dataset', 'shop', '--json'],
    env,
  )
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ destination: 'filesystem', rows: { items: 3, items__tags: 3 } })
  // The data is found again without any setting.
  const query = await sluice(['pipeline', 'shop', 'query', 'select count(*) as n from shop.items', '--json'])
  expect(JSON.parse(query.out)).toEqual([{ n: 3 }])
  const missing = await sluice(['run', 'shop.source.yaml', '--destination', 'postgres', '--json'], {
    SOURCES__SHOP__SHOP_KEY: 'x',
  })
  expect(JSON.parse(missing.out).error).toMatchObject({
    code: 'CONFIG_MISSING',
    fix: expect.stringContaining('DESTINATION__POSTGRES__CREDENTIALS'),
  })
})

it('errors of a source file name keys as the file spells them', async () => {
  const target = await api((_request, response) => json(response, { message: 'gone' }, 404))
  writeFileSync(join(folder, 'a.source.yaml'), `client: { base_url: "${target.baseUrl}" }\nresources: [a]\n`)
  const { code, err } = await sluice(['run', 'a.source.yaml'])
  expect(code).toBe(1)
  expect(err).toContain('response_actions: [{ status_code: 404')
  expect(err).not.toContain('responseActions')
})

describe('sluice doctor', () => {
  it('checks a destination step by step, and takes back what it wrote', async () => {
    const { code, out } = await sluice(['doctor', '--destination', 'filesystem'], {
      DESTINATION__FILESYSTEM__BUCKET_URL: join(folder, 'lake'),
    })
    expect(out).toMatch(/✓ storage +an object was written, read, listed and removed/)
    expect(out).toMatch(/✓ taking it back/)
    expect(code).toBe(0)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('ends with the first step that fails, and says what to do', async () => {
    const { code, out } = await sluice(['doctor', '--destination', 'postgres', '--json'], {
      DESTINATION__POSTGRES__CREDENTIALS: 'postgres://me:hunter2-secret@127.0.0.1:1/x',
    })
    expect(code).toBe(1)
    expect(out).not.toContain('hunter2-secret')
    const last = (JSON.parse(out) as { check: string; error?: { fix: string } }[]).at(-1)!
    expect(last).toMatchObject({
      check: 'driver and connection',
      error: { fix: 'start the server, or correct host and port' },
    })
  })
})
