import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

it('the packed tarball works from an empty folder, as library and as npx sluice', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pack-'))
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
  const [{ filename, files }] = firstJson(packed.stdout) as [{ filename: string; files: { path: string }[] }]
  // Nothing but what a user needs is in it.
  expect(
    files
      .map((file) => file.path)
      .filter(
        (path) => !/^(dist\/|dashboard-page\/|README\.md$|LICENSE$|package\.json$|source\.schema\.json$)/.test(path),
      ),
  ).toEqual([])
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder })

  writeFileSync(
    join(folder, 'load.mjs'),
    `import { pipeline } from 'sluice'
import { restSource } from 'sluice/rest'
import { duckdb } from 'sluice/destinations/duckdb'
import { chaport } from 'sluice/sources/chaport'
import { serve, simulation } from 'sluice/testing'
const simulated = simulation('chaport', { size: 3, seed: 1 })
const server = await serve(simulated)
process.env.SOURCES__CHAPORT_SOURCE__TOKEN = simulated.secret[1]
const chats = pipeline({ name: 'chaport_pipeline', destination: duckdb({ path: 'chats.duckdb' }), dataset: 'chaport_data' })
const info = await chats.run(chaport({ baseUrl: server.baseUrl }))
await server.close()
console.log(JSON.stringify({ rows: info.rows.visitors, rest: typeof restSource }))
`,
  )
  const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data') }
  const library = await run(process.execPath, ['load.mjs'], { cwd: folder, env })
  expect(JSON.parse(library.stdout)).toEqual({ rows: 3, rest: 'function' })
  const version = await run('npx', ['--no-install', 'sluice', '--version'], { cwd: folder, env })
  expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+/)
  const demo = await run('npx', ['--no-install', 'sluice', 'demo', '--size', '10', '--json'], { cwd: folder, env })
  expect(JSON.parse(demo.stdout)).toHaveLength(5)

  const program = join(folder, 'node_modules/sluice/dist/cli/main.js')
  const dashboard = spawn(process.execPath, [program, 'dashboard', '--json', '--no-open'], { cwd: folder, env })
  onTestFinished(() => void dashboard.kill())
  let printed = ''
  dashboard.stdout.on('data', (part: Buffer) => (printed += part.toString()))
  await expect.poll(() => printed, { timeout: 30_000 }).toMatch(/\}\s*$/)
  const { url } = JSON.parse(printed) as { url: string }
  const page = await (await fetch(url)).text()
  const script = /src="(\/assets\/[^"]+)"/.exec(page)![1]!
  expect((await fetch(new URL(script, url))).status).toBe(200)
  const headers = { authorization: `Bearer ${new URL(url).hash.slice(1)}` }
  expect(await (await fetch(new URL('/api/pipelines', url), { headers })).json()).toHaveLength(6)
})

/** npm may print what its scripts say before the JSON. */
const firstJson = (text: string): unknown => JSON.parse(text.slice(text.search(/^\[/m)))
