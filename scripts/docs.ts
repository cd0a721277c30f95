/**
 * Writes what the documentation has from the code: a page of each platform, its HTML twin, and `llms.txt`. `npm run docs`; with
 * `--check` only compares. The tables that pages show come from simulators.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { platformNames } from '../src/sources/chats/registry.ts'
import { serve, simulation } from '../src/sources/simulators/index.ts'
import { html, markdown } from '../src/workbench/document.ts'
import { llmsText, type IndexedPage } from '../src/workbench/llms-text.ts'
import { sourceFacts, sourcePage } from '../src/workbench/source-page.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const docs = fileURLToPath(new URL('../docs/', import.meta.url))

/** What `sluice pipeline … show` prints after a load from `sluice source simulate … --size 20`. */
async function sample(name: string): Promise<string> {
  const simulated = simulation(name, { size: 20, seed: 1 })!
  const server = await serve(simulated)
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-docs-'))
  const prefix = `SOURCES__${name.toUpperCase()}_SOURCE__`
  const env = {
    ...process.env,
    SLUICE_DATA_DIR: join(cwd, 'data'),
    [`${prefix}BASE_URL`]: server.baseUrl,
    [prefix + simulated.secret[0].toUpperCase()]: simulated.secret[1],
    ...Object.fromEntries(
      Object.entries(simulated.settings).map(([key, ids]) => [prefix + key.toUpperCase(), ids.slice(0, 20).join(',')]),
    ),
  }
  try {
    await run(process.execPath, [main, 'run', name, '--progress', 'off'], { cwd, env })
    const { stdout } = await run(process.execPath, [main, 'pipeline', `${name}_pipeline`, 'show', '--text'], {
      cwd,
      env,
    })
    return /^table [^]*?(?=\n\n)/m.exec(stdout)![0]
  } finally {
    await server.close()
    rmSync(cwd, { recursive: true })
  }
}

const files = new Map<string, string>()
for (const name of platformNames) {
  const blocks = sourcePage(await sourceFacts(name), await sample(name))
  files.set(`sources/${name}.md`, markdown(blocks))
  files.set(`sources/${name}.html`, html(blocks))
}

/** A page's title and the first sentence below it. */
function indexed(address: string, text: string): IndexedPage {
  const title = /^# (.+)$/m.exec(text)![1]!
  const paragraphs = text.split(/\n\n+/).filter((one) => /^[A-Z]/.test(one) && !one.startsWith('Load '))
  const about = (paragraphs[0] ?? '').replace(/\s+/g, ' ').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
  return { title, address, about: /^.*?[.:](?=\s|$)/.exec(about)?.[0].replace(/:$/, '.') ?? about }
}

const own = readdirSync(docs).filter((file) => file.endsWith('.md'))
const guides = own.map((file) => indexed(file, readFileSync(join(docs, file), 'utf8')))
const sources = platformNames.map((name) => indexed(`sources/${name}.md`, files.get(`sources/${name}.md`)!))
files.set(
  'llms.txt',
  llmsText(
    'Sluice',
    'The data loading library for TypeScript: describe an API, get clean, typed tables in your database.',
    new Map([
      ['Guides', guides],
      ['Sources', sources],
    ]),
  ),
)

let stale = 0
for (const [name, text] of files) {
  const path = join(docs, name)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`docs/${name} is not what the code says: npm run docs`)
    stale += 1
  }
}
process.exitCode = stale === 0 ? 0 : 1
