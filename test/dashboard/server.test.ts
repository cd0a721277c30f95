import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { startDashboard } from '../../src/dashboard/server.ts'
import { attach } from '../../src/index.ts'
import { refusal } from '../../src/loopback/guards.ts'
import { emptyTarget } from '../support/destinations.ts'
import { randomFrom } from '../support/seed.ts'

async function opened() {
  const { target, dataset } = await emptyTarget('duckdb')
  await target.run([{ id: 1, name: 'a', items: [{ n: 1 }, { n: 2 }] }, { id: 2 }], { tableName: 't' })
  const dashboard = await startDashboard({ port: 0 })
  onTestFinished(() => dashboard.close())
  const url = new URL(dashboard.url())
  const token = url.hash.slice(1)
  url.hash = ''
  const ask = (path: string, options: { headers?: Record<string, string>; method?: string; body?: string } = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options
      const asked = httpRequest(
        { host: '127.0.0.1', port: url.port, path, method, headers: { authorization: `Bearer ${token}`, ...headers } },
        async (response) => {
          const parts: Buffer[] = []
          for await (const part of response) parts.push(part as Buffer)
          resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(parts).toString() })
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
  const json = async (path: string, body?: unknown) =>
    JSON.parse((await ask(path, body === undefined ? {} : { body: JSON.stringify(body) })).text)
  return { target, dataset, ask, json, url, token }
}

it('answers nobody but the page of this machine', async () => {
  const { ask, url } = await opened()
  const status = async (headers: Record<string, string>) => (await ask('/api/pipelines', { headers })).status
  expect(await status({})).toBe(200)
  expect(await status({ authorization: '' })).toBe(403)
  expect(await status({ authorization: 'Bearer 0123456789abcdef0123456789abcdef' })).toBe(403)
  // A name of somebody else that leads here.
  expect(await status({ host: `evil.example:${url.port}` })).toBe(403)
  expect(await status({ host: `localhost:${url.port}` })).toBe(200)
  expect(await status({ origin: 'http://evil.example' })).toBe(403)
  expect(await status({ origin: 'null' })).toBe(403)
  expect(await status({ origin: `http://127.0.0.1:${Number(url.port) + 1}` })).toBe(403)
  expect(await status({ origin: `http://127.0.0.1:${url.port}` })).toBe(200)
  expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403)
  // The page itself holds no data, but is not given out under foreign names either.
  expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(403)
})

it('tells the browser to trust nothing but itself', async () => {
  const { ask } = await opened()
  const { headers, text } = await ask('/p/test/data/t')
  const policy = String(headers['content-security-policy'])
  const nonce = /'nonce-([\w-]+)'/.exec(policy)![1]!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(text).toContain(`content="${nonce}"`)
  expect(text).not.toContain('__NONCE__')
  expect(text).not.toMatch(/https?:\/\//)
  expect(headers['x-content-type-options']).toBe('nosniff')
  const again = String((await ask('/')).headers['content-security-policy'])
  expect(again).not.toContain(nonce)
})

it('sends the files of its page and no others', async () => {
  const { ask } = await opened()
  const script = /src="(\/assets\/[^"]+\.js)"/.exec((await ask('/')).text)![1]!
  const file = await ask(script)
  expect(file).toMatchObject({ status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  expect(String(file.headers['cache-control'])).toContain('immutable')
  for (const path of ['/assets/..%2f..%2f..%2fpackage.json', '/assets/../../../package.json', '/assets/nothing.js']) {
    const { status, text } = await ask(path)
    expect(text).not.toContain('"devDependencies"')
    expect(status === 404 || text.includes('<div id="app">'), path).toBe(true)
  }
  expect((await ask('/', { method: 'PUT' })).status).toBe(405)
  expect((await ask('/api/pipelines', { method: 'DELETE' })).status).toBe(404)
})

it('keeps its token for this user, from start to start', async () => {
  const { token } = await opened()
  const path = join(process.env.SLUICE_DATA_DIR!, 'dashboard.token')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const again = await startDashboard({ port: 0 })
  onTestFinished(() => again.close())
  expect(again.url('/p/x')).toMatch(new RegExp(`/p/x#${token}$`))
})

it('has one token, however many servers start at the same time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tokens-'))
  const servers = 3
  const waiting = new SharedArrayBuffer(4)
  // Each thread waits for the others, so that all of them find no token.
  const program = `
    const { parentPort, workerData: { guards, folder, servers, waiting } } = require('node:worker_threads')
    import(guards).then(({ accessToken }) => {
      const ready = new Int32Array(waiting)
      Atomics.add(ready, 0, 1)
      Atomics.notify(ready, 0)
      for (let here; (here = Atomics.load(ready, 0)) < servers; ) Atomics.wait(ready, 0, here)
      parentPort.postMessage(Array.from({ length: 50 }, (_, at) => accessToken(folder, 'server' + at).value))
    })`
  const guards = new URL('../../src/loopback/guards.ts', import.meta.url).href
  const workerData = { guards, folder, servers, waiting }
  const all = await Promise.all(
    Array.from({ length: servers }, async () => {
      const worker = new Worker(program, { eval: true, workerData })
      onTestFinished(() => void worker.terminate())
      const [values] = (await once(worker, 'message')) as [string[]]
      return values
    }),
  )
  const kept = all[0]!.map((_, at) => readFileSync(join(folder, `server${at}.token`), 'utf8'))
  expect(all).toEqual(Array.from({ length: servers }, () => kept))
  expect(readdirSync(folder)).toHaveLength(kept.length)
})

