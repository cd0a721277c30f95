import { listPipelines, type SecretNeed } from '../index.ts'
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
  return names.length > 0 ? needs : [...needs, ...destinationNeeds(known)]
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

/** Of destinations that have no credentials of their own in the files; DuckDB and folders need none. */
function destinationNeeds(known: readonly string[]): SecretNeed[] {
  const local = new Set(['duckdb', 'filesystem'])
  const names = new Set(listPipelines().map(({ destination }) => destination))
  return [...names]
    .filter((name) => !local.has(name) && !known.some((key) => key.startsWith(`destination.${name}.credentials.`)))
    .map((name) => ({ key: 'credentials', place: { root: 'destination', name }, neededBy: `destination ${name}` }))
}
