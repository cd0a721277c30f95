import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server'
import { hideProjectSecrets, listPipelines, PipelineError, readableJson, redact } from '../index.ts'
import { secretKeys } from '../workbench/secret-needs.ts'
import { look, runOf } from './pipeline-input.ts'
import { asData, type Workspace } from './tool.ts'
import { runText } from './tools/runs.ts'
import { schemaText } from './tools/tables.ts'

const listedRuns = 20

/** What a host can attach to a conversation: the schema of a pipeline, and a run. */
export function registerResources(server: McpServer, { projectDir }: Workspace): void {
  const names = (): string[] => listPipelines().map(({ name }) => name)
  const startingWith = (value: string): string[] => names().filter((name) => name.startsWith(value))
  const contents = (uri: URL, mimeType: string, text: string) => {
    hideProjectSecrets(projectDir, secretKeys(projectDir))
    return { contents: [{ uri: uri.href, mimeType, text: redact(asData(text)) }] }
  }

  server.registerResource(
    'schema',
    new ResourceTemplate('pipeline://{pipeline}/schema', {
      list: () => ({
        resources: names().map((name) => ({
          uri: `pipeline://${encodeURIComponent(name)}/schema`,
          name: `schema of ${name}`,
          mimeType: 'application/yaml',
        })),
      }),
      complete: { pipeline: startingWith },
    }),
    { title: 'Schema of a pipeline', description: 'Tables, columns and types as YAML', mimeType: 'application/yaml' },
    async (uri, { pipeline }) => contents(uri, 'application/yaml', await schemaText(one(pipeline), 'yaml')),
  )

  server.registerResource(
    'run',
    new ResourceTemplate('run://{pipeline}/{run}', {
      list: () => ({
        resources: names().flatMap((name) =>
          look(name)
            .runs(listedRuns)
            .map(({ id, status, startedAt }) => ({
              uri: `run://${encodeURIComponent(name)}/${id}`,
              name: `${name}, ${startedAt.slice(0, 16).replace('T', ' ')}: ${status}`,
              mimeType: 'application/json',
            })),
        ),
      }),
      complete: {
        pipeline: startingWith,
        run: (value, context) => {
          const name = context?.arguments?.pipeline
          if (name === undefined || !names().includes(name)) return []
          return look(name)
            .runs(listedRuns)
            .map(({ id }) => id)
            .filter((id) => id.startsWith(value))
        },
      },
    }),
    { title: 'A run', description: 'What a run did, as JSON', mimeType: 'application/json' },
    (uri, { pipeline, run }) =>
      contents(uri, 'application/json', readableJson(runText(runOf(look(one(pipeline)), one(run))))),
  )
}

function one(value: string | string[] | undefined): string {
  if (typeof value === 'string') return decodeURIComponent(value)
  throw new PipelineError('the address names no pipeline', {
    code: 'WRONG_USE',
    fix: 'pipeline://<pipeline>/schema, run://<pipeline>/<run>',
  })
}
