import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { addSecret } from '../../src/errors/index.ts'
import { compareRuns, pipeline, PipelineError, resource, secret, source } from '../../src/index.ts'
import { runCommand } from '../../src/cli/run-command.ts'
import { restSource } from '../../src/sources/rest/index.ts'
import { api, json } from '../support/api.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-history-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})
const loading = () => pipeline({ name: 'told', dataset: 'd', destination: duckdb({ path: join(folder, 't.duckdb') }) })

describe('the history of runs', () => {
  it('keeps what each did: rows, changes, packages, times', async () => {
    await loading().run([{ id: 1, l: [1, 2] }], { tableName: 't' })
    await loading().run([{ id: 2, more: 'x' }], { tableName: 't' })
    const [second, first] = loading().runs()
    expect(first).toMatchObject({
      status: 'done',
      pipeline: 'told',
      destination: 'duckdb',
      dataset: 'd',
      tables: { t: 1, t__l: 2 },
      resources: { t: { rows: 1, pages: 1 } },
      packages: [{ rows: 3, recovered: false, tables: [{ table: 't' }] }],
      command: { program: process.execPath, cwd: process.cwd() },
    })
    const path = join(loading().dataDir, 'runs', `${first!.id}.json`)
    const { settings: _s, bytes: _b, ...older } = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify(older))
    expect(loading().findRun(first!.id)).toMatchObject({ settings: [], bytes: {} })
    expect(Object.keys(first!.bytes)).toEqual(['t', 't__l'])
    expect(first!.bytes.t! + first!.bytes.t__l!).toBe(first!.packages[0]!.bytes)
    const [span] = first!.packages[0]!.tables!
    expect(span!.atMs).toBeGreaterThanOrEqual(first!.packages[0]!.sealedMs - 1)
    expect(first!.resources.t!.normalizeMs).toBeGreaterThanOrEqual(0)
    expect(first!.changes.map(({ table, created }) => [table, created])).toEqual([
      ['t', true],
      ['t__l', true],
    ])
    expect(second!.changes).toMatchObject([{ table: 't', created: false, columns: [{ name: 'more' }] }])
    expect(second!.packages[0]!.loadMs).toBeGreaterThanOrEqual(0)
    expect(second!.durationMs).toBeGreaterThanOrEqual(second!.packages[0]!.loadedMs!)
    expect(loading().findRun(first!.id.slice(0, 20))!.id).toBe(first!.id)
    expect(compareRuns(first!, second!).tables).toEqual([
      { name: 't', before: 1, after: 1 },
      { name: 't__l', before: 2, after: undefined },
    ])
  })

  it('keeps some requests whole, with what came from secrets masked', async () => {
    const target = await api((request, response, url) => {
      const page = Number(url.searchParams.get('page'))
      const headers = { 'set-cookie': 'session=cookie-secret', 'x-echo': String(request.headers.authorization) }
      if (page === 9) return json(response, { error: `no ${request.headers.authorization}` }, 400, headers)
      json(response, { data: [{ id: page, token: 'sk_history_1', long: 'x'.repeat(20_000) }] }, 200, headers)
    })
    process.env.SOURCES__KEPT__API_KEY = 'sk_history_1'
    const rest = () =>
      restSource({
        name: 'kept',
        client: { baseUrl: target.baseUrl, auth: { type: 'bearer', token: secret('api_key') } },
        resources: [
          {
            name: 'rows',
            endpoint: {
              path: 'rows',
              params: { access_token: 'param-secret', q: 'sk_history_1', page_token: 'next' },
              dataSelector: 'data',
              paginator: { type: 'page_number', basePage: 1, totalPath: null, maximumPage: 20 },
            },
          },
        ],
      })
    await expect(loading().run(rest())).rejects.toMatchObject({ code: 'HTTP_STATUS' })
    const [run] = loading().runs()
    expect(run!.settings).toEqual([{ name: 'SOURCES__KEPT__API_KEY', provider: 'environment' }])
    const requests = loading().requests(run!.id)
    expect(requests.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 400])
    const [kept] = requests
    expect(kept!.requestHeaders.Authorization ?? kept!.requestHeaders.authorization).toBe('***')
    expect(kept!.responseHeaders).toMatchObject({ 'set-cookie': '***', 'x-echo': 'Bearer ***' })
    expect(new URL(kept!.url).searchParams.get('page_token')).toBe('next')
    // Cut to so many characters as they came; what was masked in them is shorter.
    expect(kept!.responseBody.length).toBeLessThanOrEqual(16_384)
    expect(kept!.responseBody.length).toBeGreaterThan(16_000)
    expect(kept!.responseLength).toBeGreaterThan(20_000)
    expect(requests.at(-1)!.responseBody).toContain('no Bearer ***')
    for (const name of readdirSync(join(loading().dataDir, 'runs'))) {
      const text = readFileSync(join(loading().dataDir, 'runs', name), 'utf8')
      for (const secret of ['sk_history_1', 'param-secret', 'cookie-secret']) expect(text, name).not.toContain(secret)
    }
    process.env.RUNTIME__REQUEST_LOG = 'false'
    await expect(loading().run(rest())).rejects.toThrow()
    delete process.env.RUNTIME__REQUEST_LOG
    expect(loading().requests(loading().runs()[0]!.id)).toEqual([])
  })

  it('sums up requests, by resource and status, without what stands in their query', async () => {
    let refusals = 2
    const target = await api((_request, response, url) => {
      if (url.pathname === '/b' && refusals-- > 0) return json(response, {}, 503)
      json(response, [{ id: 1 }])
    })
    addSecret('query-secret-1')
    const rest = restSource({
      name: 's',
      client: { baseUrl: target.baseUrl },
      resources: [
        { name: 'a', endpoint: { path: 'a', params: { key: 'query-secret-1' } } },
        { name: 'b', endpoint: 'b' },
      ],
    })
    await loading().run(rest)
    const [run] = loading().runs()
    expect(run!.resources.a!.requests).toMatchObject({ 200: { count: 1 } })
    expect(run!.resources.b).toMatchObject({ retries: 2, requests: { 200: { count: 1 }, 503: { count: 2 } } })
    expect(run!.resources.b!.waitedMs).toBeGreaterThan(0)
    const kept = readdirSync(join(loading().dataDir, 'runs')).map((name) =>
      readFileSync(join(loading().dataDir, 'runs', name), 'utf8'),
    )
    expect(kept.join('')).not.toContain('query-secret-1')
  })

  it('keeps a failure with its cause and its fix', async () => {
    const breaks = resource('t', () => {
      throw new PipelineError('no', { code: 'WRONG_USE', fix: 'yes', cause: new Error('because') })
    })
    await expect(loading().run(source('s', [breaks]))).rejects.toThrow('no')
    expect(loading().runs()[0]).toMatchObject({
      status: 'failed',
      error: { code: expect.any(String), message: 'no', fix: 'yes' },
    })
  })

  it('takes any name for a name', async () => {
    await loading().run(source('s', [resource('__proto__', [{ id: 1 }]), resource('constructor', [{ id: 1 }])]))
    const [run] = loading().runs()
    expect(Object.keys(run!.resources).sort()).toEqual(['__proto__', 'constructor'])
    expect(Object.keys(run!.tables)).toHaveLength(2)
  })

  it('shows a run that goes on, and one whose process was killed', async () => {
    const script = join(folder, 'slow.ts')
    const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))
    writeFileSync(
      script,
      `import { pipeline, resource, source } from ${JSON.stringify(index)}
       const slow = resource('t', async function* () { for (let id = 0; ; id++) { yield [{ id }]; await new Promise((r) => setTimeout(r, 20)) } })
       await pipeline({ name: 'told', dataset: 'd', destination: 'duckdb' }).run(source('s', [slow]))`,
    )
    const env = { ...process.env, DESTINATION__DUCKDB__CREDENTIALS: join(folder, 'slow.duckdb') }
    const child = spawn(process.execPath, [script], { env, stdio: 'inherit' })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    const current = () => loading().runs()[0]
    await expect.poll(() => current()?.resources.t?.rows ?? 0).toBeGreaterThanOrEqual(20)
    expect(current()).toMatchObject({ status: 'running', pid: child.pid })
    child.kill('SIGKILL')
    await ended
    expect(current()!.status).toBe('died')
  })

  it('does not stop a run that it cannot be written for', async () => {
    const told: string[] = []
    const listen = (warning: Error): number => told.push(warning.message)
    process.on('warning', listen)
    const one = loading()
    await one.run([{ id: 1 }], { tableName: 't' })
    rmSync(join(one.dataDir, 'runs'), { recursive: true })
    writeFileSync(join(one.dataDir, 'runs'), 'not a folder')
    await one.run([{ id: 2 }], { tableName: 't' })
    await sleep(10)
    process.off('warning', listen)
    expect(told.join()).toContain('the history of this run is not kept')
  })

  it('is shown: runs, one of them, and what is other in it', async () => {
    process.env.DESTINATION__DUCKDB__CREDENTIALS = join(folder, 'cli.duckdb')
    const lines: string[] = []
    const { log } = console
    console.log = (text: string) => void lines.push(text)
    try {
      const cli = pipeline({ name: 'cli', dataset: 'd', destination: 'duckdb' })
      expect(await runCommand('pipeline', ['cli', 'runs'])).toBe(1)
      for (const id of [1, 2]) {
        const gone = resource('gone', id === 1 ? [{ id }] : [], { writeDisposition: 'replace', allowEmpty: true })
        await cli.run(source('cli', [resource('things', [{ id, l: id === 1 ? [1] : [] }]), gone]))
      }
      for (const action of ['runs', 'trace', 'compare']) expect(await runCommand('pipeline', ['cli', action])).toBe(0)
      expect(await runCommand('pipeline', ['cli', 'trace', 'nothing'])).toBe(2)
    } finally {
      console.log = log
      delete process.env.DESTINATION__DUCKDB__CREDENTIALS
    }
    const text = lines.join('\n')
    expect(text).toMatch(/ {2}gone +1 +0 {2}− emptied/)
    expect(text).toMatch(/cli: 2 runs\n\n {2}\d{8}T\d{9}-\w{4} {2}✓ done/)
    expect(text).toMatch(/ {2}things +━+ +\d+\.\d s +1 row/)
    expect(text).toMatch(/ {2}things__l +1 +— {2}−/)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })
})
