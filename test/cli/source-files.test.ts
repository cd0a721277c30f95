import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { api, json } from '../support/api.ts'
import { sluice } from '../support/command-line.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})

interface Running {
  ended: Promise<{ code: number | null; out: string; err: string }>
  /** Resolves when the program has said something that matches. */
  said(pattern: RegExp): Promise<string>
}

function start(args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [main, 'source', ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const said = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(err)
      if (found !== null) return found[0]
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { said, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err }))) }
}
const source = (...args: string[]) => sluice(folder, ['source', ...args])
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

describe('sluice source from-openapi', () => {
  const netlify = join(
    dirname(createRequire(import.meta.url).resolve('@netlify/open-api/package.json')),
    'dist',
    'swagger.json',
  )

  it('writes a file and tells what it found', async () => {
    const { code, out } = await source('from-openapi', netlify)
    expect(code).toBe(0)
    expect(out).toMatch(/netlify\.source\.yaml: 57 resources from 181 operations/)
    expect(out).toMatch(/base URL {3}https:\/\/api\.netlify\.com\/api\/v1/)
    expect(widest(out)).toBeLessThanOrEqual(80)
    expect((await source('lint', 'netlify.source.yaml')).code).toBe(0)
  })

  it('does not overwrite, unless told to; takes a part; prints', async () => {
    writeFileSync(join(folder, 'netlify.source.yaml'), 'mine')
    const refused = await source('from-openapi', netlify)
    expect(refused.code).toBe(2)
    expect(readFileSync(join(folder, 'netlify.source.yaml'), 'utf8')).toBe('mine')
    const part = await source('from-openapi', netlify, '--only', '/accounts', '--output', '-')
    expect(part.out).toContain('path: accounts')
    expect(part.out).not.toContain('path: sites')
    const forced = await source('from-openapi', netlify, '--force', '--json')
    expect(JSON.parse(forced.out)).toMatchObject({ file: 'netlify.source.yaml', resources: 57, auth: 'bearer' })
  })
})

describe('sluice source lint', () => {
  it('tells everything at once, and shows no secret', async () => {
    writeFileSync(
      join(folder, 'bad.source.yaml'),
      `client:
  base_url: http://shop.test
  auth: { type: bearer, token: hunter2-hunter2 }
  rate_limits: { requests: 1 }
resources:
  - users
  - users
  - { name: posts, write_disposition: merge, endpoint: { path: "orgs/{org}/posts", method: POST } }
  - { name: comments, endpoint: { path: "posts/{resources.postss.id}/c", paginator: { type: cursr } } }
  - { name: deep, endpoint: { path: deep, auth: { type: magic } } }
`,
    )
    const { code, out } = await source('lint', 'bad.source.yaml')
    expect(code).toBe(1)
    for (const message of [
      /client\.rate_limits\n +is not known; did you mean "rate_limit"\?/,
      /"users" is the name of resources\[0\] too/,
      /\{org\} is not bound/,
      /there is no resource "postss"/,
      /did you mean "cursor"\?/,
      /resources\[4\]\.endpoint\.auth\.type/,
      /POST often writes/,
      /merge needs primary_key/,
      /stands in the file as it is/,
      /is not encrypted/,
      /asks for the same as resources\[0\]/,
      /append without incremental/,
    ]) {
      expect(out).toMatch(message)
    }
    expect(out).not.toContain('hunter2')
    expect(widest(out)).toBeLessThanOrEqual(80)
    const machine = await source('lint', 'bad.source.yaml', '--json')
    expect((JSON.parse(machine.out) as { findings: unknown[] }).findings.length).toBeGreaterThan(8)
  })

  it('finds circles', async () => {
    writeFileSync(
      join(folder, 'c.source.yaml'),
      'client: { base_url: https://a.test }\nresources:\n  - { name: a, endpoint: "a/{resources.b.id}" }\n  - { name: b, endpoint: "b/{resources.a.id}" }\n',
    )
    const { code, out } = await source('lint', 'c.source.yaml')
    expect(code).toBe(1)
    expect(out).toContain('in a circle')
  })
})

