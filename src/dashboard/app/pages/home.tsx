import type { JSX } from 'preact'
import type { PipelineSummary } from '../../api.ts'
import { count, duration, plural } from '../format.ts'
import { rowsTold, runBars, SparkBars } from '../parts/chart.tsx'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Schedules } from '../parts/schedules.tsx'
import { Age, Mark } from '../parts/status.tsx'
import { Link, to } from '../router.tsx'
import { useAnswer } from '../server.ts'
import { List, number } from '../parts/list.tsx'

const everyMs = 3000
const shownRuns = 20

/** Is everything all right? */
export function Home(): JSX.Element {
  const { data, error, isLate } = useAnswer<PipelineSummary[]>('pipelines', everyMs)
  if (error !== undefined && data === undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="pipelines" />
  if (data.length === 0) {
    return (
      <Empty title="No pipeline has run here yet">
        Load the demo: <code>npx sluice demo</code>
      </Empty>
    )
  }
  return (
    <>
      <h1>{verdict(data)}</h1>
      {error !== undefined && <Failed error={error} />}
      <List heads={['Pipeline', 'Last run', number('Took'), number('Rows'), 'Rows of the last runs', 'Destination']}>
        {data.toSorted(byUrgency).map((one) => (
          <PipelineRow key={one.name} pipeline={one} />
        ))}
      </List>
      <Schedules />
    </>
  )
}

const ranks = { failed: 0, died: 0, running: 2, done: 3 }
const rank = ({ runs, failed }: PipelineSummary): number => {
  const own = ranks[runs.at(-1)?.status ?? 'done']
  return failed > 0 ? Math.min(own, 1) : own
}

/** Failed first, then those with packages set aside, those at work, and the latest. */
function byUrgency(a: PipelineSummary, b: PipelineSummary): number {
  const [lastA, lastB] = [a.runs.at(-1)?.startedAt ?? '', b.runs.at(-1)?.startedAt ?? '']
  return rank(a) - rank(b) || lastB.localeCompare(lastA) || a.name.localeCompare(b.name)
}

function verdict(pipelines: readonly PipelineSummary[]): string {
  const failed = pipelines.filter((one) => rank(one) === 0)
  const setAside = pipelines.filter((one) => rank(one) === 1)
  const running = pipelines.filter(({ runs }) => runs.at(-1)?.status === 'running')
  const work = running.length === 0 ? '' : `, ${count(running.length)} at work`
  if (failed.length === 0 && setAside.length === 1) {
    const [{ name, failed: packages }] = setAside as [PipelineSummary]
    return `${name} has ${plural(packages, 'package')} set aside${work}`
  }
  if (failed.length === 0 && setAside.length > 1)
    return `${count(setAside.length)} of ${plural(pipelines.length, 'pipeline')} have packages set aside${work}`
  if (failed.length === 0)
    return `${pipelines.length === 1 ? 'All' : `All ${plural(pipelines.length, 'pipeline')}`} fine${work}`
  if (failed.length === 1) return `${failed[0]!.name} failed${work}`
  return `${count(failed.length)} of ${plural(pipelines.length, 'pipeline')} failed${work}`
}

function PipelineRow({ pipeline }: { pipeline: PipelineSummary }): JSX.Element {
  const { name, runs, destination, dataset, pending, failed } = pipeline
  const last = runs.at(-1)
  return (
    <tr>
      <td>
        <Mark status={last?.status} /> <Link href={to('p', name)}>{name}</Link>
        {failed > 0 && <span class="note failed">{plural(failed, 'package')} set aside</span>}
        {pending > 0 && <span class="note">{plural(pending, 'package')} to load</span>}
        {last?.error !== undefined && <span class="note failed cut">{last.error}</span>}
      </td>
      <td>{last === undefined ? <span class="faint">never</span> : <Age at={last.startedAt} />}</td>
      <td class="number">{last === undefined ? '' : duration(last.durationMs)}</td>
      <td class="number">{last === undefined ? '' : count(last.rows)}</td>
      <td>
        <SparkBars
          bars={runBars(runs.slice(-shownRuns), ({ rows }) => rows, rowsTold)}
          slots={shownRuns}
          label={`rows of the last ${plural(Math.min(runs.length, shownRuns), 'run')} of ${name}`}
        />
      </td>
      <td>
        {destination} <span class="faint">/ {dataset}</span>
      </td>
    </tr>
  )
}
