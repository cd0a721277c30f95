import { z } from 'zod'
import { attach, PipelineError, type Pipeline, type RunRecord } from '../index.ts'

const queryTimeoutMs = 30_000

export const pipelineName = z.string().describe('Name of a pipeline, from list_pipelines')
export const runId = z.string().optional().describe('Id of a run, or the beginning of it; the newest without')

/** A pipeline, opened only to look: nothing that is asked of it can change data, and a query ends after 30 seconds. */
export const look = (name: string): Pipeline => attach(name, { readOnly: { timeoutMs: queryTimeoutMs } })

export const runSummaryShape = z.object({
  run: z.string(),
  status: z.enum(['running', 'done', 'failed', 'died']),
  started_at: z.string(),
  duration_ms: z.number(),
  rows: z.number(),
  error: z.string().optional(),
})

export const summaryOf = ({ id, status, startedAt, durationMs, tables, error }: RunRecord) => ({
  run: id,
  status,
  started_at: startedAt,
  duration_ms: durationMs,
  rows: Object.values(tables).reduce((sum, rows) => sum + rows, 0),
  ...(error === undefined ? {} : { error: error.message }),
})

export function runOf(pipeline: Pipeline, id: string | undefined): RunRecord {
  const run = id === undefined ? pipeline.runs(1)[0] : pipeline.findRun(id)
  if (run !== undefined) return run
  throw new PipelineError(
    id === undefined ? `no run of ${pipeline.name} is on record` : `there is no run "${id}" of ${pipeline.name}`,
    { code: 'WRONG_USE', fix: 'choose one from list_runs' },
  )
}