it('its token expires, and is replaced in time or when that is asked for', async () => {
  const { token, url } = await opened()
  const path = join(process.env.SLUICE_DATA_DIR!, 'dashboard.token')
  const started = async (options: { renewsToken?: boolean } = {}) => {
    const dashboard = await startDashboard({ port: 0, ...options })
    onTestFinished(() => dashboard.close())
    return new URL(dashboard.url()).hash.slice(1)
  }
  const writtenDaysAgo = (days: number) => utimesSync(path, new Date(), new Date(Date.now() - days * 86_400_000))
  writtenDaysAgo(20)
  expect(await started()).toBe(token)
  // A week of life is left; a server that starts now must not stop before that.
  writtenDaysAgo(23)
  const second = await started()
  expect(second).not.toBe(token)
  expect(await started({ renewsToken: true })).not.toBe(second)
  expect(readFileSync(path, 'utf8')).not.toContain(second)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  // A clock that was wrong makes no token that lasts for years.
  writtenDaysAgo(-400)
  expect(await started()).not.toBe(second)
  const asked = { headers: { host: url.host, authorization: `Bearer ${token}` } } as unknown as IncomingMessage
  expect(refusal(asked, Number(url.port), { value: token, expiresAt: Date.now() + 60_000 })).toBeUndefined()
  expect(refusal(asked, Number(url.port), { value: token, expiresAt: Date.now() })).toContain('expired')
})

it('a path that cannot be read is a wrong request, never an error of the server', async () => {
  const { ask } = await opened()
  for (const path of ['/api/pipelines/%ff/runs', '/%ff', '//', '/api/pipelines/%/runs', '/api/%c0%af/x'])
    expect(await ask(path), path).toMatchObject({ status: 400, text: expect.stringContaining('WRONG_USE') })
  const random = randomFrom()
  const parts = [
    '%ff',
    '%',
    '%zz',
    '%00',
    '%2e%2e',
    '%2f',
    '..',
    '',
    '[',
    ':',
    '%f0%9f',
    'test',
    'runs',
    'tables',
    '__proto__',
  ]
  for (let left = 40; left > 0; left--) {
    const path = `/api/pipelines/${Array.from({ length: 4 }, () => parts[Math.floor(random() * parts.length)]).join('/')}`
    const { status, text } = await ask(path)
    expect(status, `${path}: ${text}`).toBeLessThan(500)
  }
})

it('says which port is taken, and takes another one when nobody asked for it', async () => {
  const { url } = await opened()
  await expect(startDashboard({ port: Number(url.port) })).rejects.toThrow(/--port/)
})

it('SQL there only reads', async () => {
  const { target, dataset, json } = await opened()
  const query = (sql: unknown) => json('/api/pipelines/test/query', { sql })
  expect(await query(`select id, name from ${dataset}.t order by id`)).toMatchObject({
    columns: [
      { name: 'id', dataType: 'bigint' },
      { name: 'name', dataType: 'text' },
    ],
    rows: [
      [1, 'a'],
      [2, null],
    ],
  })
  expect((await query(`drop table ${dataset}.t`)).error.code).toBe('READ_ONLY')
  expect((await query(`select 1; drop table ${dataset}.t`)).error.code).toBe('READ_ONLY')
  expect((await query('selec 1')).error).toMatchObject({
    code: 'QUERY_FAILED',
    message: expect.stringContaining('selec'),
  })
  expect((await query('')).error.code).toBe('WRONG_USE')
  expect((await query(17)).error.code).toBe('WRONG_USE')
  const many = await query('select range as n from range(1000000)')
  expect([many.rows.length, many.cut]).toEqual([10_000, 'rows'])
  expect((await query(`select repeat('x', 2000) as x from range(5000)`)).cut).toBe('bytes')
  const long = await query(`select repeat('x', 1000000) as x from range(20)`)
  expect([long.rows.length, long.cut]).toEqual([20, undefined])
  expect(long.rows[0][0]).toEqual({ text: 'x'.repeat(2000), length: 1_000_000 })
  expect(await target.dataset().table('t').count()).toBe(2)
})

