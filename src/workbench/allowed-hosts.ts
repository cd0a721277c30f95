import { realpathSync } from 'node:fs'
import { PipelineError, redact } from '../index.ts'
import {
  allowOrigins,
  allowSettings,
  foreignSettings,
  isLoopbackHost,
  isNamedByPerson,
  loginKey,
  originOf,
  permitsOrigin,
  refusePrivate,
} from '../egress/index.ts'
import { destinationSettings } from '../destinations/destination-from-settings.ts'
import { platformByName, platformOrigin } from '../sources/chats/registry.ts'
import { keysElsewhere, originsOf, readSourceSpec } from '../sources/rest/index.ts'
import { insideProject } from './project-path.ts'
import { projectSecrets } from './project-secrets.ts'

// What a person allows for a project. Connections ask the list themselves (src/egress); here it is filled, and asked early, so
// that an assistant is told before anything starts.

/** What a source sends where, as its file and the settings say now. */
interface Sending {
  origins: string[]
  /** Keys of secrets; `.*` for all of a section. */
  secrets: string[]
}

async function sendingOf(projectDir: string, source: string): Promise<Sending> {
  const platform = await platformByName(source)
  if (platform !== undefined) {
    const { name } = platform.docs
    return {
      origins: [platformOrigin(platform.docs, projectDir)],
      secrets: [`sources.${name}.*`, `sources.${name}_source.*`],
    }
  }
  const spec = readSourceSpec(insideProject(projectDir, source))
  const sections = new Set([spec.section ?? spec.name, spec.name])
  return {
    origins: originsOf(spec, projectDir),
    secrets: [
      ...[...sections].map((name) => `sources.${name}.*`),
      ...keysElsewhere(spec, projectDir),
      ...[false, true].map((forAssistant) => loginKey(spec.name, forAssistant)),
    ],
  }
}

/** The origins that a source asks with its secrets, as its file and the settings say now. */
export const sourceOrigins = async (projectDir: string, source: string): Promise<string[]> =>
  (await sendingOf(projectDir, source)).origins

/** A person allows the addresses that a source has now. Returns them. */
export async function allowHosts(projectDir: string, source: string): Promise<string[]> {
  const sending = await sendingOf(projectDir, source)
  allowOrigins(projectDir, source, sending)
  return sending.origins
}

/** A person allows that a secret, named by its key, goes to an address. Returns its origin. */
export function allowSecret(projectDir: string, key: string, address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.host === '') {
    throw new PipelineError(`"${address}" is not an address`, {
      code: 'WRONG_USE',
      fix: `give it with its protocol: sluice secrets allow ${key} https://api.example.com`,
    })
  }
  const origin = originOf(url)
  allowOrigins(projectDir, key, { origins: [origin], secrets: [key] })
  return origin
}

/** Settings that decide where the credentials of a destination go and are not next to them: `credentials.host = db.example`. */
export const destinationSending = async (projectDir: string, name: string): Promise<string[]> =>
  (await inQuestion(projectDir, name)).shown

/**
 * A person allows that the credentials of a destination go where the settings say now, and returns these settings. With `shown`,
 * only where they are among what the person has seen.
 */
export async function allowDestination(projectDir: string, name: string, shown?: string[]): Promise<string[]> {
  const now = await inQuestion(projectDir, name)
  if (now.shown.length === 0 || now.shown.some((one) => shown?.includes(one) === false)) return []
  allowSettings(projectDir, `destination.${name}`, now.fingerprints)
  return now.shown
}

async function inQuestion(projectDir: string, name: string): Promise<{ shown: string[]; fingerprints: string[] }> {
  const settings = await destinationSettings(name, projectDir)
  // Which settings are in question differs by who asks; a person allows both.
  const foreign = [false, true].flatMap((forAssistant) => foreignSettings(name, settings, forAssistant) ?? [])
  const keys = new Set(foreign.flatMap((one) => one.keys))
  return {
    shown: [...keys].map((key) => `${key} = ${redact(String(settings.get(key)!.value))}`),
    fingerprints: foreign.map(({ fingerprint }) => fingerprint),
  }
}

/** Throws where a source would have a secret sent to a place that nobody has allowed, or would look into a private network. */
export async function refuseUnknownHosts(projectDir: string, source: string): Promise<void> {
  const platform = await platformByName(source)
  const project = realpathSync(projectDir)
  const led = platform === undefined ? alsoAsked(projectDir, source) : []
  for (const host of led) if (!permitsHostOf(project, host)) await refusePrivateFor(source, host)
  const secrets = (await projectSecrets(projectDir, [source])).filter(({ status }) => status === 'set')
  const [base, ...others] = await sourceOrigins(projectDir, source)
  const builtIn = platform === undefined ? undefined : originOf(new URL(platform.docs.baseUrl))
  for (const origin of [base!, ...others]) {
    const isBase = origin === base && (origin === builtIn || isLoopback(origin))
    if (isBase || (secrets.length === 0 && permitsOrigin(project, origin))) continue
    if (secrets.length === 0) await refusePrivateFor(source, hostOf(origin))
    else if (!secrets.every(({ key }) => mayGo(project, key, origin)))
      throw refused(source, `its secrets would be sent to ${origin}, which nobody has allowed`)
  }
}

/** Hosts to which links of an API may lead; they get no secrets. */
const alsoAsked = (projectDir: string, source: string): readonly string[] =>
  readSourceSpec(insideProject(projectDir, source)).client.allowedHosts ?? []

const mayGo = (projectDir: string, key: string, origin: string): boolean =>
  isNamedByPerson(projectDir, { key, origin, forAssistant: true })

const permitsHostOf = (project: string, host: string): boolean =>
  ['https:', 'http:'].some((protocol) => permitsOrigin(project, `${protocol}//${host}`))

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).hostname : origin)
const isLoopback = (origin: string): boolean => URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)

async function refusePrivateFor(source: string, host: string): Promise<void> {
  try {
    await refusePrivate(hostOf(`http://${host}`), false)
  } catch (error) {
    throw error instanceof PipelineError ? refused(source, error.summary) : error
  }
}

const refused = (source: string, why: string): PipelineError =>
  new PipelineError(`${source}: ${why}`, {
    code: 'HOST_NOT_ALLOWED',
    fix: `if that is right, a person says so in their own terminal: sluice secrets allow ${source}`,
  })
