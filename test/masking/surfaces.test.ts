import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startDashboard } from '../../src/dashboard/server.ts'
import { api, json } from '../support/api.ts'
import { assistantHere } from '../support/assistant.ts'
import { sluice } from '../support/command-line.ts'
import { effort } from '../support/effort.ts'
import { randomFrom, seed } from '../support/seed.ts'
import { base64, escapes } from './encodings.ts'

const random = randomFrom(seed)
const below = (n: number): number => Math.floor(random() * n)
const one = <T>(items: readonly T[]): T => items[below(items.length)]!
const secretOf = (name: string): string => {
  const letters = [...'ABCxyz019+/=-_%"\\&#:@']
  return `${name}7${Array.from({ length: 12 + below(20) }, () => one(letters)).join('')}q`
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** What a command prints in a process of its own, which may fail. */
const ownProcess = (folder: string, args: string[]): Promise<string> =>
  new Promise((resolve) => {
    const env = { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') }
    execFile(process.execPath, [main, ...args], { cwd: folder, env }, (_error, out, err) => resolve(out + err))
  })

/** Whether a text holds a secret in any spelling, or the greater part of it in Base64. */
function shows(text: string, secret: string): boolean {
  if (escapes.some(({ encode }) => text.includes(encode(secret)) || text.includes(encode(encode(secret))))) return true
  return base64.some(({ encode }) =>
    ['', '.', '..'].some((before) => text.includes(encode(before + secret).slice(4, -8))),
  )
}

interface Kind {
  name: string
  auth: string
  /** In `secrets.toml`. */
  given: readonly string[]
  /** By the API. */
  granted: readonly string[]
}

const kinds: readonly Kind[] = [
  {
    name: 'client credentials',
    auth: '{ type: oauth2_client_credentials, access_token_url: "BASE/token" }',
    given: ['client_id', 'client_secret'],
    granted: ['access_token', 'refresh_token', 'id_token', 'deep'],
  },
  {
    name: 'refresh token',
    auth: '{ type: oauth2_refresh_token, access_token_url: "BASE/token" }',
    given: ['client_id', 'client_secret', 'refresh_token'],
    granted: ['access_token', 'id_token', 'deep'],
  },
  {
    name: 'session in a header',
    auth: '{ type: session, url: "BASE/token", token_header: x-plain, send_as: header, name: X-Plain, json: { login: { secret: login }, word: { secret: word } } }',
    given: ['login', 'word'],
    granted: ['header', 'cookie'],
  },
  { name: 'basic', auth: '{ type: http_basic }', given: ['username', 'password'], granted: [] },
  {
    name: 'key in a plain header',
    auth: '{ type: api_key, name: X-Plain, api_key: { secret: my_key } }',
    given: ['my_key'],
    granted: [],
  },
]

/** An API that grants tokens, and sends back what it gets in its headers, spelled as servers do. */
async function echoing(granted: ReadonlyMap<string, string>) {
  const sent = new Set<string>()
  const said = (request: IncomingMessage, body: string): string => {
    const headers = ['authorization', 'x-plain', 'x-more'].flatMap((name) => request.headers[name] ?? [])
    for (const value of headers.flat()) sent.add(value)
    return [...headers.flat(), body].map((text) => one([...escapes, ...base64]).encode(text)).join(' ')
  }
  const target = await api((request, response, url, body) => {
    if (url.pathname === '/token') {
      const { header, cookie, deep, ...tokens } = Object.fromEntries(granted)
      const headers =
        header === undefined ? {} : { 'x-plain': header, 'set-cookie': `sid=${encodeURIComponent(cookie!)}` }
      return json(response, { ...tokens, data: [{ session_token: deep }], expires_in: 3600 }, 200, headers)
    }
    // A header of HTTP holds no line end.
    const echo = said(request, body)
    const headers = { 'x-echo': echo.replaceAll(/[^ -~]/g, ' ') }
    if (url.pathname === '/items') return json(response, { data: [{ id: 1 }], note: echo }, 200, headers)
    json(response, { message: `cannot accept ${echo}`, token: 'not-planted' }, 403, headers)
  })
  return { target, sent }
}

const filesBelow = (folder: string): string[] =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(
          (entry) =>
            entry.isFile() && !/^secrets\.toml$|\.duckdb/.test(entry.name) && !entry.parentPath.endsWith('tokens'),
        )
        .map((entry) => join(entry.parentPath, entry.name))

describe('no surface shows a secret that was given or granted', () => {
  for (const kind of kinds)
    for (let round = 0; round < effort(1, 4); round++)
      it(
        `${kind.name}, ${round}`,
        { tags: kind === kinds[(seed + round) % kinds.length] ? [] : ['slow'] },
        async () => {
          const given = new Map(kind.given.map((name) => [name, secretOf('G')]))
          const granted = new Map(kind.granted.map((name) => [name, secretOf('T').replaceAll(/["\\:]/g, 'v')]))
          const more = secretOf('M')
          const { target, sent } = await echoing(granted)
          const here = await assistantHere()
          const { folder, call } = here
          mkdirSync(join(folder, '.sluice'))
          const settings = [...given, ['more', more]].map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
          writeFileSync(join(folder, '.sluice', 'secrets.toml'), `[sources.shop]\n${settings.join('\n')}\n`)
          const address = target.baseUrl.replace('//', '//planted-user:planted-word@')
          writeFileSync(
            join(folder, 'shop.source.yaml'),
            `client:
  base_url: "${kind.name === 'basic' ? address : target.baseUrl}"
  auth: ${kind.auth.replace('BASE', target.baseUrl)}
resources:
  - { name: items, endpoint: { path: items, data_selector: data, headers: { X-More: { secret: more } } } }
  - { name: broken, endpoint: { path: broken, method: POST, json: { a: { key: { secret: more } } } } }
`,
          )
          const seen = new Map<string, string>()
          for (const args of [
            ['run', 'shop.source.yaml', '--resources', 'items', '--progress', 'log'],
            ['run', 'shop.source.yaml', '--progress', 'log', '--debug'],
            ['pipeline', 'shop', 'trace'],
            ['pipeline', 'shop', 'requests', '--json'],
            ['source', 'docs', 'shop.source.yaml'],
            ['source', 'list'],
            ['source', 'lint', 'shop.source.yaml'],
          ]) {
            const { code, out, err } = await sluice(folder, args)
            seen.set(args.join(' '), out + err)
            if (args[2] === '--resources') expect(code, out + err).toBe(0)
            if (args.includes('--debug')) expect(out + err).toContain('answered 403')
          }
          // Its lines go to the file descriptor, past this process.
          const logged = await ownProcess(folder, ['run', 'shop.source.yaml', '--progress', 'json'])
          expect(logged).toContain('"msg":"run failed"')
          seen.set('--progress json', logged)
          // What was looked up was sent as it is, not as an object.
          expect([...sent].some((value) => value.includes(more))).toBe(true)
          for (const [tool, args] of [
            ['read_requests', { pipeline_name: 'shop' }],
            ['explain_failure', { pipeline_name: 'shop' }],
            ['search_sources', {}],
            ['get_source_docs', { source: 'shop.source.yaml' }],
            ['probe_source', { path: 'shop.source.yaml' }],
          ] as const)
            seen.set(tool, (await call(tool, args)).text)
          const dashboard = await startDashboard({ port: 0 })
          onTestFinished(() => dashboard.close())
          const url = new URL(dashboard.url())
          const headers = { authorization: `Bearer ${url.hash.slice(1)}` }
          const asked = async (path: string): Promise<string> => {
            const text = await (await fetch(new URL(path, url.origin), { headers })).text()
            seen.set(path, text)
            return text
          }
          for (const { id } of JSON.parse(await asked('/api/pipelines/shop/runs')) as { id: string }[]) {
            await asked(`/api/pipelines/shop/runs/${id}`)
            await asked(`/api/pipelines/shop/runs/${id}/requests`)
          }
          for (const path of filesBelow(join(folder, 'data'))) seen.set(path, readFileSync(path, 'utf8'))
          expect(seen.size).toBeGreaterThan(15)
          // A field by its name alone.
          expect([...seen.values()].join('\n')).toContain('\\"token\\":\\"***')
          for (const [where, text] of seen) {
            for (const [name, secret] of [...given, ...granted, ['more', more]] as const)
              expect(shows(text, secret), `${where} shows ${name} ${secret}: ${text}`).toBe(false)
            expect(text, where).not.toContain('planted-word')
          }
        },
      )
})
