import { z } from 'zod'
import { compareRuns, redact, type RunRecord } from '../../index.ts'
import { explainRun } from '../../workbench/explain-run.ts'
import { look, pipelineName, runId, runOf, runSummaryShape, summaryOf } from '../pipeline-input.ts'
import { dataNotice, tool } from '../tool.ts'

export const listRunsTool = tool({
  name: 'list_runs',
  title: 'Runs of a pipeline',
  description: 'The runs of a pipeline that are on record, the newest first.',
  input: z.object({
    pipeline_name: pipelineName,
    limit: z.number().int().min(1).max(200).default(20),
    cursor: z.string().optional().describe('next_cursor of the call before'),
  }),
  output: z.object({ runs: z.array(runSummaryShape), next_cursor: z.string().optional() }),
  effect: 'look',
  holdsData: true,
  run({ pipeline_name: name, limit, cursor }) {
    const all = look(name).runs()
    const begin = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1
    const page = all.slice(begin, begin + limit)
    const hasMore = begin + limit < all.length
    return { runs: page.map(summaryOf), ...(hasMore ? { next_cursor: page.at(-1)!.id } : {}) }
  },
})

const resourceShape = z.object({
  name: z.string(),
  rows: z.number(),
  pages: z.number(),
  ms: z.number(),
  retries: z.number(),
  waited_ms: z.number(),
  skipped: z.number(),
  requests: z.array(z.object({ status: z.number(), count: z.number() })),
  error: z.string().optional(),
})

export const runSummaryTool = tool({
  name: 'run_summary',
  title: 'What a run did',
  description: 'One run: its resources with rows, pages and answers, the tables it loaded, schema changes, its error.',
  input: z.object({ pipeline_name: pipelineName, run: runId }),
  output: z.object({
    ...runSummaryShape.shape,
    resources: z.array(resourceShape),
    tables: z.array(z.object({ table: z.string(), rows: z.number() })),
    new_columns: z.array(z.object({ table: z.string(), columns: z.array(z.string()) })),
    load_ids: z.array(z.string()),
    settings_used: z.array(z.string()),
    note: z.string(),
  }),
  effect: 'look',
  holdsData: true,
  run: ({ pipeline_name: name, run }) => runText(runOf(look(name), run)),
})

const mostNames = 40

export function runText(run: RunRecord) {
  return {
    ...summaryOf(run),
    resources: Object.entries(run.resources).map(([name, one]) => ({
      name,
      rows: one.rows,
      pages: one.pages,
      ms: Math.round((one.finishedMs ?? run.durationMs) - one.startedMs),
      retries: one.retries,
      waited_ms: Math.round(one.waitedMs),
      skipped: one.skipped,
      requests: Object.entries(one.requests).map(([status, { count }]) => ({ status: Number(status), count })),
      ...(one.error === undefined ? {} : { error: `${one.error.message} (fix: ${one.error.fix})` }),
    })),
    tables: Object.entries(run.tables).map(([table, rows]) => ({ table, rows })),
    new_columns: run.changes
      .slice(0, mostNames)
      .map(({ table, columns }) => ({ table, columns: columns.slice(0, mostNames).map((one) => one.name) })),
    load_ids: run.packages.map(({ loadId }) => loadId),
    settings_used: run.settings.map(({ name, provider }) => `${name} (${provider})`),
    note: dataNotice,
  }
}