it('exports all rows of a query', async () => {
  const { dataset, ask } = await opened()
  const exported = (sql: string, format: string) =>
    ask('/api/pipelines/test/export', { body: JSON.stringify({ sql, format }) })
  const csv = await exported(`select id, name from ${dataset}.t order by id`, 'csv')
  expect(csv.text).toBe('"id","name"\n1,"a"\n2,\n')
  expect(csv.headers['content-disposition']).toBe('attachment; filename="test.csv"')
  const many = await exported('select range as n from range(50000)', 'csv')
  expect(many.text.split('\n')).toHaveLength(50_002)
  // Nothing that a spreadsheet would run.
  const formulas = await exported(`select '=HYPERLINK("x")' as "=a", '@b' as b, '-5' as c, -5 as d, '-x' as e`, 'csv')
  expect(formulas.text).toBe(`"'=a","b","c","d","e"\n"'=HYPERLINK(""x"")","'@b","-5",-5,"'-x"\n`)
  const parquet = await exported('select 1 as n', 'parquet')
  expect(parquet.text.slice(0, 4)).toBe('PAR1')
  expect((await exported(`drop table ${dataset}.t`, 'csv')).text).toContain('READ_ONLY')
  expect((await exported('select 1', 'exe')).text).toContain('WRONG_USE')
})

it('tells rows, nested rows, profiles, schemas, state and packages', async () => {
  const { json, target } = await opened()
  const page = await json('/api/pipelines/test/tables/t/rows?order=id.desc&limit=1')
  expect(page).toMatchObject({ total: 2, children: [{ table: 't__items', counts: [0] }] })
  expect(page.rows[0][page.columns.findIndex((column: { name: string }) => column.name === 'id')]).toBe(2)
  const found = await json('/api/pipelines/test/tables/t/rows?column=name&is=%3D&value=a')
  expect(found).toMatchObject({ total: 1, children: [{ counts: [2] }] })
  expect(await json('/api/pipelines/test/tables/t/columns/id')).toMatchObject({
    rows: 2,
    nulls: 0,
    distinct: 2,
    min: 1,
    max: 2,
  })
  expect(await json('/api/pipelines/test/counts')).toEqual({ t: 2, t__items: 2 })
  // A resource that is called like a nested table is none.
  await target.run([{ id: 9 }], { tableName: 't__other' })
  expect((await json('/api/pipelines/test/tables/t/rows')).children).toMatchObject([{ table: 't__items' }])
  const tables = await json('/api/pipelines/test/tables')
  expect(tables.find((one: { name: string }) => one.name === 't__items')).toMatchObject({
    parent: 't',
    isSystem: false,
  })
  expect(await json('/api/pipelines/test/schemas')).toMatchObject([{ tables: 3 }, { tables: 2 }])
  expect(await json('/api/pipelines/test/packages')).toMatchObject([{ rows: 1 }, { state: 'loaded', rows: 4 }])
  expect((await json('/api/pipelines/test/tables/none/rows')).error.code).toBe('QUERY_FAILED')
  expect((await json('/api/pipelines/none/tables')).error.code).toBe('PIPELINE_UNKNOWN')
  expect((await json('/api/pipelines/..%2f..%2fetc/tables')).error).toBeDefined()
})

it('a page of a table has 500 rows at most, whatever is asked for', async () => {
  const { json, target } = await opened()
  const rows = Array.from({ length: 600 }, (_, n) => ({ n }))
  await target.run(rows, { tableName: 'many' })
  const page = await json('/api/pipelines/test/tables/many/rows?limit=1000000')
  expect([page.rows.length, page.total]).toEqual([500, 600])
})

it('actions are done, and told when they cannot be', async () => {
  const { json, target, ask } = await opened()
  expect(await json('/api/pipelines/test/actions/drop-pending-packages', {})).toEqual({ dropped: [] })
  expect((await json('/api/pipelines/test/actions/format', {})).error.code).toBe('WRONG_USE')
  expect((await ask('/api/pipelines/test/actions/drop', { method: 'GET' })).status).toBe(404)
  expect((await ask('/api/pipelines/test/actions/sync', { body: '[1]' })).text).toContain('no JSON object')
  expect((await ask('/api/pipelines/test/query', { body: `{"sql":"${'x'.repeat(2_000_000)}"}` })).text).toContain(
    '1 MiB',
  )
  expect(attach(target.name).runs(1)[0]!.status).toBe('done')
})
