import type { JSX } from 'preact'
import type { RunRecord } from '../../api.ts'
import { bytes, count, duration, moment, plural } from '../format.ts'
import { Failed, Problem, Waiting } from '../parts/notes.tsx'
import { suspicions } from '../parts/suspicions.ts'
import { Age, packageState, Status } from '../parts/status.tsx'
import { Timeline } from '../parts/timeline.tsx'
import { Hint } from '../parts/notes.tsx'
import { Link, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'
import { List, number } from '../parts/list.tsx'

/** What happened in this run, and when? Live while it goes on. */
export function Run({ pipeline, id }: { pipeline: string; id: string }): JSX.Element {
  const path = pipelinePath(pipeline, 'runs', id)
  // A run that is over does not change.
  const { data, error, isLate } = useAnswer<RunRecord>(path, 1000)
  if (error !== undefined && data === undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the run" />
  const rows = Object.values(data.tables).reduce((sum, one) => sum + one, 0)
  const failures = Object.entries(data.resources).flatMap(([name, one]) =>
    one.error === undefined ? [] : [[name, one.error] as const],
  )
  return (
    <>
      <div class="heading">
        <h1>
          <Status status={data.status} /> {headline(data)}
        </h1>
      </div>
      <p class="lead">
        <Age at={data.startedAt} /> <span class="faint">{moment(data.startedAt.slice(0, 19))} UTC</span> ·{' '}
        {duration(data.durationMs)} · {plural(rows, 'row')} loaded
      </p>
      {data.error !== undefined && <Problem {...data.error} />}
      {failures.map(([name, one]) => (
        <Problem key={name} {...one} message={`${name}: ${one.message}`} />
      ))}
      {suspicions(data).map((text) => (
        <Hint key={text}>{text}</Hint>
      ))}
      <SetAside pipeline={pipeline} run={data} />
      <h2>Timeline</h2>
      <Timeline run={data} />
      <Tables pipeline={pipeline} run={data} />
      <Requests pipeline={pipeline} run={data} />
      <Noticed run={data} />
      {data.packages.length > 0 && <Packages run={data} />}
      <Settings run={data} />
    </>
  )
}

function headline({ status, resources, error }: RunRecord): string {
  const all = Object.values(resources)
  const through = all.filter(({ finishedMs, error: own }) => finishedMs !== undefined && own === undefined).length
  const told = `${count(through)} of ${plural(all.length, 'resource')} read`
  if (status === 'failed' || error !== undefined) return told
  return status === 'done' ? plural(all.length, 'resource') : told
}

/** Which resources the destination refused. */
function SetAside({ pipeline, run }: { pipeline: string; run: RunRecord }): JSX.Element | null {
  const all = (run.refusedPackages ?? []).flatMap(({ loadId, refusals }) =>
    refusals.map((refusal) => ({ loadId, ...refusal })),
  )
  if (all.length === 0) return null
  return (
    <>
      <h2>
        Set aside{' '}
        <Link href={to('p', pipeline)} class="more">
          retry or discard
        </Link>
      </h2>
      <ul class="plain">
        {all.map(({ loadId, resources, resource, tables = [], message, follows }) => (
          <li key={`${loadId} ${resources.join()}`}>
            <strong>{resource ?? (resources.join(', ') || 'all resources')}</strong>{' '}
            <span class="faint">
              {tables.length > 0 && `tables ${tables.join(', ')}; `}package {loadId}
            </span>
            <br />
            {follows === undefined ? message : `It follows package ${follows}, and was not tried.`}
          </li>
        ))}
      </ul>
    </>
  )
}

function Tables({ pipeline, run }: { pipeline: string; run: RunRecord }): JSX.Element | null {
  const tables = Object.entries(run.tables)
  if (tables.length === 0) return null
  return (
    <>
      <h2>Tables</h2>
      <List heads={['Table', number('Rows'), number('Size'), 'Changes']}>
        {tables.map(([name, rows]) => {
          const changes = run.changes.filter(({ table }) => table === name)
          return (
            <tr key={name}>
              <td>
                <Link href={to('p', pipeline, 'data', name)}>{name}</Link>
              </td>
              <td class="number">{count(rows)}</td>
              <td class="number">{run.bytes[name] === undefined ? '' : bytes(run.bytes[name])}</td>
              <td>
                {changes.some(({ created }) => created) && <span class="tag">new table</span>}{' '}
                {changes
                  .filter(({ created }) => !created)
                  .flatMap(({ columns }) => columns)
                  .map(({ name: column, widened }) => (
                    <span key={column} class="tag">
                      {widened ? `${column} wider` : `+ ${column}`}
                    </span>
                  ))}
              </td>
            </tr>
          )
        })}
      </List>
    </>
  )
}

function Requests({ pipeline, run }: { pipeline: string; run: RunRecord }): JSX.Element | null {
  const all = Object.entries(run.resources).flatMap(([resource, { requests, retries, waitedMs }]) =>
    Object.entries(requests).map(([status, one], at) => ({
      resource,
      status,
      ...one,
      retries,
      waitedMs,
      isFirst: at === 0,
    })),
  )
  if (all.length === 0) return null
  return (
    <>
      <h2>
        Requests{' '}
        <Link href={to('p', pipeline, 'requests', run.id)} class="more">
          what the API said
        </Link>
      </h2>
      <List
        heads={[
          'Resource',
          'Status',
          number('Requests'),
          number('Each'),
          number('Slowest'),
          'The slowest one',
          number('Retries'),
          number('Waited'),
        ]}
      >
        {all.map(({ resource, status, count: times, ms, slowest, retries, waitedMs, isFirst }) => (
          <tr key={`${resource} ${status}`}>
            <td>{isFirst ? resource : ''}</td>
            <td class={Number(status) >= 400 ? 'failed' : ''}>{status === '0' ? 'no answer' : status}</td>
            <td class="number">{count(times)}</td>
            <td class="number nowrap">{count(Math.round(ms / times))} ms</td>
            <td class="number nowrap">{count(slowest.ms)} ms</td>
            <td class="cut url" title={slowest.url}>
              {slowest.url}
            </td>
            <td class="number">{isFirst && retries > 0 ? count(retries) : ''}</td>
            <td class="number nowrap">{isFirst && waitedMs > 0 ? duration(waitedMs) : ''}</td>
          </tr>
        ))}
      </List>
    </>
  )
}

function Noticed({ run }: { run: RunRecord }): JSX.Element | null {
  const skipped = Object.entries(run.resources).filter(([, one]) => one.skipped > 0)
  if (run.notices.length + run.failedChecks.length + skipped.length === 0) return null
  return (
    <>
      <h2>Noticed</h2>
      <ul class="plain">
        {run.notices.map(({ notice, times }) => (
          <li key={JSON.stringify(notice)}>
            {[notice.table, 'column' in notice && notice.column].filter(Boolean).join('.')}:{' '}
            {notice.kind.replaceAll('-', ' ')}
            {times > 1 && `, ${count(times)} times`}
          </li>
        ))}
        {run.failedChecks.map(({ table, check, failing }) => (
          <li key={table + check}>
            {table}: {plural(failing, 'row')} failed {check}
          </li>
        ))}
        {skipped.map(([name, one]) => (
          <li key={name}>
            {name}: {plural(one.skipped, 'part')} skipped
          </li>
        ))}
      </ul>
    </>
  )
}

const Packages = ({ run }: { run: RunRecord }): JSX.Element => (
  <>
    <h2>Load packages</h2>
    <List heads={['Package', 'State', number('Rows'), number('Size'), number('Sealed at'), number('Load took')]}>
      {run.packages.map((one) => (
        <tr key={one.loadId}>
          <td>{one.loadId}</td>
          <td>
            {packageState(run, one)}
            {one.recovered && <span class="tag">left by an earlier run</span>}
          </td>
          <td class="number">{count(one.rows)}</td>
          <td class="number">{one.bytes === 0 ? '' : bytes(one.bytes)}</td>
          <td class="number">{duration(one.sealedMs)}</td>
          <td class="number">{one.loadMs === undefined ? '' : duration(one.loadMs)}</td>
        </tr>
      ))}
    </List>
  </>
)

/** Which settings were used; their values are nowhere on record. */
const Settings = ({ run }: { run: RunRecord }): JSX.Element | null =>
  run.settings.length === 0 ? null : (
    <>
      <h2>Settings used</h2>
      <ul class="plain">
        {run.settings.map(({ name, provider }) => (
          <li key={name}>
            {name} <span class="faint">from {provider}</span>
          </li>
        ))}
      </ul>
    </>
  )
