import { homedir } from 'node:os'
import { relative, resolve } from 'node:path'
import { addSecret } from '../errors/index.ts'
import { Config, looksCopied, secret, type ConfigPlace, type ConfigReference } from './config.ts'
import { settingText } from './setting-text.ts'
import { readTomlFiles } from './toml-files.ts'

/** A secret of a project: whether it is there, and where. Never its value, nor how long it is. */
export interface SecretStatus {
  /** Its sections and its name: `sources.github.token`. */
  key: string
  /** `placeholder`: something stands there that is no secret yet. */
  status: 'set' | 'placeholder' | 'missing'
  /** The name of an environment variable, or a file; for a missing one, where it belongs. */
  where: string
  /** What asks for it. */
  neededBy: string[]
}

/** A secret that something asks for. */
export interface SecretNeed {
  key: string
  place: ConfigPlace
  neededBy: string
}

/** The state of every secret that is asked for, and of all others that stand in the project's files. */
export function secretStatuses(needs: readonly SecretNeed[], projectDir = process.cwd()): SecretStatus[] {
  const found = new Map<string, SecretStatus>()
  const settings = new Config({ projectDir })
  for (const { key, place, neededBy } of needs) {
    const status = statusOf(settings, key, place, projectDir)
    const known = found.get(status.key)
    if (known === undefined) found.set(status.key, { ...status, neededBy: [neededBy] })
    else if (!known.neededBy.includes(neededBy)) known.neededBy.push(neededBy)
  }
  for (const { path, content } of readTomlFiles('secrets.toml', projectDir)) {
    for (const [key, value] of leaves(content ?? {})) {
      const status = isPlaceholderText(value) ? 'placeholder' : 'set'
      const known = found.get(key)
      // A placeholder in the project does not hide the value in the home folder.
      if (known !== undefined && !(known.status === 'placeholder' && known.neededBy.length === 0 && status === 'set'))
        continue
      found.set(key, { key, status, where: shortPath(path, projectDir), neededBy: [] })
    }
  }
  return [...found.values()].sort((a, b) => a.key.localeCompare(b.key))
}

function statusOf(
  settings: Config,
  key: string,
  place: ConfigPlace,
  projectDir: string,
): Omit<SecretStatus, 'neededBy'> {
  const found = settings.locate(secret(key), place)
  const missing = { key: [place.root, place.name, key].filter((part) => part !== undefined).join('.') }
  if (found === undefined) return { ...missing, status: 'missing', where: '~/.sluice/secrets.toml' }
  return {
    key: found.path.join('.'),
    status: isPlaceholderText(found.value) ? 'placeholder' : 'set',
    where: found.file === undefined ? found.name : shortPath(found.file, projectDir),
  }
}

const shortPath = (path: string, projectDir: string): string => {
  const below = relative(resolve(projectDir), path)
  if (!below.startsWith('..')) return below
  const home = relative(homedir(), path)
  return home.startsWith('..') ? path : `~/${home}`
}

/** Values with their dotted names, in the order of the file. */
export function leaves(value: unknown, path: readonly string[] = []): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date)
    return [[path.join('.'), value]]
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
}

/** Text that stands for a value that somebody has yet to put in. */
export function isPlaceholderText(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const text = value.trim()
  if (text === '' || /^<.*>$|^configure me$|^(change|replace|fill)[-_ ]?me$|^todo$/i.test(text)) return true
  return looksCopied(text) || /\*{3,}|x{5,}|\.{3}|…/i.test(text)
}

/** A setting of a section, wherever it stands; a text stands for itself. */
export function settingValue(setting: string | ConfigReference, section: string): string {
  if (typeof setting === 'string') {
    addSecret(setting)
    return setting
  }
  return settingText(new Config().get(setting, { root: section }), `${section}.${setting.key}`)
}

/** Secrets that say themselves when they expire (JSON Web Tokens) and will have by a moment. */
export function expiringSecrets(before: Date, projectDir = process.cwd()): { key: string; expiresAt: Date }[] {
  const values = new Map<string, unknown>()
  for (const { content } of readTomlFiles('secrets.toml', projectDir))
    for (const [key, value] of leaves(content ?? {})) if (!values.has(key)) values.set(key, value)
  for (const [name, value] of Object.entries(process.env))
    if (/^(SOURCES|DESTINATION|ALERTS)__/.test(name)) values.set(name.toLowerCase().replaceAll('__', '.'), value)
  return [...values].flatMap(([key, value]) => {
    const expiresAt = expiryOf(value)
    return expiresAt === undefined || expiresAt > before ? [] : [{ key, expiresAt }]
  })
}

function expiryOf(value: unknown): Date | undefined {
  const [, claims] = typeof value === 'string' ? (/^eyJ[\w-]+\.([\w-]+)\.[\w-]*$/.exec(value.trim()) ?? []) : []
  if (claims === undefined) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' ? new Date(exp * 1000) : undefined
  } catch {
    return undefined
  }
}
