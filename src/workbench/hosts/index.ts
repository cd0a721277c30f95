import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { PipelineError } from '../../index.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { cursor } from './cursor.ts'
import { hostNames, type Host, type HostName } from './host.ts'
import { vscode } from './vscode.ts'

export { guardPath, hostNames, type Host, type HostName, type OwnFile, type SharedFile } from './host.ts'

export const hosts: Record<HostName, Host> = { claude, cursor, codex, vscode }

/** The hosts of a list such as `claude,cursor`. */
export function hostsNamed(text: string): HostName[] {
  const names = text.split(',').map((one) => one.trim())
  const unknown = names.find((name) => !hostNames.includes(name as HostName))
  if (unknown === undefined) return [...new Set(names as HostName[])]
  throw new PipelineError(`--agent: "${unknown}" is not known`, {
    code: 'WRONG_USE',
    fix: `use some of: ${hostNames.join(', ')}`,
  })
}

/** The hosts that are used here: the one this runs in, else those that left something in the project, else those installed. */
export function detectHosts(projectDir: string, env: NodeJS.ProcessEnv = process.env): HostName[] {
  const all = Object.values(hosts)
  const running = all.filter(({ signs }) => signs.variables.some((name) => (env[name] ?? '') !== ''))
  const inProject = all.filter(({ signs }) => signs.project.some((path) => existsSync(join(projectDir, path))))
  const installed = all.filter(({ signs }) => existsSync(join(homedir(), signs.home)))
  const found = [running, inProject, installed].find((level) => level.length > 0) ?? []
  return found.map(({ name }) => name)
}
