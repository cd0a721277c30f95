import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { serve, simulation } from '../../src/testing/index.ts'
import { readToolkits } from '../../src/workbench/toolkit.ts'
import { oneIn, someOf } from '../support/effort.ts'
import { installPackage, type Installed } from '../support/packed-package.ts'

// The package as a user has it: packed, installed into an empty project, called by npx.

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
let installed: Installed
beforeAll(async () => {
  installed = await installPackage()
}, 300_000)

it('the tarball holds nothing but what a user needs', () => {
  const needed = /^(dist\/|dashboard-page\/|toolkits\/|README\.md$|LICENSE$|package\.json$|source\.schema\.json$)/
  expect(installed.files.filter((path) => !needed.test(path))).toEqual([])
})

it('nothing runs when it is installed: neither it nor what it depends on has an install script', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
  const lock = JSON.parse(readFileSync(join(installed.folder, 'node_modules/.package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const packages = Object.entries(lock.packages)
  expect(packages.length).toBeGreaterThan(5)
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([name]) => name)).toEqual([])
})

it(
  'docs/production.md leads from nothing to a schedule that is watched',
  { tags: ['slow'], timeout: 180_000 },
  async () => {
    const { cwd, env } = project('from-nothing')
    writeFileSync(join(cwd, 'package.json'), '{ "private": true, "type": "module" }')
    const text = readFileSync(join(root, 'docs/production.md'), 'utf8')
    const section = /## From nothing[^]*?(?=\n## )/.exec(text)![0]
    const [first, second] = [...section.matchAll(/```sh\n([^]*?)```/g)].map((match) => match[1]!)
    const jobs = /```ts\n([^]*?)```/.exec(section)![1]!
    const simulated = simulation('chatra', { size: 5, seed: 1 })!
    const api = await serve(simulated)
    onTestFinished(() => api.close())
    const told: string[] = []
    const slack = createServer((request, response) => {
      request.on('data', (part: Buffer) => told.push(part.toString()))
      request.on('end', () => response.end('ok'))
    })
    await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void slack.close())
    // What a person types in, and what the package manager does, are there already.
    const given = {
      ...env,
      SOURCES__CHATRA_SOURCE__API_KEY_PAIR: simulated.secret[1],
      SOURCES__CHATRA_SOURCE__BASE_URL: api.baseUrl,
      ALERTS__SLACK_URL: `http://127.0.0.1:${(slack.address() as AddressInfo).port}`,
    }
    const commands = (block: string): string[] =>
      block
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, ''))
        .filter((line) => line !== '' && !/^npm install|secrets set/.test(line))
    const said: Record<string, string> = {}
    for (const block of [first!, second!]) {
      for (const command of commands(block)) {
        const local = command.replace(/^npx /, 'npx --no-install ')
        said[command] = (await shell(local, { cwd, env: given })).stdout
      }
      writeFileSync(join(cwd, 'sluice.jobs.ts'), jobs)
    }
    expect(said['npx sluice run chatra_pipeline.ts']).toContain('chatra_pipeline')
    expect(said['npx sluice schedule list']).toMatch(/chats +every 1h/)
    expect(told.join('')).toContain('a test')
    expect(existsSync(join(cwd, 'compose.sluice.yaml'))).toBe(true)
    expect(Object.keys(said)).toHaveLength(7)
  },
)

it('works as a library, and as npx sluice', async () => {
  const { folder, env } = installed
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
  const library = await run(process.execPath, ['load.mjs'], { cwd: folder, env })
  expect(JSON.parse(library.stdout)).toEqual({ rows: 3, rest: 'function' })
  const version = await run('npx', ['--no-install', 'sluice', '--version'], { cwd: folder, env })
  expect(version.stdout.trim()).toMatch(/^\d+\.\d+\.\d+/)

  const program = join(folder, 'node_modules/sluice/dist/cli/main.js')
  const dashboard = spawn(process.execPath, [program, 'dashboard', '--json', '--no-open'], { cwd: folder, env })
  onTestFinished(() => void dashboard.kill())
  const { url } = JSON.parse(await printed(dashboard, /\}\s*$/)) as { url: string }
  const page = await (await fetch(url)).text()
  const script = /src="(\/assets\/[^"]+)"/.exec(page)![1]!
  expect((await fetch(new URL(script, url))).status).toBe(200)
  const headers = { authorization: `Bearer ${new URL(url).hash.slice(1)}` }
  expect(await (await fetch(new URL('/api/pipelines', url), { headers })).json()).toMatchObject([
    { name: 'chaport_pipeline' },
  ])
})

it('its demo loads all five platforms', { tags: ['slow'] }, async () => {
  const { cwd, env } = project('demo')
  const demo = await shell('npx --no-install sluice demo --size 10 --json', { cwd, env })
  expect(JSON.parse(demo.stdout)).toHaveLength(5)
})

