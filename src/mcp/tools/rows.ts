import { z } from 'zod'
import { look, pipelineName } from '../pipeline-input.ts'
import { rowCursor, rowLimit, rowsFrom, rowsShape } from '../rows.ts'
import { tool } from '../tool.ts'

export const previewTableTool = tool({
  name: 'preview_table',
  title: 'Rows of a table',
  description: 'The first rows of a table, or of some of its columns.',
  input: z.object({
    pipeline_name: pipelineName,
    table_name: z.string(),
    columns: z.array(z.string()).min(1).optional().describe('Only these columns'),
    limit: rowLimit.default(10),
    cursor: rowCursor,
  }),
  output: rowsShape,
  effect: 'look',
  holdsData: true,
  async run({ pipeline_name: name, table_name: table, columns, limit, cursor }) {
    const rows = look(name).dataset().table(table)
    return rowsFrom(columns === undefined ? rows : rows.select(...columns), { limit, cursor })
  },
})

export const executeSqlTool = tool({
  name: 'execute_sql_query',
  title: 'Query in SQL',
  description: [
    'Runs one SELECT in the SQL of the destination and gives its rows. Anything that could change data, read files or',
    'reach other systems is refused by the database itself. Paging runs the query again, so give it an ORDER BY.',
  ].join(' '),
  input: z.object({
    pipeline_name: pipelineName,
    sql_select_query: z.string().max(20_000).describe('One SELECT; tables are named with their dataset: data.users'),
    limit: rowLimit,
    cursor: rowCursor,
  }),
  output: rowsShape,
  effect: 'look',
  holdsData: true,
  run: ({ pipeline_name: name, sql_select_query: sql, limit, cursor }) =>
    rowsFrom(look(name).dataset().query(sql), { limit, cursor }),
})
