import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Installed {
  /** A project in which the package is installed, as a user has it. */
  folder: string
  /** What the tarball holds. */
  files: string[]
  env: NodeJS.ProcessEnv
}

/** Packs this package and installs it into an empty project. Takes most of a minute. */
export async function installPackage(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pack-'))
  const cwd = copy()
  await run('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd })
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd })
  const [{ filename, files }] = firstJson(packed.stdout) as [{ filename: string; files: { path: string }[] }]
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await run('npm', ['install', '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder })
  const env = { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') }
  return { folder, files: files.map(({ path }) => path), env }
}

/** What the package is made of, elsewhere: other tests look at what is built here. The dashboard's page is built before tests begin. */
function copy(): string {
  const place = mkdtempSync(join(tmpdir(), 'sluice-source-'))
  const parts = ['src', 'dashboard-page', 'toolkits', 'package.json', 'README.md', 'LICENSE', 'source.schema.json']
  for (const part of [...parts, 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(root, part), join(place, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
  return place
}

/** npm may print what its scripts say before the JSON. */
const firstJson = (text: string): unknown => JSON.parse(text.slice(text.search(/^\[/m)))
