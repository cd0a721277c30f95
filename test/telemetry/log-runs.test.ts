import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { restSource } from '../../src/sources/rest/index.ts'
import { logRuns, type Logger } from '../../src/telemetry/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const hidden = 'the-real-token-9876543210'
const people = (path: string) => (path === '/broken' ? { message: hidden } : [{ id: 1, name: 'somebody' }])

interface Line {
  level: number
  msg: string
  run?: string
}
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

it('logs what runs do, with the id of each, without a value or a secret', async () => {
  const target = await api((_request, response, url) =>
    json(response, people(url.pathname), url.pathname === '/broken' ? 404 : 200),
  )
  const source = (path: string) =>
    restSource({
      name: 'shop',
      client: { baseUrl: target.baseUrl, auth: { type: 'bearer', token: hidden }, paginator: 'single_page' },
      resources: [{ name: 'people', endpoint: { path, params: { key: 'of-the-query' } } }],
    })
  let text = ''
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const loading = freshPipeline('logged')
  const end = logRuns(loading, pino({ level: 'debug' }, sink) as unknown as Logger)
  await loading.run(source('people'))
  await loading.run(source('broken')).catch(() => undefined)
  end()
  await loading.run(source('people'))
  const lines = linesOf(text)
  expect(lines.map(({ msg }) => msg)).toEqual([
    'run started',
    'resource started',
    'request',
    'resource finished',
    'package loaded',
    'run finished',
    'run started',
    'resource started',
    'request',
    'run failed',
  ])
  const ids = loading.runs().map(({ id }) => id)
  expect(new Set(lines.map(({ run }) => run))).toEqual(new Set(ids.slice(1)))
  expect(lines[4]).toMatchObject({ level: 30, pipeline: 'logged', rows: { people: 1 } })
  expect(lines.at(-1)).toMatchObject({ level: 50, code: 'HTTP_STATUS', fix: expect.any(String) })
  expect(text).not.toMatch(/the-real-token|of-the-query|somebody/)
})

it('sluice run --progress json logs to stderr', { tags: ['slow'] }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-logs-'))
  const target = await api((_request, response, url) => json(response, people(url.pathname)))
  writeFileSync(
    join(folder, 'shop.source.yaml'),
    `name: shop\nclient: { base_url: '${target.baseUrl}' }\nresources:\n  - { name: people, endpoint: { path: people, paginator: single_page } }\n`,
  )
  const run = async (env: NodeJS.ProcessEnv): Promise<{ code: number; said: string }> => {
    const child = spawn(process.execPath, [main, 'run', 'shop.source.yaml', '--progress', 'json'], {
      cwd: folder,
      env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...env },
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    return { code, said }
  }
  const { code, said } = await run({})
  expect(code).toBe(0)
  expect(linesOf(said).map(({ msg }) => msg)).toContain('run finished')
  expect(linesOf(said).map(({ msg }) => msg)).not.toContain('request')
  expect(linesOf((await run({ LOG_LEVEL: 'debug' })).said).map(({ msg }) => msg)).toContain('request')
  expect((await run({ LOG_LEVEL: 'loud' })).code).toBe(2)
})
