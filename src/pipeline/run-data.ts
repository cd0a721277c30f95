import { PipelineError } from '../errors/index.ts'
import { Resource, resource, source, Source, type ResourceData, type ResourceOptions } from '../extract/index.ts'

/** What `run` takes: a source, a resource, several of them, or rows. */
export type RunData<Row> = Source | Resource<Row> | readonly (Source | Resource<Row>)[] | ResourceData<Row>

/** What is to be run as sources; rows and resources alone become one that is called like the pipeline. */
export function asSources<Row>(pipeline: string, data: RunData<Row>, options: ResourceOptions<Row>): Source[] {
  if (data instanceof Source) return [withOptions(data, options)]
  if (data instanceof Resource) return [source(pipeline, [data.with(options)])]
  if (isListOfParts(data)) {
    const sources = data.filter((part): part is Source => part instanceof Source)
    const resources = data.filter((part): part is Resource<Row> => part instanceof Resource)
    const loose =
      resources.length === 0
        ? []
        : [
            source(
              pipeline,
              resources.map((one) => one.with(options)),
            ),
          ]
    return [...sources.map((one) => withOptions(one, options)), ...loose]
  }
  const { tableName } = options
  if (tableName === undefined) {
    throw new PipelineError('run(): rows need the name of their table', {
      code: 'WRONG_USE',
      fix: "give it: run(rows, { tableName: 'users' })",
    })
  }
  const name = typeof tableName === 'string' ? tableName : pipeline
  return [source(pipeline, [resource(name, data as ResourceData<Row>, options)])]
}

function withOptions<Row>(data: Source, options: ResourceOptions<Row>): Source {
  if (Object.keys(options).length === 0) return data
  const resources = data.resources.map((one) => one.with(options as ResourceOptions))
  return new Source(data.name, resources, data.options)
}

const isListOfParts = <Row>(data: RunData<Row>): data is readonly (Source | Resource<Row>)[] =>
  Array.isArray(data) && data.length > 0 && data.every((part) => part instanceof Source || part instanceof Resource)
