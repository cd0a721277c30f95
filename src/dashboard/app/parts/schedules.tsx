import type { JSX } from 'preact'
import type { JobSummary, ScheduleSummary } from '../../api.ts'
import { useAnswer } from '../server.ts'
import { moment } from '../format.ts'
import { List } from './list.tsx'
import { Age, Mark } from './status.tsx'

const everyMs = 10_000

/** What runs when, where a schedule is; late and failed first. */
export function Schedules(): JSX.Element | null {
  const { data } = useAnswer<ScheduleSummary[]>('schedules', everyMs)
  if (data === undefined || data.length === 0) return null
  return (
    <>
      {data.map(({ file, isRunning, jobs }) => (
        <section key={file}>
          <h2>{title(jobs, isRunning)}</h2>
          <p class="faint">
            {file}
            {!isRunning && (
              <>
                : begin it with <code>npx sluice schedule</code>
              </>
            )}
          </p>
          <List heads={['Job', 'When', 'Last run', 'Next run']}>
            {jobs.toSorted(byUrgency).map((one) => (
              <JobRow key={one.job} job={one} isRunning={isRunning} />
            ))}
          </List>
        </section>
      ))}
    </>
  )
}

const rank = ({ lateSince, status }: JobSummary): number =>
  lateSince !== undefined ? 0 : status === 'failure' ? 1 : status === 'running' ? 2 : 3
const byUrgency = (a: JobSummary, b: JobSummary): number => rank(a) - rank(b) || a.job.localeCompare(b.job)

function title(jobs: readonly JobSummary[], isRunning: boolean): string {
  const late = jobs.filter(({ lateSince }) => lateSince !== undefined).length
  const what = late === 0 ? 'Schedule' : `Schedule: ${late === 1 ? '1 job is late' : `${late} jobs are late`}`
  return isRunning ? what : `${what}, and nobody runs it`
}

const marks = { running: 'running', success: 'done', failure: 'failed', 'never ran': undefined } as const

function JobRow({ job: one, isRunning }: { job: JobSummary; isRunning: boolean }): JSX.Element {
  const { job, trigger, status, at, error, nextAt, lateSince } = one
  return (
    <tr>
      <td>
        <Mark status={marks[status]} /> {job}
        {lateSince !== undefined && (
          <span class="note failed">
            late, due <Age at={lateSince} />
          </span>
        )}
        {error !== undefined && <span class="note failed cut">{error}</span>}
      </td>
      <td>{trigger}</td>
      <td>{at === undefined ? <span class="faint">never</span> : <Age at={at} />}</td>
      <td>
        {nextAt === undefined || !isRunning ? (
          <span class="faint">–</span>
        ) : (
          <time dateTime={nextAt}>{moment(nextAt)} UTC</time>
        )}
      </td>
    </tr>
  )
}
