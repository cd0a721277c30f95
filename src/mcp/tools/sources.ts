import { relative } from 'node:path'
import { z } from 'zod'
import { PipelineError } from '../../index.ts'
import { platformByName } from '../../sources/chats/registry.ts'
import { refuseUnknownHosts } from '../../workbench/allowed-hosts.ts'
import { markdown } from '../../workbench/document.ts'
import { probeFacts, probeSourceFile } from '../../workbench/probe-source.ts'
import { insideProject } from '../../workbench/project-path.ts'
import { searchCatalogue, sourceCatalogue } from '../../workbench/source-catalogue.ts'
import { draftSourceFile, validateSourceFile, writeSourceFile } from '../../workbench/source-draft.ts'
import { sourceFacts, sourcePage } from '../../workbench/source-page.ts'
import { dataNotice, tool } from '../tool.ts'

const sourcePath = z.string().describe('Path of a source file in the project: shop.source.yaml')

export const searchSourcesTool = tool({
  name: 'search_sources',
  title: 'Find a source',
  description: [
    'Searches, offline, the chat platforms that come with Sluice, the source files of the project and the OpenAPI files in',
    'it. Give essential words only, such as the name of a product.',
  ].join(' '),
  input: z.object({ query: z.string().max(200).optional().describe('All that there is without') }),
  output: z.object({
    sources: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['platform', 'source file', 'openapi']),
        title: z.string(),
        about: z.string(),
        resources: z.array(z.string()),
        command: z.string(),
      }),
    ),
    next_step: z.string(),
  }),
  effect: 'look',
  holdsData: true,
  async run({ query }, { projectDir }) {
    const sources = searchCatalogue(await sourceCatalogue(projectDir), query).slice(0, 20)
    const next =
      sources.length > 0
        ? 'read get_source_docs of the one that fits'
        : 'put an OpenAPI file of the API into the project, or write a source file from its documentation with write_source_file'
    return { sources, next_step: next }
  },
})

export const sourceDocsTool = tool({
  name: 'get_source_docs',
  title: 'Page of a source',
  description:
    'The page about a platform or a source file: resources with paging, keys and cursors, credentials, an example, troubleshooting.',
  input: z.object({ source: z.string().describe('Name of a platform, or path of a source file') }),
  output: z.object({ markdown: z.string(), note: z.string() }),
  effect: 'look',
  holdsData: true,
  async run({ source }, { projectDir }) {
    const isPlatform = (await platformByName(source)) !== undefined
    const facts = await sourceFacts(isPlatform ? source : insideProject(projectDir, source))
    return { markdown: markdown(sourcePage(facts)), note: dataNotice }
  },
})

const findings = z.array(
  z.object({ level: z.enum(['error', 'warning', 'hint']), path: z.string(), message: z.string() }),
)
const validation = z.object({ source: z.string(), resources: z.array(z.string()), findings, next_step: z.string() })

const nextStep = (path: string, found: readonly { level: string }[]): string =>
  found.some(({ level }) => level === 'error')
    ? 'correct the errors, and validate again'
    : `probe_source asks once for each resource: ${path}`

export const validateSourceTool = tool({
  name: 'validate_source',
  title: 'Check a source file',
  description: 'Tells everything that is wrong with a source file, or could be better, without asking its API.',
  input: z.object({ path: sourcePath }),
  output: validation,
  effect: 'look',
  run({ path }, { projectDir }) {
    const result = validateSourceFile(insideProject(projectDir, path))
    return { ...result, next_step: nextStep(path, result.findings) }
  },
})

export const writeSourceTool = tool({
  name: 'write_source_file',
  title: 'Write a source file',
  description: [
    'Writes a <name>.source.yaml of the project and checks it. dlt’s REST keys in snake_case: client {base_url, auth,',
    'paginator}, resource_defaults, resources [{name, endpoint: {path, params, data_selector, paginator, incremental},',
    'primary_key, write_disposition}]. Secrets are named, never written: token: { secret: token }.',
  ].join(' '),
  input: z.object({
    path: sourcePath,
    text: z.string().max(500_000),
    overwrite: z.boolean().default(false),
  }),
  output: validation,
  effect: 'write',
  run({ path, text, overwrite }, { projectDir }) {
    const result = writeSourceFile(projectDir, path, text, overwrite)
    return { ...result, next_step: nextStep(path, result.findings) }
  },
})

export const draftSourceTool = tool({
  name: 'draft_source_from_openapi',
  title: 'Source file from OpenAPI',
  description:
    'Writes a source file from an OpenAPI description in the project: paths, parameters, paging, keys, parents, auth.',
  input: z.object({
    document: z.string().describe('Path of an OpenAPI file in the project'),
    path: sourcePath.optional(),
    only: z.array(z.string()).optional().describe('Only operations with these beginnings of paths, or tags'),
    overwrite: z.boolean().default(false),
  }),
  output: z.object({
    path: z.string(),
    resources: z.array(z.string()),
    left_out: z.record(z.string(), z.number()),
    next_step: z.string(),
  }),
  effect: 'write',
  async run({ document, path, only, overwrite }, { projectDir }) {
    if (path !== undefined && !/\.source\.(ya?ml|json)$/.test(path))
      throw new PipelineError(`${path} is no name of a source file`, {
        code: 'WRONG_USE',
        fix: 'call it <name>.source.yaml',
      })
    const options = { overwrite, ...(only === undefined ? {} : { only }) }
    const made = await draftSourceFile(insideProject(projectDir, document), {
      ...options,
      path: insideProject(projectDir, path ?? `${nameFrom(document)}.source.yaml`),
    })
    const written = relative(projectDir, made.path)
    return {
      path: written,
      resources: made.draft.resources.map(({ name }) => name),
      left_out: Object.fromEntries(made.draft.leftOut),
      next_step: `validate_source, then probe_source: ${written}`,
    }
  },
})

const nameFrom = (document: string): string =>
  document.replace(/^.*[\\/]/, '').replace(/[.-]?(openapi|swagger)?\.(ya?ml|json)$/i, '') || 'api'

export const probeSourceTool = tool({
  name: 'probe_source',
  title: 'Try a source file',
  description: [
    'Sends one request for each resource and tells what came: status, rows, where they stand, paging, columns with types.',
    'Nothing is loaded. Needs the secrets of the source to be set.',
  ].join(' '),
  input: z.object({ path: sourcePath, resources: z.array(z.string()).min(1).optional() }),
  output: z.object({ resources: z.array(z.record(z.string(), z.unknown())), note: z.string() }),
  effect: 'look',
  asksTheWorld: true,
  holdsData: true,
  async run({ path, resources }, { projectDir }) {
    await refuseUnknownHosts(projectDir, path)
    const probes = await probeSourceFile(insideProject(projectDir, path), resources)
    return { resources: probes.map(probeFacts), note: dataNotice }
  },
})
