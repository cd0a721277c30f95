import type { JSX } from 'preact'
import type { ColumnProfile } from '../../api.ts'
import { cellText, compact, count, moment } from '../format.ts'
import { pipelinePath, useAnswer } from '../server.ts'
import { BarChart } from './chart.tsx'
import { Failed, Waiting } from './notes.tsx'

interface Props {
  pipeline: string
  table: string
  column: string
  dataType: string
}

/** What does this column hold? */
export function Profile({ pipeline, table, column, dataType }: Props): JSX.Element {
  const path = pipelinePath(pipeline, 'tables', table, 'columns', column)
  const { data, error, isLate } = useAnswer<ColumnProfile>(path)
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the column" />
  const { rows, nulls, distinct, min, max, top, histogram } = data
  const share = (part: number): string =>
    rows === 0 ? '' : `${((part / rows) * 100).toFixed(part === 0 || part === rows ? 0 : 1)} %`
  const isMoment = dataType === 'timestamp' || dataType === 'date'
  const told = (value: number): string =>
    isMoment ? moment(new Date(value).toISOString().slice(0, 16)) : compact(value)
  return (
    <>
      <dl class="facts">
        <Fact name="Rows">{count(rows)}</Fact>
        <Fact name="Nulls">
          {count(nulls)} <span class="faint">{share(nulls)}</span>
        </Fact>
        {distinct > 0 && (
          <Fact name="Distinct">
            {count(distinct)} {nulls === 0 && distinct === rows && <span class="tag">unique</span>}
          </Fact>
        )}
        {min !== null && <Fact name="Smallest">{isMoment ? moment(cellText(min)) : cellText(min)}</Fact>}
        {max !== null && <Fact name="Largest">{isMoment ? moment(cellText(max)) : cellText(max)}</Fact>}
      </dl>
      {histogram.length > 1 && (
        <BarChart
          title="How they are spread"
          height={120}
          unit={compact}
          bars={histogram.map((part) => ({
            key: String(part.from),
            value: part.rows,
            title: `${told(part.from)} to ${told(part.to)}: ${count(part.rows)} rows`,
          }))}
          ends={[told(histogram[0]!.from), told(histogram.at(-1)!.to)]}
        />
      )}
      {top.length > 0 && distinct < rows && (
        <>
          <h3>Most frequent</h3>
          <table class="list top-values">
            <tbody>
              {top.map(({ value, rows: times }) => (
                <tr key={cellText(value)}>
                  <td class="cut">{cellText(value) === '' ? '""' : cellText(value)}</td>
                  <td class="number">{count(times)}</td>
                  <td class="share">
                    <i style={{ width: `${(times / top[0]!.rows) * 100}%` }} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  )
}

const Fact = ({
  name,
  children,
}: {
  name: string
  children: JSX.Element | string | (JSX.Element | string | false)[]
}): JSX.Element => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)
