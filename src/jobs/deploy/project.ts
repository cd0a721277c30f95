import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { environmentName, PipelineError } from '../../index.ts'
import { projectSecrets } from '../../workbench/project-secrets.ts'
import type { Job } from '../job.ts'

/** What a host is told of a project. Of secrets it is told their names. */
export interface DeployedProject {
  /** Of its package, or of its folder; letters, digits and hyphens. */
  name: string
  jobsFile: string
  jobs: readonly Job[]
  /** Environment variables that a person sets at the host. */
  secrets: readonly string[]
}

export interface DeployedFile {
  path: string
  text: string
}

/** The files for a host, and what a person has to do there. */
export interface Deployment {
  files: DeployedFile[]
  steps: string[]
}

export async function deployedProject(
  projectDir: string,
  jobsFile: string,
  jobs: readonly Job[],
): Promise<DeployedProject> {
  const packagePath = join(projectDir, 'package.json')
  const { name } = (existsSync(packagePath) ? JSON.parse(readFileSync(packagePath, 'utf8')) : {}) as { name?: string }
  const text = (name ?? basename(projectDir)).replace(/^@[^/]*\//, '')
  const secrets = (await projectSecrets(projectDir)).map(({ key }) => environmentName(key.split('.')))
  return {
    name:
      text
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-+|(?<!-)-+$/g, '')
        .slice(0, 40) || 'project',
    jobsFile,
    jobs,
    secrets: [...new Set(secrets)].sort(),
  }
}

/** A job that a host begins by its own clock, and the jobs that come after it. */
export interface Chain {
  job: Job
  expression: string
  timezone: string
  /** It first, then those that come after its success, in their order. */
  commands: string[]
  timeoutMinutes: number
}

/** For hosts that begin each run anew: every job that cron can begin, with what follows it. */
export function chains({ jobs, jobsFile }: DeployedProject, options: { intervals?: boolean } = {}): Chain[] {
  return jobs.flatMap((job) => {
    if (job.triggers.some((one) => one.kind === 'received'))
      throw cannot(job, 'webhooks are received by a machine that stays', 'use docker, systemd or kubernetes')
    const trigger = job.triggers.find((one) => one.kind === 'time')
    if (trigger === undefined) return []
    if (trigger.cron === undefined)
      throw cannot(
        job,
        `"${trigger.text}" cannot be said as cron`,
        'use cron(…), or a host that runs sluice schedule: docker, systemd, kubernetes',
      )
    if (job.start !== undefined && options.intervals !== true)
      throw cannot(job, 'its intervals need a host that remembers them', 'use docker, systemd, kubernetes or airflow')
    const all = followers(job, jobs)
    return [
      {
        job,
        ...trigger.cron,
        commands: all.map(
          (one) =>
            `npx --no-install sluice schedule run ${one.name}${jobsFile === 'sluice.jobs.ts' ? '' : ` --file ${jobsFile}`}`,
        ),
        timeoutMinutes: Math.ceil(all.reduce((sum, one) => sum + one.timeoutMs, 0) / 60_000) + 10,
      },
    ]
  })
}

function followers(job: Job, jobs: readonly Job[]): Job[] {
  const found = [job]
  for (const one of found)
    for (const next of jobs) {
      const comes = next.triggers.some(
        (trigger) => trigger.kind === 'after' && trigger.job === one && trigger.outcome !== 'failure',
      )
      if (comes && !found.includes(next)) found.push(next)
    }
  return found
}

export const cannot = (job: Job, why: string, fix: string): PipelineError =>
  new PipelineError(`job ${job.name}: ${why}`, { code: 'WRONG_USE', fix })

export const written = (target: string): string =>
  `Written by: npx sluice deploy ${target}. It is yours; it is not written again without --force.`
