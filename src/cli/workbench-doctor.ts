import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { guardPath, hosts, mcpCommand } from '../workbench/hosts/index.ts'
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

/** `sluice ai doctor`: tries what hosts will do: start the server, ask the guard. */
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

/** Starts it by the very command that stands in the settings of the hosts. */
function mcpServer(projectDir: string): Finding {
  const { stdout, stderr, error } = spawnSync(mcpCommand.command, mcpCommand.args, {
    cwd: projectDir,
    input: `${JSON.stringify(hello)}\n`,
    encoding: 'utf8',
    timeout: 30_000,
  })
  if (stdout.includes('"serverInfo"')) return { check: 'MCP server', ok: true, found: 'starts, and answers' }
  const isMissing = /npx canceled|could not determine executable|not found/i.test(stderr)
  const said = isMissing
    ? 'sluice is not installed in this project'
    : (error?.message ?? (stderr.trim().split('\n').at(-1) || 'it ended without an answer'))
  return { check: 'MCP server', ok: false, found: said, fix: 'install the package in this project: npm install sluice' }
}

/** The guard is asked as a host asks it; it must say no to one question and yes to the other. */
function guard(projectDir: string): Finding {
  const ask = (file: string): number | null =>
    spawnSync(process.execPath, [join(projectDir, guardPath)], {
      cwd: projectDir,
      input: JSON.stringify({ tool_name: 'Read', tool_input: { file_path: file } }),
    }).status
  const works = ask('.sluice/secrets.toml') === 2 && ask('README.md') === 0
  return works
    ? { check: 'guard of secrets', ok: true, found: 'blocks secrets.toml, and nothing else that was tried' }
    : { check: 'guard of secrets', ok: false, found: 'does not block', fix: 'sluice ai init --overwrite' }
}

function secretsInGit(projectDir: string): Finding {
  const check = 'secrets and git'
  const git = (...args: string[]): number | null => spawnSync('git', args, { cwd: projectDir, stdio: 'ignore' }).status
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
