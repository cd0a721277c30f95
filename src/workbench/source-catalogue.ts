import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { mostBytes, parseDocument, readBounded, redact } from '../index.ts'
import { readSourceSpec } from '../sources/rest/index.ts'
import { platformByName, platformNames } from '../sources/chats/registry.ts'

/** A source that can be loaded, or a description from which one can be made. */
export interface CatalogueEntry {
  /** What to call it: a platform's name, or a path below the project's folder. */
  name: string
  kind: 'platform' | 'source file' | 'openapi'
  title: string
  about: string
  resources: string[]
  /** The next step with it. */
  command: string
}

/** The platforms, the project's source files, and the OpenAPI descriptions in it. Nothing is asked of the network. */
export async function sourceCatalogue(projectDir: string): Promise<CatalogueEntry[]> {
  const files = projectFiles(projectDir)
  return [...(await platformEntries()), ...files.flatMap((path) => fileEntry(projectDir, path))]
}

async function platformEntries(): Promise<CatalogueEntry[]> {
  return Promise.all(
    platformNames.map(async (name) => {
      const { docs } = (await platformByName(name))!
      return {
        name,
        kind: 'platform' as const,
        title: docs.title,
        about: docs.about,
        resources: docs.resources.map((one) => one.name),
        command: `sluice init ${name} duckdb`,
      }
    }),
  )
}

const deepest = 3
const mostFiles = 200

/** Files that may describe a source, by their names. */
function projectFiles(projectDir: string, depth = 0): string[] {
  const found: string[] = []
  for (const entry of readdirSync(projectDir, { withFileTypes: true }).sort((a, b) => a.name.localeCompare(b.name))) {
    const path = join(projectDir, entry.name)
    if (entry.isDirectory()) {
      if (depth < deepest && !entry.name.startsWith('.') && entry.name !== 'node_modules')
        found.push(...projectFiles(path, depth + 1))
    } else if (/\.source\.(ya?ml|json)$|(^|[.-])(openapi|swagger)\.(ya?ml|json)$/i.test(entry.name)) found.push(path)
    if (found.length >= mostFiles) break
  }
  return found
}

/** The project's source files, as paths below its folder. */
export const sourceFiles = (projectDir: string): string[] =>
  projectFiles(projectDir)
    .filter((path) => /\.source\.(ya?ml|json)$/.test(path))
    .map((path) => relative(projectDir, path))

function fileEntry(projectDir: string, path: string): CatalogueEntry[] {
  const name = relative(projectDir, path)
  try {
    return [/\.source\.(ya?ml|json)$/.test(name) ? sourceEntry(name, path) : openApiEntry(name, path)]
  } catch {
    const about = 'a file that cannot be read; see what is wrong with it'
    return [{ name, kind: 'source file', title: name, about, resources: [], command: `sluice source lint ${name}` }]
  }
}

function sourceEntry(name: string, path: string): CatalogueEntry {
  const spec = readSourceSpec(path)
  const resources = spec.resources.map((one) => (typeof one === 'string' ? one : one.name))
  const base = typeof spec.client.baseUrl === 'string' ? spec.client.baseUrl : 'an address of the settings'
  return {
    name,
    kind: 'source file',
    title: spec.name,
    about: `loads from ${redact(base)}`,
    resources,
    command: `sluice run ${name}`,
  }
}

const mostOperations = 200

function openApiEntry(name: string, path: string): CatalogueEntry {
  const kind = path.endsWith('.json') ? 'json' : 'yaml'
  const { info, paths = {} } = parseDocument(readBounded(path, mostBytes[kind]), kind) as {
    info?: { title?: string; description?: string }
    paths?: Record<string, Record<string, unknown>>
  }
  const reads = Object.entries(paths).filter(([, operations]) => Object.hasOwn(operations, 'get'))
  return {
    name,
    kind: 'openapi',
    title: info?.title ?? name,
    about: (info?.description ?? 'an OpenAPI description').split('\n')[0]!.slice(0, 300),
    resources: reads.slice(0, mostOperations).map(([one]) => one),
    command: `sluice source from-openapi ${name}`,
  }
}

/** Entries that fit all the words of a query best first; all of them without one. */
export function searchCatalogue(entries: readonly CatalogueEntry[], query: string | undefined): CatalogueEntry[] {
  const words = (query ?? '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && !fillers.has(word))
  if (words.length === 0) return [...entries]
  return entries
    .map((entry) => ({ entry, scores: words.map((word) => score(entry, word)) }))
    .filter(({ scores }) => scores.some((one) => one > 0))
    .map(({ entry, scores }) => ({ entry, total: scores.reduce((sum, one) => sum + one, 0) }))
    .sort((a, b) => b.total - a.total || a.entry.name.localeCompare(b.entry.name))
    .map(({ entry }) => entry)
}

const fillers = new Set(['a', 'an', 'and', 'api', 'data', 'for', 'from', 'into', 'load', 'of', 'the', 'to'])

function score({ name, title, about, resources }: CatalogueEntry, word: string): number {
  const holds = (text: string): boolean => text.toLowerCase().includes(word)
  if (name.toLowerCase() === word || title.toLowerCase() === word) return 20
  return (holds(name) || holds(title) ? 10 : 0) + (resources.some(holds) ? 3 : 0) + (holds(about) ? 1 : 0)
}
