import { existsSync } from 'node:fs'
import { PipelineError } from '../index.ts'
import { Alerts } from './alerts/alerts.ts'
import { Job } from './job.ts'
import { importProjectModule } from './project-module.ts'

export const standardJobsFile = 'sluice.jobs.ts'

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })

export interface JobsFile {
  path: string
  /** By the names of the exports. */
  jobs: Job[]
  alerts: Alerts[]
}

/** What a file exports. */
export async function readJobsFile(path: string): Promise<JobsFile> {
  if (!existsSync(path)) {
    throw wrongUse(
      `there is no file ${path}`,
      "write one: export const hourly = job({ run: 'shop.source.yaml', trigger: every('1h') })",
    )
  }
  const module = await importProjectModule(path)
  const jobs = Object.entries(module).flatMap(([name, value]) => {
    if (!(value instanceof Job)) return []
    value.name = name
    return [value]
  })
  if (jobs.length === 0)
    throw wrongUse(`${path} exports no job`, 'export each of them: export const hourly = job({ … })')
  for (const { name, triggers } of jobs) {
    const unknown = triggers.find((one) => one.kind === 'after' && !jobs.includes(one.job as Job))
    if (unknown !== undefined)
      throw wrongUse(`${name} comes after a job that ${path} does not export`, 'export that one, too')
  }
  return { path, jobs, alerts: Object.values(module).filter((value) => value instanceof Alerts) }
}

export function jobNamed(jobs: readonly Job[], name: string | undefined): Job {
  const found = jobs.find((one) => one.name === name)
  if (found !== undefined) return found
  throw wrongUse(`there is no job "${name ?? ''}"`, `use one of: ${jobs.map((one) => one.name).join(', ')}`)
}
