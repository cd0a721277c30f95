import type { RunRecord } from '../index.ts'
import type { LoadedRun } from '../jobs/alerts/conditions.ts'
import { jsonOf, ownSchema } from './own-tables.ts'
import type { WorkItem } from './work-item.ts'
import type { Transaction } from './work-queue.ts'

// What the items of a job's run have loaded, together: they are done on many machines, and alerts look at the whole.

/** What a pipeline that an item ran has loaded. */
export type ItemRun = Pick<RunRecord, 'pipeline' | 'tables' | 'changes' | 'error'>

/** Adds what an item has loaded, in the transaction that settles it. */
export async function noteLoaded(
  db: Transaction,
  { job, run, attempt = 1 }: WorkItem,
  runs: readonly ItemRun[],
): Promise<void> {
  // In one order, so that no two transactions wait for each other.
  const inOrder = runs.toSorted((a, b) => a.pipeline.localeCompare(b.pipeline))
  for (const { pipeline, tables, changes, error } of inOrder) {
    const rows = Object.values(tables).reduce((sum, count) => sum + count, 0)
    // An earlier try may have loaded them and been killed before it could say so: that is no run without rows.
    if (rows === 0 && attempt > 1 && error === undefined) continue
    await db.executeSql(note, [job, run, pipeline, rows, jsonOf(changes), error === undefined ? null : jsonOf(error)])
  }
}

const note = `
INSERT INTO ${ownSchema}.loaded AS l (job, run, pipeline, rows, changes, error) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (job, run, pipeline) DO UPDATE SET
  rows = l.rows + excluded.rows, changes = l.changes || excluded.changes, error = coalesce(excluded.error, l.error)`

/** Of runs that are over, the newest first; as many rows as the alerts of one job need. */
export const loadedQuery = `
SELECT l.job, l.run, l.pipeline, l.rows, l.changes, l.error, l.done >= l.items AS is_whole
FROM unnest($1::text[]) AS j (job), LATERAL (
  SELECT loaded.*, done, items FROM ${ownSchema}.loaded JOIN ${ownSchema}.run USING (run)
  WHERE loaded.job = j.job AND ended_at IS NOT NULL
  ORDER BY run DESC LIMIT 100
) AS l`

/** By their jobs: runs of a job as if each were one of a pipeline; where parts are missing, it has failed. */
export function loadedOf(rows: readonly Record<string, unknown>[]): Map<string, LoadedRun[]> {
  const runOf = ({
    run,
    pipeline,
    rows: count,
    changes,
    error,
    is_whole: isWhole,
  }: Record<string, unknown>): LoadedRun => ({
    id: String(run),
    jobRun: String(run),
    pipeline: String(pipeline),
    status: isWhole === true ? 'done' : 'failed',
    tables: { all: Number(count) },
    changes: changes as LoadedRun['changes'],
    ...(error === null ? {} : { error: error as NonNullable<LoadedRun['error']> }),
  })
  const byJob = Map.groupBy(rows, ({ job }) => String(job))
  return new Map([...byJob].map(([job, all]) => [job, all.map(runOf)]))
}
