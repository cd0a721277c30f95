import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { serve, simulation } from '../../src/testing/index.ts'
import { api, json } from '../support/api.ts'
import { sluice } from '../support/command-line.ts'
import { tiered } from '../support/effort.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs an example where its imports are found, in a folder of its own. */
async function runExample(code: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pages-'))
  const script = `${root}test/docs/.page-${process.pid}-${Date.now()}.ts`
  const resolved = code
    .replace(/'sluice\/sources\/(\w+)'/g, "'../../src/sources/chats/$1.ts'")
    .replace(/'sluice\/destinations\/(\w+)'/g, "'../../src/destinations/$1/$1.ts'")
    .replaceAll("'sluice'", "'../../src/index.ts'")
  writeFileSync(script, resolved)
  try {
    const all = { ...process.env, ...env, SLUICE_DATA_DIR: join(folder, 'data') }
    return (await run(process.execPath, [script], { cwd: folder, env: all })).stdout
  } finally {
    rmSync(script)
  }
}

const blocks = (path: string, language: string): string[] =>
  [...readFileSync(`${root}${path}`, 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1]!,
  )

for (const [platform, options] of tiered(['chatlio', 'chatbot', 'chaport', 'chatra', 'cliengo'], 1))
  it(`docs/sources/${platform}.md loads its platform`, options, async () => {
    const simulated = simulation(platform, { size: 5, seed: 1 })!
    const server = await serve(simulated)
    onTestFinished(() => server.close())
    const prefix = `SOURCES__${platform.toUpperCase()}_SOURCE__`
    const settings = Object.entries(simulated.settings).map(([key, ids]) => [
      prefix + key.toUpperCase(),
      JSON.stringify(ids),
    ])
    const [code] = blocks(`docs/sources/${platform}.md`, 'ts')
    const printed = await runExample(code!, {
      [`${prefix}BASE_URL`]: server.baseUrl,
      [prefix + simulated.secret[0].toUpperCase()]: simulated.secret[1],
      ...Object.fromEntries(settings),
    })
    expect(printed).toContain(`into dataset ${platform}_data`)
  })

it('docs/destinations.md: the factories are as shown', { tags: ['slow'] }, async () => {
  for (const code of blocks('docs/destinations.md', 'ts')) await runExample(code, {})
})

it('docs/rest.md: the source file runs', async () => {
  const target = await api((request, response, url) => {
    if (request.headers.authorization !== 'Bearer example-token') return json(response, {}, 401)
    if (url.pathname.endsWith('/comments')) return json(response, [{ id: 10, body: 'Hi' }])
    json(response, [{ id: 1, number: 7, updated_at: '2025-01-01T00:00:00Z', labels: [{ name: 'bug' }] }])
  })
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rest-'))
  const [yaml] = blocks('docs/rest.md', 'yaml')
  writeFileSync(join(folder, 'github.source.yaml'), yaml!.replace('https://api.github.com', target.baseUrl))
  const env = { SOURCES__GITHUB__GITHUB_TOKEN: 'example-token' }
  expect((await sluice(folder, ['source', 'lint', 'github.source.yaml'], env)).code).toBe(0)
  const { out } = await sluice(folder, ['run', 'github.source.yaml', '--json'], env)
  expect(JSON.parse(out).rows).toEqual({ issues: 1, issues__labels: 1, comments: 1 })
  expect(target.requests).toContain('GET /repos/octocat/hello-world/issues/7/comments')
})
