import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dataDir } from '../config/index.ts'
import { removeDrafts, replaceFile } from '../disk/index.ts'
import { PipelineError } from '../errors/index.ts'

/** Secrets that may go to some origins. A key that ends in `.*` is a whole section. */
interface AllowedOrigins {
  origins: string[]
  secrets: string[]
}

/** Fingerprints of settings with which a destination may be opened. */
interface AllowedSettings {
  settings: string[]
}

type Entry = AllowedOrigins | AllowedSettings | string[]
/** By project, then by what was allowed: a source, a key of a secret, `destination.<name>`. */
type AllowList = Record<string, Record<string, Entry>>

/** It is not in the project, where assistants and other people write. */
const listPath = (): string => join(dataDir(), 'allowed-hosts.json')

function readList(): AllowList {
  const path = listPath()
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as AllowList
  } catch (cause) {
    throw new PipelineError(`${path} is not valid JSON`, {
      code: 'CONFIG_INVALID',
      fix: 'delete it, and allow again what is right: sluice secrets allow',
      cause,
    })
  }
}

function change(projectDir: string, name: string, entry: (before: Entry | undefined) => Entry): void {
  const list = readList()
  const project = (list[realpathSync(projectDir)] ??= {})
  project[name] = entry(Object.hasOwn(project, name) ? project[name] : undefined)
  removeDrafts(dataDir())
  replaceFile(listPath(), JSON.stringify(list, null, 2))
}

/** A person lets secrets go to origins, in addition to what was allowed under this name before. */
export function allowOrigins(projectDir: string, name: string, { origins, secrets }: AllowedOrigins): void {
  change(projectDir, name, (before) => {
    const known = asOrigins(name, before)
    return {
      origins: [...new Set([...known.origins, ...origins])],
      secrets: [...new Set([...known.secrets, ...secrets])],
    }
  })
}

/** A person lets a destination be opened with the settings of these fingerprints; those allowed before no longer are. */
export function allowSettings(projectDir: string, name: string, fingerprints: readonly string[]): void {
  change(projectDir, name, () => ({ settings: [...fingerprints] }))
}

function entriesOf(projectDir: string): [string, Entry][] {
  const list = readList()
  const project = realpathSync(projectDir)
  return Object.hasOwn(list, project) ? Object.entries(list[project]!) : []
}

/** The key of the token that a login brought to a source. For an assistant a login is not enough: it can start one, too. */
export const loginKey = (source: string, forAssistant: boolean): string =>
  `tokens.${source}${forAssistant ? '' : '.login'}`

/** A person has logged in to a source, so its token may go to the origins that the source has now. */
export function allowLogin(projectDir: string, source: string, origins: string[]): void {
  allowOrigins(projectDir, `tokens.${source}`, { origins, secrets: [loginKey(source, false)] })
}

/** Whether a person has allowed that a secret goes to an origin. */
export const permitsSecret = (projectDir: string, key: string, origin: string): boolean =>
  entriesOf(projectDir).some(([name, entry]) => {
    const { origins, secrets } = asOrigins(name, entry)
    return origins.includes(origin) && secrets.some((pattern) => covers(pattern, key))
  })

/** Whether a person has named an origin, for whatever secret. */
export const permitsOrigin = (projectDir: string, origin: string): boolean =>
  entriesOf(projectDir).some(([name, entry]) => asOrigins(name, entry).origins.includes(origin))

/** Whether a person has named an origin of a host. */
export const permitsHost = (projectDir: string, host: string): boolean =>
  entriesOf(projectDir).some(([name, entry]) =>
    asOrigins(name, entry).origins.some((origin) => URL.canParse(origin) && new URL(origin).hostname === host),
  )

/** Whether a person has allowed that a destination is opened with the settings of a fingerprint. */
export const permitsSettings = (projectDir: string, name: string, fingerprint: string): boolean =>
  entriesOf(projectDir).some(
    ([known, entry]) => known === name && 'settings' in entry && entry.settings.includes(fingerprint),
  )

const covers = (pattern: string, key: string): boolean =>
  pattern.endsWith('.*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern

/** Earlier lists named origins only: they count for the sections that have the name of the source. */
function asOrigins(name: string, entry: Entry | undefined): AllowedOrigins {
  if (entry === undefined || 'settings' in entry) return { origins: [], secrets: [] }
  if (!Array.isArray(entry)) return entry
  const section = basename(name).replace(/\.source\.(ya?ml|json)$/, '')
  return { origins: entry, secrets: [`sources.${section}.*`, `sources.${section}_source.*`] }
}
