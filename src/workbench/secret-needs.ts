import { statSync } from 'node:fs'
import { listPipelines, type SecretNeed } from '../index.ts'
import { projectNeeds } from '../destinations/registry.ts'
import { platformByName, platformNames } from '../sources/chats/registry.ts'
import { readSourceSpec, secretsOf } from '../sources/rest/index.ts'
import { insideProject } from './project-path.ts'
import { sourceFiles } from './source-catalogue.ts'

/**
 * The secrets that sources ask for: of those named (platforms and source files), or of all source files of the project, the
 * platforms that have run here or stand in its settings, and the destinations that were loaded to.
 */
export async function secretNeeds(
  projectDir: string,
  names: readonly string[],
  known: readonly string[],
): Promise<SecretNeed[]> {
  const chosen = names.length > 0 ? names : [...sourceFiles(projectDir), ...platformsIn(known)]
  const needs = (await Promise.all(chosen.map((name) => needsOf(projectDir, name, names.length > 0)))).flat()
  if (names.length > 0) return needs
  const loadedTo = new Set(listPipelines().map(({ destination }) => destination))
  return [...needs, ...(await Promise.all([...loadedTo].map((name) => destinationNeeds(name, known)))).flat()]
}

/** The keys of all secrets that source files of the project ask for; a file that is broken asks for nothing. */
export const secretKeys = (projectDir: string): string[] => [
  ...new Set(sourceFiles(projectDir).flatMap((file) => keysOf(insideProject(projectDir, file)))),
]

/** What a source file asked for when it was of this size and time: each call of a tool wants to know. */
const readBefore = new Map<string, { state: string; keys: string[] }>()

function keysOf(path: string): string[] {
  try {
    const { size, mtimeMs } = statSync(path)
    const state = `${size} ${mtimeMs}`
    const before = readBefore.get(path)
    if (before?.state === state) return before.keys
    const keys = secretsOf(readSourceSpec(path))
    readBefore.set(path, { state, keys })
    return keys
  } catch {
    return []
  }
}

async function needsOf(projectDir: string, name: string, isAsked: boolean): Promise<SecretNeed[]> {
  const platform = await platformByName(name)
  if (platform !== undefined) {
    const place = { root: 'sources', section: name, name: `${name}_source` }
    return platform.docs.settings.filter(({ secret }) => secret).map(({ key }) => ({ key, place, neededBy: name }))
  }
  try {
    const spec = readSourceSpec(insideProject(projectDir, name))
    const place = { root: 'sources', section: spec.section ?? spec.name, name: spec.name }
    return secretsOf(spec).map((key) => ({ key, place, neededBy: name }))
  } catch (error) {
    // A broken file is told where it is asked for, and must not hide the others.
    if (isAsked) throw error
    return []
  }
}

/** Platforms that have a section in the files, or a pipeline. */
function platformsIn(known: readonly string[]): string[] {
  const pipelines = listPipelines().map(({ name }) => name)
  return platformNames.filter(
    (name) =>
      pipelines.includes(`${name}_pipeline`) ||
      known.some((key) => key.startsWith(`sources.${name}_source.`) || key.startsWith(`sources.${name}.`)),
  )
}

/** What a destination needs; its credentials only as they are written in the files, since there are several ways to. */
export async function destinationNeeds(name: string, known: readonly string[]): Promise<SecretNeed[]> {
  const place = { root: 'destination', name }
  const section = `destination.${name}`
  const hasOwn = known.some((key) => isWithin(key, `${section}.credentials`))
  const secrets = (await projectNeeds(name)).needs.filter(({ initial }) => initial === undefined)
  return secrets
    .filter(({ key }) => !hasOwn || !isWithin(key, 'credentials') || known.includes(`${section}.${key}`))
    .map(({ key }) => ({ key, place, neededBy: `destination ${name}` }))
}

const isWithin = (key: string, section: string): boolean => key === section || key.startsWith(`${section}.`)
