import type { JSX } from 'preact'
import type { PipelineSummary, RunSummary, TableSummary } from '../../api.ts'
import { compact, count, duration, moment } from '../format.ts'
import { Actions, RunNow } from '../parts/actions.tsx'
import { BarChart, rowsTold, runBars, type Bar } from '../parts/chart.tsx'
import { FailedPackages } from '../parts/failed-packages.tsx'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Age, Status } from '../parts/status.tsx'
import { TableList } from '../parts/table-list.tsx'
import { Link, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'

const everyMs = 3000

/** How is this pipeline: its last run, its runs, its tables. */
export function Overview({ pipeline }: { pipeline: string }): JSX.Element {
  const pipelines = useAnswer<PipelineSummary[]>('pipelines', everyMs)
  const own = pipelines.data?.find(({ name }) => name === pipeline)
  const last = own?.runs.at(-1)
  // Tables are asked for when a run has loaded something: a warehouse that is asked all the time is never off.
  const since = last === undefined ? '' : `?after=${last.id}-${last.rows}-${last.status}`
  const asked = (what: string): string | undefined =>
    own === undefined ? undefined : pipelinePath(pipeline, what) + since
  const tables = useAnswer<TableSummary[]>(asked('tables'))
  const counts = useAnswer<Record<string, number>>(asked('counts'))
  if (pipelines.error !== undefined && own === undefined) return <Failed error={pipelines.error} />
  if (pipelines.data === undefined) return <Waiting isLate={pipelines.isLate} what="the pipeline" />
  if (own === undefined) return <Empty title={`There is no pipeline ${pipeline}`}>Choose one at the left.</Empty>
  return (
    <>
      <div class="heading">
        <h1>{pipeline}</h1>
        <span class="gap" />
        {last !== undefined && (
          <RunNow
            pipeline={pipeline}
            isRetry={last.status === 'failed' || last.status === 'died'}
            isRunning={last.status === 'running'}
          />
        )}
      </div>
      <p class="lead">
        {own.destination} <span title={own.location}>{shortLocation(own.location)}</span> / {own.dataset}
      </p>
      {last === undefined ? (
        <p class="faint">No run is on record here.</p>
      ) : (
        <>
          <LastRun pipeline={pipeline} run={last} />
          {own.failed > 0 && <FailedPackages pipeline={pipeline} runs={own.runs} />}
          <RunCharts pipeline={pipeline} runs={own.runs} />
        </>
      )}
      <h2>Tables</h2>
      {tables.error !== undefined && <Failed error={tables.error} />}
      {tables.data === undefined ? (
        tables.error === undefined && <Waiting isLate={tables.isLate} what="tables" />
      ) : (
        <TableList pipeline={pipeline} tables={tables.data.filter(({ isSystem }) => !isSystem)} counts={counts.data} />
      )}
      <h2>Actions</h2>
      <Actions pipeline={pipeline} />
    </>
  )
}

/** A file by its name; its folder is told on hover. */
const shortLocation = (location: string): string => location.replace(/^\w+:\/(?!\/)(.*\/)?/, '')

const LastRun = ({ pipeline, run }: { pipeline: string; run: RunSummary }): JSX.Element => (
  <Link href={to('p', pipeline, 'runs', run.id)} class="last-run">
    <Status status={run.status} />
    <span>
      <Age at={run.startedAt} />
    </span>
    <span>{duration(run.durationMs)}</span>
    <span>{rowsTold(run.rows)}</span>
    {run.error !== undefined && <span class="cut failed">{run.error}</span>}
  </Link>
)

export function RunCharts({ pipeline, runs }: { pipeline: string; runs: readonly RunSummary[] }): JSX.Element {
  const path = ({ id }: RunSummary): string => to('p', pipeline, 'runs', id)
  const day = (run: RunSummary): string => moment(run.startedAt.slice(0, 16))
  const ends = [day(runs[0]!), day(runs.at(-1)!)] as const
  const ages = ageBars(runs, path)
  const unit = ageUnit(Math.max(0, ...ages.map(({ value }) => value)))
  const hasAges = ages.filter(({ value }) => value > 0).length > 1
  return (
    <div class="charts">
      <BarChart
        title="Rows by run"
        bars={runBars(runs, ({ rows }) => rows, rowsTold, path)}
        unit={compact}
        ends={ends}
      />
      <BarChart
        title="Seconds by run"
        bars={runBars(runs, ({ durationMs }) => durationMs, duration, path)}
        unit={(ms) => count(ms / 1000)}
        ends={ends}
      />
      {hasAges && (
        <BarChart
          title={`Age of the data before each run, in ${unit.word}`}
          bars={ages.map((bar) => ({ ...bar, value: bar.value / unit.ms }))}
          unit={count}
          ends={ends}
        />
      )}
    </div>
  )
}

/** How old the data had become when a run began: the time since the last one that went well. */
function ageBars(runs: readonly RunSummary[], path: (run: RunSummary) => string): Bar[] {
  let fresh: number | undefined
  return runs.map((run) => {
    const began = Date.parse(run.startedAt)
    const age = fresh === undefined ? 0 : Math.max(0, began - fresh)
    if (run.status === 'done') fresh = began + run.durationMs
    const title = `${moment(run.startedAt.slice(0, 19))} · ${fresh === undefined ? 'no data before' : duration(age)}`
    return { key: run.id, value: age, title, status: run.status, path: path(run) }
  })
}

/** The unit in which the largest age is a short number. */
function ageUnit(largest: number): { word: string; ms: number } {
  if (largest >= 2 * 86_400_000) return { word: 'days', ms: 86_400_000 }
  if (largest >= 2 * 3_600_000) return { word: 'hours', ms: 3_600_000 }
  return largest >= 120_000 ? { word: 'minutes', ms: 60_000 } : { word: 'seconds', ms: 1000 }
}
