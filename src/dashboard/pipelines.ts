import { attach, listPipelines, type Pipeline, type RunRecord } from '../index.ts'
import type { PipelineSummary, RunSummary } from './api.ts'

const shownRuns = 30
const timeoutMs = 30_000

/** A pipeline, opened only to look. */
export const look = (name: string): Pipeline => attach(name, { readOnly: { timeoutMs } })

export const pipelines = (): PipelineSummary[] =>
  listPipelines().map(({ name, destination, dataset, location }) => {
    const pipeline = look(name)
    return {
      name,
      destination,
      dataset,
      location,
      runs: pipeline.runs(shownRuns).map(summaryOf).toReversed(),
      pending: pipeline.pendingPackages().length,
      failed: pipeline.failedPackages().length,
    }
  })

export function summaryOf(run: RunRecord): RunSummary {
  return {
    id: run.id,
    status: run.status,
    startedAt: run.startedAt,
    // A run that is still going has lasted until now.
    durationMs: run.status === 'running' ? Date.now() - Date.parse(run.startedAt) : run.durationMs,
    rows: Object.values(run.tables).reduce((sum, rows) => sum + rows, 0),
    newColumns: run.changes.reduce((sum, { columns }) => sum + columns.length, 0),
    ...(run.error === undefined ? {} : { error: run.error.message }),
  }
}
