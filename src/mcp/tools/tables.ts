import { z } from 'zod'
import {
  dbml,
  isOwnTable,
  mermaid,
  PipelineError,
  redact,
  storedSchema,
  type Column,
  type Pipeline,
  type Schema,
} from '../../index.ts'
import { stringify } from 'yaml'
import { look, pipelineName } from '../pipeline-input.ts'
import { dataNotice, tool } from '../tool.ts'

const tableNameInput = z.string().describe('Name of a table, from list_tables')

export const listTablesTool = tool({
  name: 'list_tables',
  title: 'Tables of a pipeline',
  description:
    'Lists the loaded tables of a pipeline with the resource each comes from; nested tables name their parent.',
  input: z.object({ pipeline_name: pipelineName }),
  output: z.object({
    dataset: z.string(),
    tables: z.array(
      z.object({
        name: z.string(),
        resource: z.string().optional(),
        parent: z.string().optional(),
        write_disposition: z.string().optional(),
        columns: z.number(),
      }),
    ),
  }),
  effect: 'look',
  holdsData: true,
  async run({ pipeline_name: name }) {
    const pipeline = look(name)
    const [known, stored] = await Promise.all([knownTables(pipeline), pipeline.dataset().tables()])
    return {
      dataset: pipeline.lastTarget!.dataset,
      tables: [...stored].map(([table, columns]) => {
        const { resource, parent, writeDisposition } = known.get(table) ?? {}
        return {
          name: table,
          ...(resource === undefined ? {} : { resource }),
          ...(parent === undefined ? {} : { parent }),
          ...(writeDisposition === undefined ? {} : { write_disposition: writeDisposition.disposition }),
          columns: columns.size,
        }
      }),
    }
  },
})

/** The tables of the newest schemas. */
async function knownTables(pipeline: Pipeline) {
  const schemas = await pipeline.schemas()
  return new Map(schemas.flatMap((schema) => [...schema.tables.values()]).map((table) => [table.name, table]))
}

export const tableSchemaTool = tool({
  name: 'get_table_schema',
  title: 'Schema of a table',
  description:
    'Columns of a table: type in Sluice and in the database, keys, cursor. Use sql_identifier in queries as it stands.',
  input: z.object({ pipeline_name: pipelineName, table_name: tableNameInput }),
  output: z.object({
    destination: z.string().describe('Whose SQL it is; files are asked in that of DuckDB'),
    sql_identifier: z.string(),
    columns: z.array(
      z.object({
        name: z.string(),
        sql_identifier: z.string(),
        data_type: z.string().optional(),
        database_type: z.string(),
        nullable: z.boolean(),
        hints: z.array(z.string()),
        description: z.string().optional(),
      }),
    ),
  }),
  effect: 'look',
  holdsData: true,
  async run({ pipeline_name: name, table_name: table }) {
    const pipeline = look(name)
    const [known, stored] = await Promise.all([knownTables(pipeline), pipeline.dataset().tables({ system: true })])
    const columns = stored.get(table)
    if (columns === undefined) throw noTable(name, table, stored.keys())
    await using session = await pipeline.openSession()
    const { quote, tableName: qualified } = session.reader
    return {
      destination: pipeline.lastTarget!.destination,
      sql_identifier: qualified(table),
      columns: [...columns].map(([column, databaseType]) => {
        const { dataType, description, nullable, ...hints } = known.get(table)?.columns.get(column) ?? ({} as Column)
        return {
          name: column,
          sql_identifier: quote(column),
          ...(dataType === undefined ? {} : { data_type: dataType }),
          database_type: databaseType,
          nullable: nullable !== false,
          hints: hintNames.filter((hint) => hints[hint] === true),
          ...(description === undefined ? {} : { description }),
        }
      }),
    }
  },
})

const hintNames = [
  'primaryKey',
  'mergeKey',
  'unique',
  'incremental',
  'rowKey',
  'parentKey',
  'rootKey',
  'variant',
] as const

const noTable = (pipeline: string, table: string, known: Iterable<string>): PipelineError => {
  const names = [...known].filter((one) => !isOwnTable(one)).slice(0, 20)
  return new PipelineError(`${pipeline} has no table "${table}"`, {
    code: 'WRONG_USE',
    fix: names.length === 0 ? 'run the pipeline first' : `use one of: ${names.join(', ')}`,
  })
}

export const rowCountsTool = tool({
  name: 'get_row_counts',
  title: 'Rows of tables',
  description:
    'How many rows each table of a pipeline has. A count such as 10, 20, 50 or 100 may mean that only one page was loaded.',
  input: z.object({ pipeline_name: pipelineName }),
  output: z.object({ rows: z.array(z.object({ table: z.string(), rows: z.number() })) }),
  effect: 'look',
  async run({ pipeline_name: name }) {
    const counts = await look(name).dataset().rowCounts()
    return { rows: [...counts].map(([table, rows]) => ({ table, rows })) }
  },
})

const formats: Record<string, (schema: Schema) => string> = {
  yaml: (one) => stringify(storedSchema(one)).trimEnd(),
  mermaid,
  dbml,
}

/** The newest schema of each source, written out. */
export async function schemaText(name: string, format: keyof typeof formats): Promise<string> {
  const newest = new Map((await look(name).schemas()).map((one) => [one.name, one]))
  return [...newest.values()].map((one) => formats[format]!(one)).join('\n')
}

const longestSchema = 200_000

export const exportSchemaTool = tool({
  name: 'export_schema',
  title: 'Schema as a diagram or text',
  description: 'The whole schema of a pipeline as a mermaid diagram, as DBML, or as YAML in dlt’s layout.',
  input: z.object({
    pipeline_name: pipelineName,
    output_format: z.enum(['mermaid', 'dbml', 'yaml']).default('mermaid'),
  }),
  output: z.object({ format: z.string(), text: z.string(), cut: z.boolean(), note: z.string() }),
  effect: 'look',
  holdsData: true,
  async run({ pipeline_name: name, output_format: format }) {
    const text = await schemaText(name, format)
    return { format, text: redact(text).slice(0, longestSchema), cut: text.length > longestSchema, note: dataNotice }
  },
})
