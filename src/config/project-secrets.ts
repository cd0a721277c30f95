import { chmodSync, existsSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parse, patch } from '@decimalturn/toml-patch'
import { addSecret, PipelineError } from '../errors/index.ts'
import { mostBytes, readBounded } from './bounded-file.ts'
import { Config, looksCopied, secret, type ConfigPlace, type ConfigReference } from './config.ts'
import { readTomlFiles, splitHeaders, tomlValue } from './toml-files.ts'

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
      if (found.has(key)) continue
      const status = isPlaceholderText(value) ? 'placeholder' : 'set'
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
  if (found === undefined) return { ...missing, status: 'missing', where: '.sluice/secrets.toml' }
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
function leaves(value: unknown, path: readonly string[] = []): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date)
    return [[path.join('.'), value]]
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
}

/** Text that stands for a value that somebody has yet to put in. */
function isPlaceholderText(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const text = value.trim()
  if (text === '' || /^<.*>$|^configure me$|^(change|replace|fill)[-_ ]?me$|^todo$/i.test(text)) return true
  return looksCopied(text) || /\*{3,}|x{5,}|\.{3}|…/i.test(text)
}

/** Makes `redact` hide every secret of the project, whether or not a run has used it. */
export function hideProjectSecrets(projectDir = process.cwd()): void {
  for (const { content } of readTomlFiles('secrets.toml', projectDir)) {
    for (const [, value] of leaves(content ?? {}))
      if (typeof value === 'string' && !isPlaceholderText(value)) addSecret(value)
  }
  for (const [name, value] of Object.entries(process.env)) {
    // Other settings, such as names of buckets, are ordinary words.
    const isSecret =
      name.startsWith('ALERTS__') ||
      (/^(SOURCES|DESTINATION)__/.test(name) && /KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS/.test(name))
    if (isSecret && value !== undefined) addSecret(value)
  }
}

/** A setting of a section, wherever it stands; a text stands for itself. */
export function settingValue(setting: string | ConfigReference, section: string): string {
  if (typeof setting === 'string') return setting
  return String(new Config().get(setting, { root: section }))
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

/** Puts a secret into `.sluice/secrets.toml`, which nobody else can read from then on. Comments stay. */
export function writeSecret(key: string, value: string, projectDir = process.cwd()): string {
  return changeSecrets(projectDir, (text) => withValue(text, keyPath(key), value))
}

/**
 * Puts placeholders in for secrets that are missing, and returns their keys; what is set already stays. `hint` says in a few
 * words what belongs there.
 */
export function writePlaceholders(
  wanted: readonly { key: string; hint?: string }[],
  projectDir = process.cwd(),
): string[] {
  const paths = wanted.map(({ key, hint }) => ({ key, path: keyPath(key), text: placeholder(key, hint) }))
  const written: string[] = []
  changeSecrets(projectDir, (before) =>
    paths.reduce((text, { key, path, text: value }) => {
      if (tomlValue(parse(text) as Table, path) !== undefined) return text
      written.push(key)
      return withValue(text, path, value)
    }, before),
  )
  return written
}

/** What is between the brackets could be a secret itself, so only words are taken. */
function placeholder(key: string, hint: string | undefined): string {
  const words = hint ?? `paste ${key.split('.').at(-1)!.replaceAll('_', ' ')} here`
  if (/^[A-Za-z][A-Za-z ,':/-]{0,78}$/.test(words) && !words.split(/[ ,:/]/).some((word) => word.length > 18))
    return `<${words}>`
  throw new PipelineError('a placeholder is a few plain words, because a value must not get in that way', {
    code: 'WRONG_USE',
    fix: `say in words what belongs there; a person sets the value: sluice secrets set ${key}`,
  })
}

function keyPath(key: string): string[] {
  const path = key.split('.')
  if (path.length > 1 && path.every((part) => /^[A-Za-z0-9_-]{1,64}$/.test(part) && part !== '__proto__')) return path
  throw new PipelineError(`"${key.slice(0, 100)}" is no name of a secret`, {
    code: 'WRONG_USE',
    fix: 'name it with its sections: sources.github.token, destination.postgres.credentials',
  })
}

type Table = Record<string, unknown>

/** The text with a value in its section; a new section comes at the end. */
function withValue(text: string, path: readonly string[], value: string): string {
  const [section, name] = [path.slice(0, -1), path.at(-1)!]
  const content = parse(text) as Table
  const inner = tomlValue(content, section)
  if (inner === undefined) {
    const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n'
    return `${text}${gap}[${section.join('.')}]\n${name} = ${JSON.stringify(value)}\n`
  }
  if (typeof inner !== 'object' || inner === null) {
    throw new PipelineError(`${path.join('.')}: "${section.at(-1)}" is a value in secrets.toml, and no section`, {
      code: 'CONFIG_INVALID',
      fix: 'take the value out of the file, or name the secret otherwise',
    })
  }
  ;(inner as Table)[name] = value
  return patch(text, content)
}

function changeSecrets(projectDir: string, change: (text: string) => string): string {
  const path = secretsPath(projectDir)
  const before = existsSync(path) ? splitHeaders(readBounded(path, mostBytes.settings)) : ''
  let after: string
  try {
    after = change(before)
    parse(after)
  } catch (error) {
    if (error instanceof PipelineError) throw error
    // The parser's own message quotes the file.
    throw new PipelineError(`${path} is not valid TOML`, { code: 'CONFIG_INVALID', fix: 'correct the file' })
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, after, { mode: 0o600 })
  chmodSync(`${path}.new`, 0o600)
  renameSync(`${path}.new`, path)
  keepOutOfGit(projectDir, dirname(path))
  return path
}

/** The project's own file. A link that leads out of the project is not followed. */
function secretsPath(projectDir: string): string {
  const project = realpathSync(projectDir)
  const path = join(project, process.env.SLUICE_CONFIG_FOLDER ?? '.sluice', 'secrets.toml')
  const real = existsSync(path)
    ? realpathSync(path)
    : existsSync(dirname(path))
      ? join(realpathSync(dirname(path)), 'secrets.toml')
      : path
  if (!relative(project, real).startsWith('..')) return real
  throw new PipelineError(`${path} leads out of the project`, {
    code: 'WRONG_USE',
    fix: 'replace the link by a file, or edit what it leads to yourself',
  })
}

/** A `.gitignore` beside the file, where the project's own does not name it. */
function keepOutOfGit(projectDir: string, folder: string): void {
  const path = join(folder, '.gitignore')
  const textOf = (file: string): string => (existsSync(file) ? readBounded(file, mostBytes.settings) : '')
  const text = textOf(path)
  const isNamed = /^\/?([\w.*]+\/)*(\*\.?)?secrets\.toml\s*$/m
  if (isNamed.test(text) || isNamed.test(textOf(join(projectDir, '.gitignore')))) return
  writeFileSync(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}secrets.toml\n*.secrets.toml\n`)
}
