import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { parse, patch } from '@decimalturn/toml-patch'
import { removeDrafts, replaceFile } from '../disk/index.ts'
import { PipelineError } from '../errors/index.ts'
import { mostBytes, readBounded } from './bounded-file.ts'
import { realPath, splitHeaders, tomlValue } from './toml-files.ts'

/** Puts a secret into the project's `.sluice/secrets.toml`, which only this user can read from then on. Comments stay. */
export const writeSecret = (key: string, value: string, projectDir = process.cwd()): string =>
  changeProject(projectDir, (text) => withValue(text, keyPath(key), value))

/**
 * Keeps a secret in `~/.sluice/secrets.toml`, where all projects of this user find it and no assistant looks for it. What the
 * project's own file holds under the key would come first, so it is taken out: `takenFrom` is that file.
 */
export function keepSecret(
  key: string,
  value: string,
  projectDir = process.cwd(),
): { path: string; takenFrom: string | undefined } {
  const path = keyPath(key)
  const folder = join(homedir(), '.sluice')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const home = join(folder, 'secrets.toml')
  // In the home folder itself, or with a link that leads there, both are one file.
  const isOneFile = realFile(projectFile(projectDir)) === realFile(home)
  // Read first: a project whose file is broken keeps its secret where it was.
  const holdsKey = !isOneFile && tomlValue(contentOf(secretsPath(projectDir)), path) !== undefined
  changeFile(realFile(home), (text) => withValue(text, path, value))
  if (!holdsKey) return { path: home, takenFrom: undefined }
  return { path: home, takenFrom: changeProject(projectDir, (text) => withoutValue(text, path)) }
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
  changeProject(projectDir, (before) =>
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

function withoutValue(text: string, path: readonly string[]): string {
  const content = parse(text) as Table
  delete (tomlValue(content, path.slice(0, -1)) as Table)[path.at(-1)!]
  return patch(text, content)
}

function changeProject(projectDir: string, change: (text: string) => string): string {
  const path = secretsPath(projectDir)
  changeFile(path, change)
  keepOutOfGit(projectDir, dirname(path))
  return path
}

function changeFile(path: string, change: (text: string) => string): void {
  const after = validated(path, () => change(textOf(path)))
  removeDrafts(dirname(path))
  replaceFile(path, after)
}

const textOf = (path: string): string => (existsSync(path) ? splitHeaders(readBounded(path, mostBytes.settings)) : '')
const contentOf = (path: string): Table => parse(validated(path, () => textOf(path))) as Table

/** The text of a file, when it is valid TOML. */
function validated(path: string, read: () => string): string {
  try {
    const text = read()
    parse(text)
    return text
  } catch (error) {
    if (error instanceof PipelineError) throw error
    // The parser's own message quotes the file.
    throw new PipelineError(`${path} is not valid TOML`, { code: 'CONFIG_INVALID', fix: 'correct the file' })
  }
}

const projectFile = (projectDir: string): string =>
  join(projectDir, process.env.SLUICE_CONFIG_FOLDER ?? '.sluice', 'secrets.toml')

/** A path without links, also of a file that does not exist yet. */
function realFile(path: string): string {
  const folder = dirname(path)
  return realPath(path) ?? (folder === path ? path : join(realFile(folder), basename(path)))
}

/** The project's own file. A link that leads out of the project is not followed. */
function secretsPath(projectDir: string): string {
  const path = projectFile(projectDir)
  const real = realFile(path)
  if (!relative(realFile(projectDir), real).startsWith('..')) return real
  throw new PipelineError(`${path} leads out of the project`, {
    code: 'WRONG_USE',
    fix: 'replace the link by a file, or edit what it leads to yourself',
  })
}

/** A `.gitignore` beside the file, where the project's own does not name it. */
function keepOutOfGit(projectDir: string, folder: string): void {
  const path = join(folder, '.gitignore')
  const linesOf = (file: string): string => (existsSync(file) ? readBounded(file, mostBytes.settings) : '')
  const text = linesOf(path)
  const isNamed = /^\/?([\w.*]+\/)*(\*\.?)?secrets\.toml\s*$/m
  if (isNamed.test(text) || isNamed.test(linesOf(join(projectDir, '.gitignore')))) return
  writeFileSync(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}secrets.toml\n*.secrets.toml\n`)
}
