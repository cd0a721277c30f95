import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { PipelineError } from '../errors/index.ts'
import { isTooDeep, mostBytes, readBounded } from './bounded-file.ts'

type Table = Record<string, unknown>

interface Folder {
  path: string
  /** Of this user, for all projects. */
  isHome: boolean
}

/** The project's folder of settings, dlt's own as well, then the same in the home folder. The first file wins. */
function folders(projectDir: string): Folder[] {
  const names = [process.env.SLUICE_CONFIG_FOLDER ?? '.sluice', process.env.DLT_CONFIG_FOLDER ?? '.dlt']
  const project = projectFolder(projectDir)
  return [
    ...names.map((name) => ({ path: join(project, name), isHome: false })),
    ...homeFolders().map((path) => ({ path, isHome: true })),
  ]
}

const projectFolder = (projectDir: string): string => resolve(process.env.DLT_PROJECT_DIR ?? projectDir)
const homeFolders = (): string[] => ['.sluice', '.dlt'].map((name) => join(homedir(), name))

export interface TomlFile {
  path: string
  /** `undefined` when the file does not exist. */
  content: Table | undefined
  /** It is in the home folder, where no project can write. A link that leads there from a project counts. */
  isHome: boolean
}

/**
 * Reads `secrets.toml` or `config.toml` from every folder where it may be. With a profile (`SLUICE_PROFILE=prod`), what stands in
 * `prod.config.toml` of a folder comes before that.
 */
export function readTomlFiles(fileName: string, projectDir: string): TomlFile[] {
  const names = withProfile(fileName)
  // The home folder as a project is no stranger's: its files are its own.
  const isHomeProject = realPath(projectFolder(projectDir)) === realPath(homedir())
  return folders(projectDir)
    .flatMap(({ path, isHome }) => names.map((name) => ({ path: join(path, name), isHome })))
    .map(({ path, isHome }) => {
      const real = realPath(path)
      if (real === undefined) return { path, isHome, content: undefined }
      // The path that was checked is the one that is read: a link could be changed in between.
      return {
        path,
        isHome: isHome || (!isHomeProject && isOfHome(real)),
        content: parseToml(readBounded(real, mostBytes.settings), path),
      }
    })
}

function withProfile(fileName: string): string[] {
  const profile = process.env.SLUICE_PROFILE
  return profile === undefined || !/^\w[\w-]*$/.test(profile) ? [fileName] : [`${profile}.${fileName}`, fileName]
}

/** Whether a real path is of a file in the home folder, or of one that a link in the home folder leads to. */
function isOfHome(real: string): boolean {
  const names = ['secrets.toml', 'config.toml'].flatMap(withProfile)
  return homeFolders().some((folder) => {
    const realFolder = realPath(folder)
    const isBelow = realFolder !== undefined && real.startsWith(`${realFolder}${sep}`)
    return isBelow || names.some((name) => realPath(join(folder, name)) === real)
  })
}

/** A path without links and in the letters that the file system uses; `undefined` when there is no such file. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}

function parseToml(text: string, path: string): Table {
  let table: Table
  try {
    table = parse(splitHeaders(text))
  } catch (error) {
    const line = error instanceof TomlError ? `, line ${error.line}` : ''
    // The parser's own message quotes the line, which may hold a secret.
    throw new PipelineError(`${path} is not valid TOML${line}`, {
      code: 'CONFIG_INVALID',
      fix: 'correct the file; text values stand in quotes: api_key = "…"',
    })
  }
  if (!isTooDeep(table)) return table
  throw new PipelineError(`${path} nests deeper than 200 levels`, {
    code: 'CONFIG_INVALID',
    fix: 'correct the file; settings are a few sections deep: sources.shop.api_key',
  })
}

/** Documentation often shows `[section] key = "value"` on one line; TOML wants two. */
export const splitHeaders = (text: string): string =>
  text.replace(/^([ \t]*\[[^\]\n"']+\])[ \t]+(?=[A-Za-z_][\w-]*[ \t]*=)/gm, '$1\n')

/** A value by its dotted path, looked up in own properties only. */
export function tomlValue(content: Table | undefined, path: readonly string[]): unknown {
  let current: unknown = content
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Table)[key]
  }
  return current
}

/** The values in files of the home folder next to a setting: of its section, which `credentials` is a part of. */
export function homeValues(key: string, files: readonly string[]): unknown[] {
  const section = key.split('.').slice(0, -1)
  if (section.at(-1) === 'credentials') section.pop()
  if (section.length === 0) return []
  return files
    .flatMap((name) => readTomlFiles(name, homedir()))
    .filter(({ isHome }) => isHome)
    .flatMap(({ content }) => valuesIn(tomlValue(content, section)))
}

const valuesIn = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesIn) : [value]
