import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, expect, onTestFinished } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../../src/index.ts'
import { startDashboard } from '../../src/dashboard/server.ts'
import { assistant, main } from '../support/assistant.ts'
import { api, json } from '../support/api.ts'
import { someOf } from '../support/effort.ts'
import { badInput } from './inputs.ts'
import { running } from '../support/running.ts'

const planted = 'planted+secret/0123456789=='
const password = 'planted-p@ss:w/rd#%'
/** As it is, in a URL, in a header of basic authentication, in JSON. */
const disguises = [planted, password].flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64'),
  JSON.stringify(secret).slice(1, -1),
])

/** What holds none of them. */
function expectClean(where: string, text: string): void {
  for (const secret of disguises) {
    const at = text.indexOf(secret)
    expect(at < 0 ? undefined : text.slice(Math.max(0, at - 100), at + 50), where).toBeUndefined()
  }
}

/** All files below a folder but the database, which holds what the API sent, and the secrets themselves. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^secrets\.toml$|\.duckdb/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

badInput(
  40,
  async () => {
    // An API that sends the key back wherever it can.
    const target = await api((request, response, url) => {
      const key = url.searchParams.get('api_key') ?? ''
      const echo = { 'x-your-key': key, 'set-cookie': `key=${encodeURIComponent(key)}` }
      if (url.pathname === '/items') return json(response, { data: [{ id: 1, note: `you are ${key}` }] }, 200, echo)
      json(response, { error: `the key ${key} (${encodeURIComponent(key)}) may not do ${request.url}` }, 403, echo)
    })
    const here = await assistant()
    const { folder, call } = here
    mkdirSync(join(folder, '.sluice'), { recursive: true })
    writeFileSync(join(folder, '.sluice', 'secrets.toml'), `[sources.shop]\napi_key = ${JSON.stringify(planted)}\n`, {
      mode: 0o600,
    })
    writeFileSync(
      join(folder, 'shop.source.yaml'),
      `client:
  base_url: "${target.baseUrl}"
  auth: { type: api_key, name: api_key, location: query, api_key: { secret: api_key } }
resources:
  - { name: items, endpoint: { path: items, data_selector: data } }
  - { name: broken, endpoint: { path: broken } }
`,
    )
    const dsn = (await running('postgres')).replace(/:\/\/([^:]+):.*@/, `://$1:${password}@`)
    const sluice = (...args: string[]): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [main, ...args], {
          cwd: folder,
          env: {
            ...process.env,
            HOME: folder,
            SLUICE_DATA_DIR: join(folder, 'data'),
            DESTINATION__POSTGRES__CREDENTIALS: dsn,
          },
        })
        let said = ''
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)))
        child.on('close', (code) => resolve(`${args.join(' ')} → ${code}\n${said}`))
      })
    const outputs = new Map<string, string>()
    const commands = [
      ['run', 'shop.source.yaml', '--resources', 'items', '--progress', 'json'],
      ['run', 'shop.source.yaml', '--progress', 'log', '--debug'],
      [
        'run',
        'shop.source.yaml',
        '--resources',
        'items',
        '--destination',
        'postgres',
        '--pipeline',
        'nowhere',
        '--debug',
      ],
      ['pipeline', 'shop', 'show'],
      ['pipeline', 'shop', 'trace'],
      ['pipeline', 'shop', 'info'],
      ['pipeline', 'nowhere', 'trace'],
      ['source', 'probe', 'shop.source.yaml'],
      ['secrets', 'list'],
      ['secrets', 'check'],
      ['doctor'],
    ]
    // The first three are looked at below.
    const tried = [...commands.slice(0, 3), ...someOf(commands.slice(3), 3)]
    for (const command of tried) outputs.set(command.join(' '), await sluice(...command))
    // It was used, and it was refused.
    expect(target.requests.some((request) => request.includes(encodeURIComponent(planted)))).toBe(true)
    expect(outputs.get(commands[0]!.join(' '))).toContain('→ 0')
    expect(outputs.get(commands[1]!.join(' '))).toMatch(/403/)
    expect(outputs.get(commands[2]!.join(' '))).toMatch(/password|authentication/)

    for (const [tool, args] of [
      ['list_runs', { pipeline_name: 'shop' }],
      ['run_summary', { pipeline_name: 'shop' }],
      ['explain_failure', { pipeline_name: 'shop' }],
      ['explain_failure', { pipeline_name: 'nowhere' }],
      ['read_requests', { pipeline_name: 'shop' }],
      ['preview_table', { pipeline_name: 'shop', table: 'items' }],
      ['secrets_list', {}],
      ['probe_source', { path: 'shop.source.yaml', resource: 'broken' }],
      ['get_pipeline_state', { pipeline_name: 'shop' }],
    ] as const) {
      outputs.set(`MCP ${tool} ${JSON.stringify(args)}`, JSON.stringify(await call(tool, args)))
    }

    const before = [process.cwd(), process.env.SLUICE_DATA_DIR] as const
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    process.chdir(folder)
    const dashboard = await startDashboard({ port: 0 })
    onTestFinished(async () => {
      await dashboard.close()
      process.chdir(before[0])
    })
    const url = new URL(dashboard.url())
    const asked = async (path: string): Promise<string> => {
      const answer = await fetch(new URL(path, url.origin), {
        headers: { authorization: `Bearer ${url.hash.slice(1)}` },
      })
      const text = await answer.text()
      outputs.set(`dashboard ${path} (${answer.status})`, text)
      return text
    }
    for (const pipeline of ['shop']) {
      const runs = JSON.parse(await asked(`/api/pipelines/${pipeline}/runs`)) as { id: string }[]
      expect(runs.length).toBeGreaterThan(0)
      for (const { id } of runs) {
        await asked(`/api/pipelines/${pipeline}/runs/${id}`)
        await asked(`/api/pipelines/${pipeline}/runs/${id}/requests`)
      }
      await asked(`/api/pipelines/${pipeline}/state`)
      await asked(`/api/pipelines/${pipeline}/packages`)
      await asked(`/api/pipelines/${pipeline}/schemas`)
    }
    await asked('/api/pipelines')

    for (const path of filesBelow(folder)) outputs.set(path, readFileSync(path, 'latin1'))
    expect(outputs.size).toBeGreaterThan(25)
    for (const [where, text] of outputs) expectClean(where, text)
  },
  180_000,
)

it('what is kept on this machine is for its user alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-modes-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  await pipeline({ name: 'modes', destination: duckdb({ path: join(folder, 'm.duckdb') }) }).run([{ id: 1 }], {
    tableName: 't',
  })
  for (const below of ['data', 'data/pipelines', 'data/pipelines/modes', 'data/pipelines/modes/packages']) {
    // What is in a closed folder is closed, whatever its own mode.
    expect((statSync(join(folder, below)).mode & 0o077).toString(8), below).toBe('0')
  }
  expect(filesBelow(join(folder, 'data')).length).toBeGreaterThan(2)
})
