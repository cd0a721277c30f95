/** @module-tag engine */
/** The examples for notebooks, run as their readers would. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium as playwright } from 'playwright-core'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { run as demo } from '../../src/cli/commands/demo.ts'
import { installChromium } from '../support/chromium.ts'
import { installJupyter, installObservable } from './install.ts'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const examples = join(root, 'examples/notebooks')
const folder = mkdtempSync(join(tmpdir(), 'sluice-notebooks-'))
/** The Node of the tests, for what starts `node`. */
const env = {
  ...process.env,
  SLUICE_DATA_DIR: join(folder, 'data'),
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
}

beforeAll(async () => {
  process.env.SLUICE_DATA_DIR = env.SLUICE_DATA_DIR
  const before = process.cwd()
  process.chdir(folder)
  await demo([])
  process.chdir(before)
  // The examples import the package, as it is built.
  await execute('npm', ['run', 'build'], { cwd: root, env })
}, 300_000)

/** `sluice` as it is installed beside an example. */
function linkSluice(place: string): void {
  mkdirSync(join(place, 'node_modules'), { recursive: true })
  const link = join(place, 'node_modules', 'sluice')
  rmSync(link, { force: true })
  symlinkSync(root, link)
}

it('each cell of the notebook runs in Jupyter', { timeout: 300_000 }, async () => {
  const { python, kernels } = installJupyter()
  const place = join(folder, 'jupyter')
  cpSync(join(examples, 'jupyter'), place, { recursive: true })
  linkSluice(place)
  const jupyterEnv = {
    ...env,
    JUPYTER_PATH: kernels,
    JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
    DENO_DIR: join(folder, 'deno'),
  }
  const { stdout } = await execute(python, [join(import.meta.dirname, 'run-notebook.py'), 'chats.ipynb'], {
    cwd: place,
    env: jupyterEnv,
  })
  const outputs = JSON.parse(stdout) as { type: string; data?: Record<string, string | string[]> }[][]
  expect(outputs.flat().filter(({ type }) => type === 'error')).toEqual([])
  const texts = outputs.map((all) => all.flatMap(({ data = {} }) => Object.values(data).flat()).join(''))
  expect(texts[0]).toContain('chat_events')
  expect(texts[2]).toContain('Córdoba')
  expect(texts[3]).toContain('timestamp: Timestamp<MICROSECOND, UTC>')
  expect(texts[4]!.split('<rect ').length).toBeGreaterThan(4)
  expect(texts[5]).toContain('done')
})

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
}

it('the page of Observable Framework is built, and shows its charts', { timeout: 300_000 }, async () => {
  const installed = installObservable()
  linkSluice(installed)
  // Beside what is installed, where its imports find it.
  const place = join(installed, 'page')
  rmSync(place, { recursive: true, force: true })
  cpSync(join(examples, 'observable'), place, { recursive: true })
  const program = join(installed, 'node_modules/@observablehq/framework/dist/bin/observable.js')
  await execute(process.execPath, [program, 'build'], { cwd: place, env })
  const server = createServer((request, response) => {
    const path = join(
      place,
      'dist',
      decodeURIComponent(new URL(request.url!, 'http://127.0.0.1').pathname).replace(/\/$/, '/index.html'),
    )
    if (!existsSync(path)) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' })
    response.end(readFileSync(path))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await playwright.launch(await installChromium())
  onTestFinished(async () => {
    await browser.close()
    server.closeAllConnections()
    server.close()
  })
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
  await expect.poll(() => page.locator('svg rect').count()).toBeGreaterThan(10)
  expect(await page.locator('main').innerText()).toContain('Where visitors are')
  await expect.poll(() => page.locator('svg').filter({ hasText: 'Córdoba' }).count()).toBe(1)
})
