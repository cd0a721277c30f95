import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { LoggedRequest, RunSummary } from '../../api.ts'
import { count, duration, moment, plural } from '../format.ts'
import { Details } from '../parts/details.tsx'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Value } from '../parts/value.tsx'
import { go, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'
import { List, number } from '../parts/list.tsx'

/** What did the API say? */
export function Requests({ pipeline, run }: { pipeline: string; run: string | undefined }): JSX.Element {
  const runs = useAnswer<RunSummary[]>(pipelinePath(pipeline, 'runs'), 3000)
  const id = run ?? runs.data?.[0]?.id
  const isRunning = runs.data?.find((one) => one.id === id)?.status === 'running'
  const path = id === undefined ? undefined : pipelinePath(pipeline, 'runs', id, 'requests')
  const { data, error, isLate } = useAnswer<LoggedRequest[]>(path, isRunning ? 1000 : undefined)
  const [resource, setResource] = useState('')
  const [status, setStatus] = useState('')
  const [open, setOpen] = useState<number>()
  if (runs.data?.length === 0) return <Empty title="No run is on record here">Run it on this machine.</Empty>
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined || runs.data === undefined) return <Waiting isLate={isLate} what="requests" />
  const all = data.map((one, at) => ({ ...one, at }))
  const shown = all.filter(
    (one) => (resource === '' || one.resource === resource) && (status === '' || String(one.status) === status),
  )
  const chosen = all.find(({ at }) => at === open)
  return (
    <div class="filled">
      <div class="heading">
        <h1>{plural(shown.length, 'request')} kept</h1>
        <span class="faint">the first of each kind, and failures; secrets are masked</span>
      </div>
      <div class="filter">
        <label>
          Run{' '}
          <select
            value={id}
            onChange={(event) => go(to('p', pipeline, 'requests', event.currentTarget.value), 'replace')}
          >
            {runs.data.map((one) => (
              <option key={one.id} value={one.id}>
                {moment(one.startedAt.slice(0, 19))} {one.status}
              </option>
            ))}
          </select>
        </label>
        <Choice label="Resource" all={all.map((one) => one.resource)} value={resource} onChange={setResource} />
        <Choice label="Status" all={all.map((one) => String(one.status))} value={status} onChange={setStatus} />
      </div>
      {shown.length === 0 ? (
        <Empty title="No request was kept">Sources in code that do not use the REST client have none.</Empty>
      ) : (
        <div class="beside">
          <List heads={[number('At'), 'Status', 'Resource', 'Request', number('Took'), number('Characters')]} isFramed>
            {shown.map((one) => (
              <tr key={one.at} class={one.at === open ? 'chosen' : ''}>
                <td class="number">{duration(one.atMs)}</td>
                <td class={one.status >= 400 ? 'failed' : ''}>{one.status}</td>
                <td>{one.resource}</td>
                <td class="cut">
                  <button type="button" class="fold cut" title={one.url} onClick={() => setOpen(one.at)}>
                    {one.method} {shortUrl(one.url)}
                  </button>
                </td>
                <td class="number">{count(one.ms)} ms</td>
                <td class="number">{count(one.responseLength)}</td>
              </tr>
            ))}
          </List>
          {chosen !== undefined && (
            <Details
              title={`${chosen.status} ${chosen.method} ${shortUrl(chosen.url)}`}
              onClose={() => setOpen(undefined)}
              wide
            >
              <Exchange request={chosen} />
            </Details>
          )}
        </div>
      )}
    </div>
  )
}

function Exchange({ request }: { request: LoggedRequest }): JSX.Element {
  const { responseBody, responseLength } = request
  const body = responseBody.length < responseLength ? { text: responseBody, length: responseLength } : responseBody
  return (
    <>
      <h3>Asked</h3>
      <p class="url">{request.url}</p>
      <Headers headers={request.requestHeaders} />
      {request.requestBody !== undefined && <Value cell={request.requestBody} />}
      <h3>Answered in {count(request.ms)} ms</h3>
      <Headers headers={request.responseHeaders} />
      <Value cell={body} />
    </>
  )
}

const Headers = ({ headers }: { headers: Record<string, string> }): JSX.Element => (
  <dl class="facts small">
    {Object.entries(headers).map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

function Choice(props: { label: string; all: string[]; value: string; onChange(value: string): void }): JSX.Element {
  return (
    <label>
      {props.label}{' '}
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        <option value="">all</option>
        {[...new Set(props.all)].map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  )
}

function shortUrl(url: string): string {
  const { pathname, search } = new URL(url)
  return decodeURI(pathname + search)
}
