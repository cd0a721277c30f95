import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PipelineError } from '../../index.ts'
import { airflow } from './airflow.ts'
import { docker } from './docker.ts'
import { githubActions } from './github-actions.ts'
import { gitlab } from './gitlab.ts'
import { kubernetes } from './kubernetes.ts'
import type { Deployment, DeployedProject } from './project.ts'
import { systemd } from './systemd.ts'

export { deployedProject, type Deployment } from './project.ts'

const hosts: Record<string, (project: DeployedProject, projectDir: string) => Deployment> = {
  'github-actions': githubActions,
  gitlab,
  docker,
  systemd,
  kubernetes,
  airflow,
}

export const hostNames = Object.keys(hosts)

export function deployment(host: string | undefined, project: DeployedProject, projectDir: string): Deployment {
  const found = host !== undefined && Object.hasOwn(hosts, host) ? hosts[host] : undefined
  if (found !== undefined) return found(project, resolve(projectDir))
  throw new PipelineError(`deploy: there is no host "${host ?? ''}"`, {
    code: 'WRONG_USE',
    fix: `use one of: ${hostNames.join(', ')}`,
  })
}

/** Writes the files; those that are there stay, unless they are to be overwritten. */
export function writeFiles(
  projectDir: string,
  { files }: Deployment,
  overwrite: boolean,
): { path: string; written: boolean }[] {
  return files.map(({ path, text }) => {
    const file = join(projectDir, path)
    if (existsSync(file) && !overwrite) return { path, written: false }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return { path, written: true }
  })
}
