import { z } from 'zod'
import { failedFacts, redact, refusedRows, type FailedPackage, type Refusal } from '../../index.ts'
import { look, pipelineName } from '../pipeline-input.ts'
import { dataNotice, tool } from '../tool.ts'

const longestReason = 1000
const longestValue = 500
const mostColumns = 60

const refusalShape = z.object({
  resources: z.array(z.string()),
  resource: z.string().optional().describe('The one of them whose table was refused'),
  tables: z.array(z.string()),
  code: z.string(),
  reason: z.string(),
  fix: z.string(),
  table: z.string().optional(),
  column: z.string().optional(),
  line: z.number().optional().describe('The line of the row in the rows of its table, from 1'),
  follows: z.string().optional().describe('The package that was refused before this one, which was not tried'),
})

const packageShape = z.object({
  load_id: z.string(),
  failed_at: z.string(),
  dataset: z.string(),
  rows: z.number(),
  tables: z.array(z.object({ table: z.string(), rows: z.number() })),
  refusals: z.array(refusalShape),
  refused_rows: z
    .array(
      z.object({
        table: z.string(),
        line: z.number(),
        values: z.array(z.object({ column: z.string(), value: z.string().nullable() })),
      }),
    )
    .optional(),
  commands_for_a_person: z.object({ retry: z.string(), discard: z.string() }),
})

export const listFailedPackagesTool = tool({
  name: 'list_failed_packages',
  title: 'Packages that a destination refused',
  description: [
    'Load packages that were set aside: which resources and tables, why, and the refused row where the database names it.',
    'Their rows are read again by the next run. Retrying and discarding are for a person: tell them the command.',
  ].join(' '),
  input: z.object({
    pipeline_name: pipelineName,
    limit: z.number().int().min(1).max(20).default(5).describe('The newest come first'),
  }),
  output: z.object({ packages: z.array(packageShape), in_all: z.number(), note: z.string() }),
  effect: 'look',
  holdsData: true,
  run({ pipeline_name: name, limit }, { showsRows }) {
    const all = look(name).failedPackages().toReversed()
    const packages = all.slice(0, limit).map((one) => packageText(one, showsRows))
    return { packages, in_all: all.length, note: dataNotice }
  },
})

function packageText(failed: FailedPackage, showsRows: boolean): z.input<typeof packageShape> {
  const { loadId, failedAt, dataset, rows, tables, refusals, commands } = failedFacts(failed)
  return {
    load_id: loadId,
    failed_at: failedAt,
    dataset,
    rows,
    tables: tables.map(({ table, rows: count }) => ({ table, rows: count })),
    refusals: refusals.map((refusal) => refusalText(refusal, { showsRows, show: commands.show })),
    ...(showsRows ? { refused_rows: rowsOf(failed) } : {}),
    commands_for_a_person: { retry: commands.retry, discard: commands.discard },
  }
}

/** A database's message quotes values of rows, so it is for those who may see rows. */
function refusalText(
  { message, tables = [], ...refusal }: Refusal,
  { showsRows, show }: { showsRows: boolean; show: string },
): z.input<typeof refusalShape> {
  const hidden = `the message may quote rows, which this server does not show; a person sees it with: ${show}`
  return { ...refusal, tables, reason: showsRows ? cut(message, longestReason) : hidden }
}

const rowsOf = (failed: FailedPackage) =>
  refusedRows(failed).flatMap(({ table, line, columns, cells }) => {
    if (cells === undefined) return []
    const values = columns.slice(0, mostColumns).map((column, at) => {
      const value = cells[at] ?? null
      return { column, value: value === null ? null : cut(value, longestValue) }
    })
    return [{ table, line, values }]
  })

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${redact(text).slice(0, longest)}… (${text.length} characters)`
