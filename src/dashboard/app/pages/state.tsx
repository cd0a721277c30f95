import type { JSX } from 'preact'
import type { StateVersion } from '../../api.ts'
import { moment, plural } from '../format.ts'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Age } from '../parts/status.tsx'
import { pipelinePath, useAnswer } from '../server.ts'
import { List, number } from '../parts/list.tsx'

/** Where do the sources stand, and how did they get there? */
export function State({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<StateVersion[]>(pipelinePath(pipeline, 'state'))
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the state" />
  const newest = data[0]
  if (newest === undefined) return <Empty title="No state yet">The first load saves one.</Empty>
  const { cursors } = newest
  return (
    <>
      <h1>{cursors.length === 0 ? 'No resource has a cursor' : plural(cursors.length, 'cursor')}</h1>
      <p class="lead">
        {cursors.length === 0 && 'Every run reads all there is; an incremental cursor makes it read what is new. '}
        State version {newest.version}, <Age at={newest.createdAt} />
      </p>
      {cursors.length > 0 && <Cursors versions={data} />}
      <details class="raw">
        <summary>All of the state</summary>
        <pre class="value">{newest.text}</pre>
      </details>
    </>
  )
}

type Cursor = StateVersion['cursors'][number]
const key = (one: Cursor): string => `${one.source} ${one.resource} ${one.cursor}`
const valueIn = (version: StateVersion | undefined, cursor: Cursor): string | undefined =>
  version?.cursors.find((other) => key(other) === key(cursor))?.value

function Cursors({ versions }: { versions: readonly StateVersion[] }): JSX.Element {
  const { cursors } = versions[0]!
  return (
    <>
      <List heads={['Resource', 'Cursor', 'Stands at']}>
        {cursors.map((one) => (
          <tr key={key(one)}>
            <td>
              {one.resource} <span class="faint">of {one.source}</span>
            </td>
            <td>{one.cursor}</td>
            <td class="nowrap">{one.value}</td>
          </tr>
        ))}
      </List>
      <h2>How they moved</h2>
      <List heads={[number('Version'), 'Saved', ...cursors.map((one) => one.resource)]}>
        {versions.map((version, at) => (
          <tr key={version.version}>
            <td class="number">{version.version}</td>
            <td class="nowrap">{moment(version.createdAt.slice(0, 19))}</td>
            {cursors.map((one) => {
              const value = valueIn(version, one)
              return (
                <td key={key(one)} class={value === valueIn(versions[at + 1], one) ? 'faint nowrap' : 'nowrap'}>
                  {value ?? '–'}
                </td>
              )
            })}
          </tr>
        ))}
      </List>
    </>
  )
}
