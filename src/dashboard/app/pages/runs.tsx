import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { RunSummary } from '../../api.ts'
import { count, duration, moment, plural } from '../format.ts'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Age, Status } from '../parts/status.tsx'
import { go, Link, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'
import { RunCharts } from './overview.tsx'
import { List, number, unseen } from '../parts/list.tsx'

const everyMs = 2000
const charted = 60

/** What ran, when, and how did it end? */
export function Runs({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<RunSummary[]>(pipelinePath(pipeline, 'runs'), everyMs)
  const [chosen, setChosen] = useState<readonly string[]>([])
  if (error !== undefined && data === undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="runs" />
  if (data.length === 0) return <Empty title={`No run of ${pipeline} is on record here`}>Run it on this machine.</Empty>
  const [a, b] = chosen.toSorted()
  const pick = (id: string): void =>
    setChosen((ids) => (ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id].slice(-2)))
  return (
    <>
      <div class="heading">
        <h1>{plural(data.length, 'run')}</h1>
        <button
          type="button"
          disabled={b === undefined}
          title="Choose two runs in the list"
          onClick={() => go(to('p', pipeline, 'compare', a!, b!))}
        >
          Compare the chosen two
        </button>
      </div>
      <RunCharts pipeline={pipeline} runs={data.slice(0, charted).toReversed()} />
      <List
        heads={[
          unseen('Compare'),
          'State',
          { title: 'Began', span: 2 },
          number('Took'),
          number('Rows'),
          number('New columns'),
          'Run',
        ]}
      >
        {data.map((run) => (
          <tr key={run.id}>
            <td>
              <input
                type="checkbox"
                aria-label={`compare run ${run.id}`}
                checked={chosen.includes(run.id)}
                onChange={() => pick(run.id)}
              />
            </td>
            <td>
              <Status status={run.status} />
            </td>
            <td class="nowrap">{moment(run.startedAt.slice(0, 19))}</td>
            <td class="faint nowrap">
              <Age at={run.startedAt} />
            </td>
            <td class="number nowrap">{duration(run.durationMs)}</td>
            <td class="number">{count(run.rows)}</td>
            <td class="number">{run.newColumns === 0 ? '' : count(run.newColumns)}</td>
            <td>
              <Link href={to('p', pipeline, 'runs', run.id)}>{run.id}</Link>
              {run.error !== undefined && <span class="note failed cut">{run.error}</span>}
            </td>
          </tr>
        ))}
      </List>
    </>
  )
}
