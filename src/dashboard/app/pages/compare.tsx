import type { JSX } from 'preact'
import type { RunComparison } from '../../api.ts'
import { count, duration, moment } from '../format.ts'
import { Failed, Waiting } from '../parts/notes.tsx'
import { Status } from '../parts/status.tsx'
import { Link, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'

type Rows = RunComparison['tables']

/** What is other in this run than in the one before? */
export function Compare({ pipeline, before, after }: { pipeline: string; before: string; after: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<RunComparison>(pipelinePath(pipeline, 'compare', before, after))
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="both runs" />
  const other = data.tables.filter((one) => one.before !== one.after).length
  return (
    <>
      <h1>
        {other === 0
          ? 'The same rows in both'
          : `${count(other)} of ${count(data.tables.length)} tables have other counts`}
      </h1>
      <div class="scrolls">
        <table class="list compared">
          <thead>
            <tr>
              <th>
                <span class="unseen">Figure</span>
              </th>
              {[data.before, data.after].map((run) => (
                <th key={run.id} class="number">
                  <Link href={to('p', pipeline, 'runs', run.id)}>{moment(run.startedAt.slice(0, 19))}</Link>
                  <br />
                  <Status status={run.status} />
                </th>
              ))}
              <th class="number">Difference</th>
            </tr>
          </thead>
          <Part title="Rows" rows={data.tables} emptied={data.emptied} told={count} />
          <Part
            title="Took"
            rows={[
              { name: 'the run', before: data.before.durationMs, after: data.after.durationMs },
              ...data.durations,
            ]}
            told={duration}
          />
          <Part title="Requests" rows={data.requests} told={count} />
        </table>
      </div>
    </>
  )
}

interface PartProps {
  title: string
  rows: Rows
  /** Names of tables that were left empty. */
  emptied?: readonly string[]
  told(value: number): string
}

const Part = ({ title, rows, emptied = [], told }: PartProps): JSX.Element | null =>
  rows.length === 0 ? null : (
    <tbody>
      <tr>
        <th colSpan={4} scope="rowgroup" class="group">
          {title}
        </th>
      </tr>
      {rows.map(({ name, before, after }) => (
        <tr key={name}>
          <td>{name}</td>
          <td class="number">{before === undefined ? '–' : told(before)}</td>
          <td class="number">{after === undefined ? '–' : told(after)}</td>
          {emptied.includes(name) ? (
            <td class="number failed">emptied</td>
          ) : (
            <td class={`number ${before === after ? 'faint' : ''}`}>{difference(before, after)}</td>
          )}
        </tr>
      ))}
    </tbody>
  )

function difference(before: number | undefined, after: number | undefined): string {
  if (before === undefined) return 'new'
  if (after === undefined) return 'gone'
  if (before === after) return 'the same'
  if (before === 0) return `+ ${count(after)}`
  const percent = Math.round(((after - before) / before) * 100)
  return percent === 0
    ? after > before
      ? '+ < 1 %'
      : '− < 1 %'
    : `${percent > 0 ? '+' : '−'} ${count(Math.abs(percent))} %`
}
