import { compareRuns, failedFacts, PipelineError, type RunRecord } from '../index.ts'
import { listSchedules } from '../jobs/schedule-store.ts'
import { act, actions, runAgain } from './actions.ts'
import { columnProfile, exportFile, queryPage, rowCounts, tablePage, tables } from './data.ts'
import { look, pipelines, summaryOf } from './pipelines.ts'
import { packages, refusedRowsOf, schemas, stateVersions } from './working-data.ts'

/** Anything that can be written as JSON. */
export type Answer = unknown

interface Asked {
  query: URLSearchParams
  body: Record<string, unknown>
}

type Params = Record<string, string>
type Handler = (params: Params, asked: Asked) => Answer

const routes: Record<string, Handler> = {
  'GET /api/pipelines': () => pipelines(),
  'GET /api/schedules': () => listSchedules(),
  'GET /api/pipelines/:pipeline/runs': ({ pipeline }) => look(pipeline!).runs(200).map(summaryOf),
  'GET /api/pipelines/:pipeline/runs/:run': ({ pipeline, run }) => runOf(pipeline!, run!),
  'GET /api/pipelines/:pipeline/runs/:run/requests': ({ pipeline, run }) =>
    look(pipeline!).requests(runOf(pipeline!, run!).id),
  'GET /api/pipelines/:pipeline/compare/:a/:b': ({ pipeline, a, b }) =>
    compareRuns(runOf(pipeline!, a!), runOf(pipeline!, b!)),
  'GET /api/pipelines/:pipeline/tables': ({ pipeline }) => tables(look(pipeline!)),
  'GET /api/pipelines/:pipeline/counts': ({ pipeline }) => rowCounts(look(pipeline!)),
  'GET /api/pipelines/:pipeline/tables/:table/rows': ({ pipeline, table }, { query }) =>
    tablePage(look(pipeline!), table!, query),
  'GET /api/pipelines/:pipeline/tables/:table/columns/:column': ({ pipeline, table, column }) =>
    columnProfile(look(pipeline!), table!, column!),
  'POST /api/pipelines/:pipeline/query': ({ pipeline }, { body }) => queryPage(look(pipeline!), body.sql),
  'POST /api/pipelines/:pipeline/export': ({ pipeline }, { body }) =>
    exportFile(look(pipeline!), body.sql, body.format),
  'GET /api/pipelines/:pipeline/schemas': ({ pipeline }) => schemas(look(pipeline!)),
  'GET /api/pipelines/:pipeline/state': ({ pipeline }) => stateVersions(look(pipeline!)),
  'GET /api/pipelines/:pipeline/packages': ({ pipeline }) => packages(look(pipeline!)),
  'GET /api/pipelines/:pipeline/failed-packages': ({ pipeline }) =>
    look(pipeline!).failedPackages().map(failedFacts).toReversed(),
  'GET /api/pipelines/:pipeline/failed-packages/:package/rows': (params) =>
    refusedRowsOf(look(params.pipeline!), params.package!),
  'POST /api/pipelines/:pipeline/run': ({ pipeline }) => runAgain(pipeline!),
  'POST /api/pipelines/:pipeline/actions/:action': ({ pipeline, action }, { body }) => {
    const known = actions.find((one) => one === action)
    if (known !== undefined) return act(pipeline!, known, body)
    throw new PipelineError(`there is no action ${action}`, { code: 'WRONG_USE', fix: 'reload the page' })
  },
}

/** What answers a path, given as its decoded parts, with the names in it filled in. */
export function findRoute(method: string, parts: readonly string[]): ((asked: Asked) => Promise<Answer>) | undefined {
  for (const [route, handler] of Object.entries(routes)) {
    const [wanted, pattern] = route.split(' ') as [string, string]
    const params = wanted === method ? match(pattern.split('/'), parts) : undefined
    if (params !== undefined) return async (asked) => handler(params, asked)
  }
  return undefined
}

function match(pattern: readonly string[], parts: readonly string[]): Params | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Params = {}
  for (const [at, wanted] of pattern.entries()) {
    if (wanted.startsWith(':')) params[wanted.slice(1)] = parts[at]!
    else if (wanted !== parts[at]) return undefined
  }
  return params
}

function runOf(pipeline: string, id: string): RunRecord {
  const run = look(pipeline).findRun(id)
  if (run !== undefined) return run
  throw new PipelineError(`there is no run ${id} of ${pipeline}`, {
    code: 'WRONG_USE',
    fix: 'choose one from the list of runs; the last thousand are kept',
  })
}