async function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = ''
  child.stdout!.on('data', (part: Buffer) => (text += part.toString()))
  await expect.poll(() => text).toMatch(pattern)
  return text
}

/** An empty project beside, with the package that is installed. */
function project(name: string): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = join(installed.folder, name)
  mkdirSync(cwd)
  symlinkSync(join(installed.folder, 'node_modules'), join(cwd, 'node_modules'))
  return { cwd, env: { ...installed.env, SLUICE_DATA_DIR: join(cwd, 'data') } }
}

/** A line of a terminal. */
const shell = (command: string, options: { cwd: string; env: NodeJS.ProcessEnv }) =>
  run('bash', ['-ec', command], { ...options, timeout: 120_000 })

describe('sluice init', { tags: ['slow'] }, () => {
  const projects = [
    ...platformNames.map((name) => [name, 'postgres']),
    ['shop', 'duckdb'],
    ['chatra', 'databricks'],
    ['shop', 'filesystem'],
  ]
  it.each(oneIn(3, projects))(
    'writes a project for %s into %s whose test passes at once',
    async (source, destination) => {
      const at = project(`init-${source}-${destination}`)
      const { stdout } = await shell(`npx sluice init ${source} ${destination}`, at)
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
      // What it says to run next loads to where it was asked to.
      if (source === 'shop') expect(stdout).toContain(`run shop.source.yaml --destination ${destination}`)
      const { stdout: tested } = await shell('npm test', at)
      expect(tested).toMatch(/pass 1\b/)
      expect(readFileSync(join(at.cwd, '.sluice', 'secrets.toml'), 'utf8')).toMatch(/= "<[\w ,]+>"/)
      // A second time, nothing that is there is written over.
      writeFileSync(join(at.cwd, 'README.md'), 'mine')
      await shell(`npx sluice init ${source} ${destination}`, at)
      expect(readFileSync(join(at.cwd, 'README.md'), 'utf8')).toBe('mine')
    },
  )

  it('makes a source file of an OpenAPI description; says what cannot be', async () => {
    const at = project('init-openapi')
    writeFileSync(join(at.cwd, 'shop.openapi.yaml'), openApi)
    await shell('npx sluice init shop.openapi.yaml && npx sluice source lint shop.source.yaml', at)
    expect(readFileSync(join(at.cwd, 'shop.source.yaml'), 'utf8')).toContain('path: visitors')
    for (const wrong of ['nothing at all', 'chatra nowhere', ''])
      await expect(shell(`npx sluice init ${wrong}`, at)).rejects.toMatchObject({ code: 2 })
  })
})

const openApi = `openapi: 3.1.0
info: { title: Shop, version: '1' }
servers: [{ url: 'https://shop.test/api/v1' }]
security: [{ bearer: [] }]
components: { securitySchemes: { bearer: { type: http, scheme: bearer } } }
paths:
  /visitors: { get: { responses: { '200': { description: ok, content: { application/json: { schema: { type: object, properties: { result: { type: array, items: { type: object, properties: { id: { type: string } } } } } } } } } } } }
  /operators: { get: { responses: { '200': { description: ok, content: { application/json: { schema: { type: object, properties: { result: { type: array, items: { type: object, properties: { id: { type: string } } } } } } } } } } } }
`

const sourceFile = `name: shop
client:
  base_url: { config: base_url }
  auth: { type: bearer, token: { secret: token } }
resource_defaults:
  primary_key: id
  write_disposition: merge
  endpoint: { data_selector: result }
resources:
  - operators
  - name: visitors
    endpoint: { path: visitors, paginator: { type: json_link, next_url_path: links.next } }
`

/** The project that the skills speak of: a source file `shop`, an OpenAPI file, and two runs. */
async function shop() {
  const simulated = simulation('chaport', { size: 60, seed: 1 })!
  const server = await serve(simulated)
  const at = { ...project('shop'), close: () => server.close() }
  Object.assign(at.env, {
    SOURCES__SHOP__BASE_URL: server.baseUrl,
    SOURCES__SHOP__TOKEN: simulated.secret[1],
    SOURCES__CHAPORT_SOURCE__BASE_URL: server.baseUrl,
    SOURCES__CHAPORT_SOURCE__TOKEN: simulated.secret[1],
  })
  writeFileSync(join(at.cwd, 'shop.source.yaml'), sourceFile)
  writeFileSync(join(at.cwd, 'shop.openapi.yaml'), openApi)
  writeFileSync(
    join(at.cwd, 'sluice.jobs.ts'),
    "import { every, job } from 'sluice/jobs'\nexport const shop = job({ run: 'shop.source.yaml', trigger: every('1h') })\n",
  )
  await shell('npx sluice ai init --agent claude', at)
  for (let times = 0; times < 2; times++) await shell('npx sluice run shop.source.yaml --limit 1', at)
  await shell('npx sluice schedule list && npx sluice schedule run shop', at)
  return at
}

