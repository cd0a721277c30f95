import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guardFiles, packageGuard } from '../workbench/common-files.ts'
import { guardPath, hosts } from '../workbench/hosts/index.ts'
import { notInitialized } from '../workbench/install.ts'
import { readIndex } from '../workbench/workbench-index.ts'
import { done, failed, printJson, type CommandResult } from './command.ts'
import { style, wrap } from './style.ts'

interface Finding {
  check: string
  ok: boolean
  found: string
  fix?: string
}

/** `sluice ai doctor`: tries what hosts will do: start the server, ask the guard. Runs nothing that is in the folder. */
export function workbenchDoctor(json: boolean): CommandResult {
  const projectDir = process.cwd()
  const index = readIndex(projectDir)
  if (index === undefined) throw notInitialized()
  const findings = [
    ...index.hosts.map((name) => settingsOf(projectDir, name)),
    mcpServer(projectDir),
    guard(projectDir),
    secretsInGit(projectDir),
    secretsMode(projectDir),
  ]
  if (json) printJson(findings)
  else for (const one of findings) console.log(findingText(one))
  return findings.every(({ ok }) => ok) ? done : failed
}

function settingsOf(projectDir: string, name: keyof typeof hosts): Finding {
  const { title, shared } = hosts[name]
  const missing = shared([]).filter(({ path }) => !existsSync(join(projectDir, path)))
  const check = `settings of ${title}`
  if (missing.length === 0) return { check, ok: true, found: 'all there' }
  return {
    check,
    ok: false,
    found: `missing: ${missing.map(({ path }) => path).join(', ')}`,
    fix: 'sluice ai toolkit update',
  }
}

const hello = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'doctor', version: '1' } },
}

const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url))

/** Starts the server of this package: what is in the folder may be a stranger's, so nothing of it is run. */
function mcpServer(projectDir: string): Finding {
  const check = 'MCP server'
  const { stdout, stderr, error } = spawnSync(process.execPath, [...process.execArgv, main, 'ai', 'mcp'], {
    cwd: projectDir,
    input: `${JSON.stringify(hello)}\n`,
    encoding: 'utf8',
    timeout: 30_000,
  })
  if (!stdout.includes('"serverInfo"')) {
    const said = error?.message ?? (stderr.trim().split('\n').at(-1) || 'it ended without an answer')
    return { check, ok: false, found: said, fix: 'install the package again: npm install sluice' }
  }
  // Hosts start the one that is installed in the project.
  switch (installation(projectDir)) {
    case 'this':
      return { check, ok: true, found: 'starts, and answers' }
    case 'another':
      return {
        check,
        ok: false,
        found: 'hosts would start another sluice than this one, which was not tried',
        fix: 'if you trust the project, use its own: npx --no-install sluice ai doctor',
      }
    case 'none':
      return {
        check,
        ok: false,
        found: 'sluice is not installed in this project',
        fix: 'install the package in this project: npm install sluice',
      }
  }
}

/** Which sluice `npx` finds: the nearest one above the project's folder. */
function installation(projectDir: string): 'this' | 'another' | 'none' {
  for (let folder = projectDir; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', '.bin', 'sluice')
    if (existsSync(found)) {
      // On Windows it is a script that names the file; who installed it wrote both.
      const isThis = process.platform === 'win32' || realpathSync(found) === realpathSync(main)
      return isThis ? 'this' : 'another'
    }
    if (dirname(folder) === folder) return 'none'
  }
}

/** The guard of the package is asked as a host asks it; that of the project has to be the same text. */
function guard(projectDir: string): Finding {
  const check = 'guard of secrets'
  const changed = guardFiles().filter(({ path, text }) => textOf(join(projectDir, path)) !== unixLines(text))
  if (changed.length > 0) {
    const isThere = existsSync(join(projectDir, guardPath))
    const found = isThere ? 'is not the one of this package, and was not run' : 'is not there'
    return { check, ok: false, found, fix: 'sluice ai init --overwrite' }
  }
  const ask = (file: string): number | null =>
    spawnSync(process.execPath, [packageGuard], {
      cwd: projectDir,
      input: JSON.stringify({ tool_name: 'Read', tool_input: { file_path: file } }),
    }).status
  const works = ask('.sluice/secrets.toml') === 2 && ask('README.md') === 0
  return works
    ? { check, ok: true, found: 'blocks secrets.toml, and nothing else that was tried' }
    : { check, ok: false, found: 'does not block', fix: 'install the package again: npm install sluice' }
}

const textOf = (path: string): string | undefined =>
  existsSync(path) && statSync(path).isFile() ? unixLines(readFileSync(path, 'utf8')) : undefined

/** Git may check files out with the line ends of Windows (`core.autocrlf`). */
const unixLines = (text: string): string => text.replaceAll('\r\n', '\n')

function secretsInGit(projectDir: string): Finding {
  const check = 'secrets and git'
  // A repository's own settings may name programs.
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']
  const git = (...args: string[]): number | null =>
    spawnSync('git', [...safe, ...args], { cwd: projectDir, stdio: 'ignore' }).status
  if (git('rev-parse') !== 0) return { check, ok: true, found: 'the project is in no git repository' }
  if (git('ls-files', '--error-unmatch', '.sluice/secrets.toml') === 0) {
    const fix = 'git rm --cached .sluice/secrets.toml, and revoke what stands in it'
    return { check, ok: false, found: 'secrets.toml is in the repository', fix }
  }
  return git('check-ignore', '-q', '.sluice/secrets.toml') === 0
    ? { check, ok: true, found: 'secrets.toml is ignored' }
    : { check, ok: false, found: 'secrets.toml is not ignored', fix: 'add it to .gitignore: .sluice/secrets.toml' }
}

/** Files of secrets that this project uses, in it and in the home folder. */
function secretsMode(projectDir: string): Finding {
  const check = 'secrets.toml'
  const paths = [projectDir, homedir()].map((base) => join(base, '.sluice', 'secrets.toml')).filter(existsSync)
  if (paths.length === 0) return { check, ok: true, found: 'is not there yet' }
  const open = paths.find((path) => process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
  if (open === undefined) return { check, ok: true, found: 'only you can read it' }
  return { check, ok: false, found: 'others on this machine can read it', fix: `chmod 600 ${open}` }
}

function findingText({ check, ok, found, fix }: Finding): string {
  const mark = ok ? style.done('✓') : style.failed('✗')
  const lines = [found, ...(fix === undefined ? [] : [`fix: ${fix}`])].flatMap((text) => wrap(text, 50))
  return `${mark} ${check.padEnd(26)} ${lines.join(`\n${' '.repeat(29)}`)}`
}
