import { PipelineError, pipeline, redact, secretStatuses, type SecretStatus, type Source } from '../index.ts'
import { platformByName } from '../sources/chats/registry.ts'
import { isSourceFile, loadSourceFile } from '../sources/rest/index.ts'
import { insideProject } from './project-path.ts'
import { probeSource } from './probe-source.ts'
import { secretNeeds } from './secret-needs.ts'

/** The secrets of a project by their state; of the named sources only, where some are named. */
export async function projectSecrets(projectDir: string, names: readonly string[] = []): Promise<SecretStatus[]> {
  const present = secretStatuses([], projectDir).map(({ key }) => key)
  const needs = await secretNeeds(projectDir, names, present)
  const all = secretStatuses(needs, projectDir)
  return names.length === 0 ? all : all.filter(({ neededBy }) => neededBy.length > 0)
}

/** What the API said when it was asked with the secrets of a source. */
export interface SecretCheck {
  source: string
  outcome: 'accepted' | 'refused' | 'missing' | 'failed' | 'not asked'
  /** HTTP status, where there was an answer. */
  status?: number
  message: string
  fix?: string
}

/** Asks an API once with the secrets that are set, and tells the status of the answer; nothing is loaded. */
export async function checkSecrets(projectDir: string, name: string): Promise<SecretCheck> {
  const statuses = await projectSecrets(projectDir, [name])
  const absent = statuses.filter(({ status }) => status !== 'set')
  if (absent.length > 0) {
    const keys = absent.map(({ key, status }) => `${key} (${status})`).join(', ')
    return {
      source: name,
      outcome: 'missing',
      message: `not set: ${keys}`,
      fix: `sluice secrets set ${absent[0]!.key}`,
    }
  }
  const [probe] = await probeSource(await trialSource(projectDir, name)).catch((error: unknown) => {
    if (error instanceof PipelineError) return [{ status: undefined, error }]
    throw error
  })
  const { status, error } = probe ?? {}
  const answer = status === undefined ? {} : { status }
  if (error !== undefined) {
    const refused = status === 401 || status === 403
    return { source: name, outcome: refused ? 'refused' : 'failed', ...answer, message: error.summary, fix: error.fix }
  }
  if (status === undefined) {
    const message = 'there was nothing to ask for: its first resource needs ids from the settings'
    return { source: name, outcome: 'not asked', message, fix: `see: sluice source docs ${name}` }
  }
  return { source: name, outcome: 'accepted', ...answer, message: `the API answered ${status}` }
}

/** The first resource of a source, for one page. */
async function trialSource(projectDir: string, name: string): Promise<Source> {
  const platform = await platformByName(name)
  const whole =
    platform?.() ??
    (isSourceFile(name) ? loadSourceFile(insideProject(projectDir, name), { probing: true }) : undefined)
  if (whole === undefined) {
    throw new PipelineError(`there is no source "${name}"`, {
      code: 'WRONG_USE',
      fix: 'name a platform or a source file; see: sluice source list',
    })
  }
  const [first] = whole.selected
  return whole.withResources(first!).limit(1)
}

/** Tries the credentials of a destination: connects, and tells how far it came. */
export async function checkDestinationSecrets(name: string): Promise<SecretCheck> {
  let last = ''
  for await (const { name: step, error } of pipeline({ name: 'secrets_check', destination: name }).check()) {
    last = step
    if (error === undefined) continue
    const known = error instanceof PipelineError
    return {
      source: `destination ${name}`,
      outcome: 'failed',
      message: `${step}: ${known ? error.summary : redact(error.message.split('\n')[0]!)}`,
      ...(known ? { fix: error.fix } : {}),
    }
  }
  return { source: `destination ${name}`, outcome: 'accepted', message: `all steps passed, up to: ${last}` }
}