export const explainFailureTool = tool({
  name: 'explain_failure',
  title: 'Why a run failed, or loaded too little',
  description: [
    'Says what kind of failure a run met, with the evidence and the next step. Also finds what is wrong with a run that',
    'ended well: no rows, only one page, answers that were left out.',
  ].join(' '),
  input: z.object({ pipeline_name: pipelineName, run: runId }),
  output: z.object({
    run: z.string(),
    status: z.string(),
    findings: z.array(
      z.object({
        classification: z.string(),
        what: z.string(),
        resource: z.string().optional(),
        evidence: z.array(z.object({ source: z.string(), excerpt: z.string() })),
        fix: z.string(),
        next_command: z.string().optional(),
        needs_a_person: z.boolean(),
      }),
    ),
    note: z.string(),
  }),
  effect: 'look',
  holdsData: true,
  run({ pipeline_name: name, run }) {
    const pipeline = look(name)
    const record = runOf(pipeline, run)
    const findings = explainRun(record, pipeline.requests(record.id)).map(
      ({ nextCommand, needsPerson, ...finding }) => ({
        ...finding,
        ...(nextCommand === undefined ? {} : { next_command: nextCommand }),
        needs_a_person: needsPerson,
      }),
    )
    return { run: record.id, status: record.status, findings, note: dataNotice }
  },
})

const comparedShape = z.array(
  z.object({ name: z.string(), before: z.number().nullable(), after: z.number().nullable() }),
)

export const compareRunsTool = tool({
  name: 'compare_runs',
  title: 'Two runs side by side',
  description: 'What is other in a run than in one before it: rows by table, time and requests by resource.',
  input: z.object({
    pipeline_name: pipelineName,
    before: z.string().optional().describe('The earlier run; the one before the newest without'),
    after: z.string().optional().describe('The later run; the newest without'),
  }),
  output: z.object({
    before: runSummaryShape,
    after: runSummaryShape,
    tables: comparedShape,
    emptied_tables: z.array(z.string()).describe('They had rows, and the later run left none'),
    durations_ms: comparedShape,
    requests: comparedShape,
  }),
  effect: 'look',
  holdsData: true,
  run({ pipeline_name: name, before, after }) {
    const pipeline = look(name)
    const later = runOf(pipeline, after)
    const runs = pipeline.runs()
    const earlier =
      before === undefined ? runs[runs.findIndex(({ id }) => id === later.id) + 1] : runOf(pipeline, before)
    const { tables, emptied, durations, requests } = compareRuns(earlier ?? later, later)
    return {
      before: summaryOf(earlier ?? later),
      after: summaryOf(later),
      tables: tables.map(plain),
      emptied_tables: emptied,
      durations_ms: durations.map(plain),
      requests: requests.map(plain),
    }
  },
})

const plain = ({ name, before, after }: { name: string; before: number | undefined; after: number | undefined }) => ({
  name,
  before: before ?? null,
  after: after ?? null,
})

const longestBody = 1500

export const readRequestsTool = tool({
  name: 'read_requests',
  title: 'Requests of a run',
  description:
    'What a run asked of the API and what it answered: address, status, headers and the beginning of the body. Secrets are masked.',
  input: z.object({
    pipeline_name: pipelineName,
    run: runId,
    resource: z.string().optional(),
    failed_only: z.boolean().default(false),
    limit: z.number().int().min(1).max(50).default(10),
    cursor: z.string().optional().describe('next_cursor of the call before'),
  }),
  output: z.object({
    requests: z.array(
      z.object({
        resource: z.string(),
        method: z.string(),
        url: z.string(),
        status: z.number(),
        ms: z.number(),
        answer: z.string(),
      }),
    ),
    next_cursor: z.string().optional(),
    note: z.string(),
  }),
  effect: 'look',
  holdsData: true,
  run({ pipeline_name: name, run, resource, failed_only: onlyFailed, limit, cursor }) {
    const pipeline = look(name)
    const all = pipeline
      .requests(runOf(pipeline, run).id)
      .filter((one) => resource === undefined || one.resource === resource)
      .filter(({ status }) => !onlyFailed || status >= 400 || status === 0)
    const begin = Number(cursor ?? 0)
    const page = all.slice(begin, begin + limit)
    return {
      requests: page.map(({ resource: of, method, url, status, ms, responseBody }) => ({
        resource: of,
        method,
        url,
        status,
        ms,
        answer: redact(responseBody).slice(0, longestBody),
      })),
      ...(begin + limit < all.length ? { next_cursor: String(begin + limit) } : {}),
      note: dataNotice,
    }
  },
})