/** Blocks of code in a language, without the space that a list puts before them. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^\\1\`\`\`$`, 'gm'))].map(([, space, block]) =>
    block!.replaceAll(new RegExp(`^${space}`, 'gm'), '').trim(),
  )

const skills = readToolkits().flatMap((toolkit) => [
  ...toolkit.skills.map(({ name, text }) => ({ name: `${toolkit.name}/${name}`, text })),
  ...toolkit.commands.map(({ name, text }) => ({ name: `${toolkit.name}/${name}`, text })),
])

describe('every command of a skill works as it stands', { tags: ['slow'] }, () => {
  let at: Awaited<ReturnType<typeof shop>>
  beforeAll(async () => {
    at = await shop()
  }, 120_000)
  afterAll(() => at.close())

  it.each(someOf(skills, 6))('$name', { timeout: 300_000 }, async ({ text }) => {
    const commands = blocks(text, 'sh')
    for (const command of commands) await shell(command, at)
    for (const [index, code] of blocks(text, 'ts').entries()) {
      writeFileSync(join(at.cwd, `example-${index}.ts`), code)
      await shell(`node example-${index}.ts`, at)
    }
    for (const file of blocks(text, 'yaml').filter((one) => one.startsWith('# '))) {
      const path = /^# (\S+)/.exec(file)![1]!
      writeFileSync(join(at.cwd, path), file)
      await shell(`npx sluice source lint ${path}`, at)
    }
  })

  it('and each skill has some', () => {
    expect(skills.filter(({ text }) => blocks(text, 'sh').length + blocks(text, 'ts').length === 0)).toEqual([
      // It only names the skill that has them.
      expect.objectContaining({ name: 'quick-start/sluice-start' }),
    ])
  })
})

describe('the workbench in a project', () => {
  it('is right by its own doctor, and by its own status', { tags: ['slow'] }, async () => {
    const at = project('doctor')
    await run('git', ['init', '-q'], { cwd: at.cwd })
    await shell('npx sluice ai init --agent claude,cursor,codex,vscode', at)
    await shell('npx sluice ai toolkit install rest-api-pipeline', at)
    const { stdout } = await shell('npx sluice ai doctor', at)
    expect(stdout).not.toContain('✗')
    expect(stdout).toMatch(/MCP server +starts, and answers/)
    const status = JSON.parse((await shell('npx sluice ai status --json', at)).stdout) as object
    expect(status).toMatchObject({ agents: ['claude', 'cursor', 'codex', 'vscode'], warnings: [] })
  })
})

describe('the page of a platform', { tags: ['slow'] }, () => {
  /** What cannot run here, with the reason. */
  const left = new Map([
    [/^npm install sluice$/, 'it is installed already, and the registry has no package of this name that is ours'],
    [/^npx sluice secrets set /, 'it asks a person at a terminal; tested on its own'],
  ])

  it.each(someOf(platformNames, 1))('docs/sources/%s.md: every command works', { timeout: 300_000 }, async (name) => {
    const text = readFileSync(`${root}docs/sources/${name}.md`, 'utf8')
    const at = project(`page-${name}`)
    const env = await simulator(name, text, at)
    Object.assign(at.env, env)
    for (const block of blocks(text, 'sh')) {
      for (const command of block.split('\n')) {
        if ([...left.keys()].some((pattern) => pattern.test(command)) || command.includes('source simulate')) continue
        await shell(command, at)
      }
    }
    // The table of the page is what these commands load.
    const [shown] = blocks(text, 'text').filter((block) => block.startsWith('table'))
    const { stdout } = await shell(`npx sluice pipeline ${name}_pipeline show --text`, at)
    expect(stdout).toContain(shown)
    rmSync(join(at.cwd, `${name}_pipeline.ts`))
    const [example, query] = blocks(text, 'ts')
    writeFileSync(join(at.cwd, `${name}_pipeline.ts`), example!)
    await shell(`node ${name}_pipeline.ts`, at)
    writeFileSync(join(at.cwd, 'query.ts'), query!)
    expect((await shell('node query.ts', at)).stdout).toContain('_dlt_id')
  })

  /** Starts the simulator by the command of the page, and takes over what it says to set. */
  async function simulator(name: string, text: string, at: { cwd: string; env: NodeJS.ProcessEnv }) {
    const command = blocks(text, 'sh').find((one) => one.includes('source simulate'))!
    const program = join(at.cwd, 'node_modules/sluice/dist/cli/main.js')
    const args = command.replace('npx sluice ', '').split(' ')
    const child = spawn(process.execPath, [program, ...args, '--json'], at)
    onTestFinished(async () => {
      child.kill()
      if (child.exitCode === null) await once(child, 'close')
    })
    const { environment } = JSON.parse(await printed(child, /\}\s*$/)) as { environment: Record<string, string> }
    expect(existsSync(program), name).toBe(true)
    return environment
  }
})