it('sluice source probe: one request each, what was inferred, and nothing left behind', async () => {
  const target = await api((_request, response, url) => {
    const items = [
      { id: 1, made: '2025-01-31T10:00:00Z' },
      { id: 2, made: '2025-01-31T10:00:00Z' },
    ]
    if (url.pathname === '/users') return json(response, { items, next_cursor: 'x' })
    if (url.pathname === '/unknown') return json(response, { items, has_more: true })
    if (url.pathname === '/users/1/posts') return json(response, [{ post: 1 }])
    json(response, { message: 'not here' }, 404)
  })
  writeFileSync(
    join(folder, 's.source.yaml'),
    `client: { base_url: "${target.baseUrl}" }
resources:
  - users
  - { name: posts, endpoint: "users/{resources.users.id}/posts" }
  - { name: below, endpoint: "below/{resources.posts.post}/x" }
  - unknown
  - missing
`,
  )
  const { code, out: printed } = await source('probe', 's.source.yaml')
  // Lines are folded to 80 characters.
  const out = printed.replace(/\s+/g, ' ')
  expect(code).toBe(1)
  expect(target.requests.toSorted()).toEqual([
    'GET /below/1/x',
    'GET /missing',
    'GET /unknown',
    'GET /users',
    'GET /users/1/posts',
  ])
  expect(out).toMatch(/✓ users 200 in/)
  expect(out).toMatch(/2 rows at items; paging: cursor \(cursorPath next_cursor, cursorParam cursor\), recognised/)
  expect(out).toMatch(/id bigint, made timestamp/)
  expect(out).toMatch(/✗ unknown.*2 rows at items; paging: unknown, there is a next page.*not how to get them/)
  expect(out).toMatch(/✗ missing 404/)
  expect(widest(printed)).toBeLessThanOrEqual(80)
  expect(readdirSync(join(folder, 'data', 'pipelines'))).toEqual([])
  const machine = await source('probe', 's.source.yaml', '--resources', 'users', '--json')
  expect(JSON.parse(machine.out)).toMatchObject([
    { resource: 'users', status: 200, rows: 2, rowsAt: 'items', detected: true },
  ])
})

it('sluice source login: a person agrees in a browser, and runs use the token', async () => {
  let challenge = ''
  const target = await api((request, response, url, body) => {
    if (url.pathname === '/token') {
      const form = new URLSearchParams(body)
      const verified =
        createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url') === challenge
      if (form.get('grant_type') === 'authorization_code') {
        return json(
          response,
          verified && form.get('code') === 'code-1234' ? { access_token: 'access-1', refresh_token: 'refresh-1' } : {},
          verified ? 200 : 400,
        )
      }
      const known = form.get('refresh_token') === 'refresh-1'
      return json(response, known ? { access_token: 'access-2', expires_in: 60 } : {}, known ? 200 : 400)
    }
    json(response, [{ id: 1 }], request.headers.authorization === 'Bearer access-2' ? 200 : 401)
  })
  // A port that is free now.
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  writeFileSync(
    join(folder, 's.source.yaml'),
    `client:
  base_url: ${target.baseUrl}
  auth:
    type: oauth2_authorization_code
    authorization_url: ${target.baseUrl}/authorize
    access_token_url: token
    client_id: { config: client_id }
    scope: read
    redirect_port: ${port}
resources: [items]
`,
  )
  const env = { SOURCES__S__CLIENT_ID: 'client-1' }
  const running = start(['login', 's.source.yaml'], env)
  const address = new URL(await running.said(/http\S+authorize\S+/))
  expect(Object.fromEntries(address.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'client-1',
    scope: 'read',
    code_challenge_method: 'S256',
  })
  challenge = address.searchParams.get('code_challenge')!
  const back = new URL(address.searchParams.get('redirect_uri')!)
  // A page that does not know the state is not listened to.
  await fetch(`${back.href}?code=evil&state=guess`)
  back.searchParams.set('code', 'code-1234')
  back.searchParams.set('state', address.searchParams.get('state')!)
  expect(await (await fetch(back)).text()).toContain('logged in')
  const { code, err } = await running.ended
  expect(err).toContain('logged in')
  expect(code).toBe(0)
  expect(existsSync(join(folder, 'data', 'tokens'))).toBe(true)
  const probed = await sluice(folder, ['source', 'probe', 's.source.yaml'], env)
  expect(probed.code).toBe(0)
})

it('sluice source probe: a selector that matches nothing, and paging that ends too early', async () => {
  const items = [{ id: 1 }, { id: 2 }]
  const target = await api((_request, response, url) => {
    if (url.pathname === '/link') return json(response, { items, paging: { next: '/link?page=2' } })
    if (url.pathname === '/total') return json(response, { items, total: 40 })
    json(response, { result: { users: items }, tags: [], next: null })
  })
  const file = `client: { base_url: "${target.baseUrl}" }
resources:
  - { name: link, endpoint: { path: link, paginator: single_page } }
  - { name: total, endpoint: { path: total, paginator: { type: json_link, next_url_path: links.next } } }
  - { name: users, endpoint: { path: users, data_selector: data.users, paginator: { type: json_link, next_url_path: next } } }
  - { name: good, endpoint: { path: users, data_selector: result.users } }
`
  writeFileSync(join(folder, 'p.source.yaml'), file)
  const { code, out: printed } = await source('probe', 'p.source.yaml')
  const out = printed.replace(/\s+/g, ' ')
  expect(code).toBe(1)
  expect(out).toMatch(/✗ link .*"paging.next" is "\/link\?page=2"/)
  expect(out).toMatch(/✗ total .*"total" is 40 but the page has 2 rows/)
  expect(out).toMatch(/✗ users .*"data.users" matches nothing in the response fix: .*: result.users, tags/)
  expect(out).toMatch(/✓ good/)
  expect(widest(printed)).toBeLessThanOrEqual(80)
  const machine = await source('probe', 'p.source.yaml', '--json')
  expect((JSON.parse(machine.out) as { ok: boolean }[]).map(({ ok }) => ok)).toEqual([false, false, false, true])
})
