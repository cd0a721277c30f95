import type { JSX } from 'preact'
import type { StateVersion } from '../../api.ts'
import { moment } from '../format.ts'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Age } from '../parts/status.tsx'
import { pipelinePath, useAnswer } from '../server.ts'

/** Where do the sources stand, and how did they get there? */
export function State({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<StateVersion[]>(pipelinePath(pipeline, 'state'))
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the state" />
  const newest = data[0]
  if (newest === undefined || data.every(({ cursors }) => cursors.length === 0)) {
    return (
      <Empty title="No resource has a cursor">
        Every run reads all there is. An incremental cursor makes it read what is new.
      </Empty>
    )
  }
  const key = (one: StateVersion['cursors'][number]): string => `${one.source} ${one.resource} ${one.cursor}`
  return (
    <>
      <h1>{newest.cursors.length === 1 ? '1 cursor' : `${newest.cursors.length} cursors`}</h1>
      <p class="lead">
        State version {newest.version}, <Age at={newest.createdAt} />
      </p>
      <div class="scrolls">
        <table class="list">
          <thead>
            <tr>
              <th>Resource</th>
              <th>Cursor</th>
              <th>Stands at</th>
            </tr>
          </thead>
          <tbody>
            {newest.cursors.map((one) => (
              <tr key={key(one)}>
                <td>
                  {one.resource} <span class="faint">of {one.source}</span>
                </td>
                <td>{one.cursor}</td>
                <td class="nowrap">{one.value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h2>How they moved</h2>
      <div class="scrolls">
        <table class="list">
          <thead>
            <tr>
              <th class="number">Version</th>
              <th>Saved</th>
              {newest.cursors.map((one) => (
                <th key={key(one)}>{one.resource}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.map(({ version, createdAt, cursors }, at) => (
              <tr key={version}>
                <td class="number">{version}</td>
                <td class="nowrap">{moment(createdAt.slice(0, 19))}</td>
                {newest.cursors.map((one) => {
                  const value = cursors.find((other) => key(other) === key(one))?.value
                  const before = data[at + 1]?.cursors.find((other) => key(other) === key(one))?.value
                  return (
                    <td key={key(one)} class={value === before ? 'faint nowrap' : 'nowrap'}>
                      {value ?? '–'}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
