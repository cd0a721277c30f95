import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PipelineError, secretStatuses, writePlaceholders } from '../../index.ts'
import { destinationNames, projectNeeds } from '../../destinations/registry.ts'
import type { SettingNeed } from '../../destinations/settings.ts'
import { platformByName, platformNames } from '../../sources/chats/registry.ts'
import { draftSourceFile } from '../source-draft.ts'
import { driverVersions, packageVersion } from '../package-version.ts'
import { projectSecrets } from '../project-secrets.ts'
import { destinationNeeds } from '../secret-needs.ts'
import { platformFiles, readme, restFiles, type ProjectFile } from './project-files.ts'

/** A file of a new project, and whether it was written. */
export interface ScaffoldStep {
  path: string
  action: 'create' | 'update' | 'kept'
}

export interface Scaffold {
  steps: ScaffoldStep[]
  /** What the pipeline is run by. */
  runs: string
  /** Secrets that a person has to set. */
  missing: string[]
}

/**
 * Writes a project that runs at once: a pipeline, its settings, a test that needs no account. What is there already stays.
 * `source` is a platform, an OpenAPI description, or the name of a new REST source.
 */
export async function scaffold(projectDir: string, source: string, destination: string): Promise<Scaffold> {
  if (!destinationNames.includes(destination)) {
    throw new PipelineError(`there is no destination "${destination}"`, {
      code: 'WRONG_USE',
      fix: `use one of: ${destinationNames.join(', ')}`,
    })
  }
  const steps: ScaffoldStep[] = []
  const { name, runs, files, secretsOf } = await sourceFilesFor(projectDir, source, destination, steps)
  const { needs, drivers } = await projectNeeds(destination)
  const about = { name, runs, destination, drivers }
  const folders = needs.filter(({ initial }) => initial !== undefined)
  const settled = withSettings(files, destination, folders)
  const all = [
    ...settled,
    { path: 'package.json', text: packageText(about) },
    { path: 'README.md', text: readme(about) },
  ]
  for (const file of all) steps.push(write(projectDir, file))
  steps.push(ignore(projectDir, [...ignored, ...folders.map(({ initial }) => `${initial}/`)]))
  const missing = await placeholders(projectDir, secretsOf, { destination, needs }, steps)
  return { steps, runs, missing }
}

interface SourceFiles {
  name: string
  runs: string
  files: ProjectFile[]
  /** What `sluice secrets list` is asked about. */
  secretsOf: string
}

async function sourceFilesFor(
  projectDir: string,
  source: string,
  destination: string,
  steps: ScaffoldStep[],
): Promise<SourceFiles> {
  const platform = await platformByName(source)
  if (platform !== undefined) {
    const { docs } = platform
    return { name: source, runs: `${source}_pipeline.ts`, files: platformFiles(docs, destination), secretsOf: source }
  }
  if (/^https?:|\.(ya?ml|json)$/.test(source)) {
    const { path } = await draftSourceFile(source, {})
    steps.push({ path, action: 'create' })
    const name = basename(path).replace(/\.source\.yaml$/, '')
    return { name, runs: path, files: [], secretsOf: path }
  }
  if (!/^[a-z][a-z0-9_]{0,60}$/.test(source)) {
    throw new PipelineError(`"${source}" is no name of a source`, {
      code: 'WRONG_USE',
      fix: `use a platform (${platformNames.join(', ')}), an OpenAPI file, or a new name such as shop`,
    })
  }
  return { name: source, runs: `${source}.source.yaml`, files: restFiles(source), secretsOf: `${source}.source.yaml` }
}

/** The files, with the settings that a destination begins with in the one for settings. */
function withSettings(
  files: readonly ProjectFile[],
  destination: string,
  folders: readonly SettingNeed[],
): ProjectFile[] {
  if (folders.length === 0) return [...files]
  const path = '.sluice/config.toml'
  const before = files.find((file) => file.path === path)
  const lines = folders.map(({ key, hint, initial }) => `# ${hint}\n${key} = "${initial}"\n`)
  const section = `[destination.${destination}]\n${lines.join('')}`
  const text = before === undefined ? section : `${before.text}\n${section}`
  return [...files.filter((file) => file !== before), { path, text }]
}

function write(projectDir: string, { path, text }: ProjectFile): ScaffoldStep {
  const file = join(projectDir, path)
  if (existsSync(file)) return { path, action: 'kept' }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return { path, action: 'create' }
}

interface About {
  name: string
  runs: string
  destination: string
  drivers: readonly string[]
}

const packageText = ({ name, runs, destination, drivers }: About): string =>
  `${JSON.stringify(
    {
      name: name.replaceAll('_', '-'),
      private: true,
      type: 'module',
      scripts: {
        load: runs.endsWith('.ts') ? `node ${runs}` : `sluice run ${runs} --destination ${destination}`,
        test: 'node --test',
      },
      dependencies: { sluice: `^${packageVersion()}`, ...driverVersions(drivers) },
      engines: { node: '>=22.19' },
    },
    null,
    2,
  )}\n`

const ignored = ['node_modules/', '*.duckdb', '*.duckdb.wal', '.sluice/secrets.toml', '.sluice/*.secrets.toml']

function ignore(projectDir: string, wanted: readonly string[]): ScaffoldStep {
  const file = join(projectDir, '.gitignore')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')))
  const missing = wanted.filter((one) => !lines.has(one.replace(/\/$/, '')))
  if (missing.length === 0) return { path: '.gitignore', action: 'kept' }
  writeFileSync(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
  return { path: '.gitignore', action: text === '' ? 'create' : 'update' }
}

async function placeholders(
  projectDir: string,
  secretsOf: string,
  { destination, needs }: { destination: string; needs: readonly SettingNeed[] },
  steps: ScaffoldStep[],
): Promise<string[]> {
  const wanted = (await projectSecrets(projectDir, [secretsOf])).filter(({ status }) => status !== 'set')
  const present = secretStatuses([], projectDir).map(({ key }) => key)
  const hints = new Map(needs.map(({ key, hint }) => [`destination.${destination}.${key}`, hint]))
  const own = secretStatuses(await destinationNeeds(destination, present), projectDir)
    .filter(({ neededBy, status }) => neededBy.length > 0 && status !== 'set')
    .map(({ key }) => ({ key, hint: hints.get(key)! }))
  const all = [...wanted.map(({ key }) => ({ key })), ...own]
  if (all.length === 0) return []
  const written = writePlaceholders(all, projectDir)
  steps.push({ path: '.sluice/secrets.toml', action: written.length > 0 ? 'create' : 'kept' })
  return all.map(({ key }) => key)
}
