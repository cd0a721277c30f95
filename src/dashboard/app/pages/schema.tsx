import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SchemaVersion, TableSummary } from '../../api.ts'
import { moment, plural } from '../format.ts'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { SchemaGraph } from '../parts/schema-graph.tsx'
import { Age } from '../parts/status.tsx'
import { Link, to } from '../router.tsx'
import { pipelinePath, useAnswer } from '../server.ts'

/** Which tables and columns are there, and what changed? */
export function Schema({ pipeline, view }: { pipeline: string; view: string | undefined }): JSX.Element {
  const isChanges = view === 'changes'
  return (
    <>
      <div class="heading">
        <h1>Schema</h1>
        <div class="switch" role="group" aria-label="Show">
          <Link href={to('p', pipeline, 'schema')} aria-current={isChanges ? undefined : 'page'}>
            Tables
          </Link>
          <Link href={to('p', pipeline, 'schema', 'changes')} aria-current={isChanges ? 'page' : undefined}>
            Changes
          </Link>
        </div>
      </div>
      {isChanges ? <Changes pipeline={pipeline} /> : <Graph pipeline={pipeline} />}
    </>
  )
}

function Graph({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<TableSummary[]>(pipelinePath(pipeline, 'tables'))
  const counts = useAnswer<Record<string, number>>(pipelinePath(pipeline, 'counts'))
  const [text, setText] = useState('')
  const [showsOwn, setShowsOwn] = useState(false)
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the schema" />
  const tables = data.filter(({ isSystem }) => showsOwn || !isSystem)
  const columns = tables.reduce((sum, table) => sum + table.columns.length, 0)
  return (
    <>
      <div class="filter">
        <input
          type="search"
          placeholder="Find a table or a column"
          aria-label="Find a table or a column"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={showsOwn} onChange={() => setShowsOwn(!showsOwn)} /> dlt’s tables and columns
        </label>
        <span class="gap" />
        <span class="faint">
          {plural(tables.length, 'table')}, {plural(columns, 'column')}
        </span>
      </div>
      {tables.length === 0 ? (
        <Empty title="No tables yet">They come with the first rows.</Empty>
      ) : (
        <SchemaGraph
          pipeline={pipeline}
          tables={tables}
          counts={counts.data ?? {}}
          showsOwn={showsOwn}
          wanted={text.toLowerCase()}
        />
      )}
    </>
  )
}

function Changes({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<SchemaVersion[]>(pipelinePath(pipeline, 'schemas'))
  if (error !== undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="the versions" />
  if (data.length === 0) return <Empty title="No version yet">The first load saves one.</Empty>
  return (
    <ol class="versions">
      {data.map(({ name, version, insertedAt, changes, tables, columns }) => (
        <li key={`${name} ${version}`}>
          <h2>
            {name} <span class="faint">version {version}</span>
          </h2>
          <p class="faint">
            <Age at={insertedAt} /> · {moment(insertedAt.slice(0, 19))} UTC · {plural(tables, 'table')},{' '}
            {plural(columns, 'column')}
          </p>
          {changes === undefined ? (
            <p>The first version.</p>
          ) : changes.length === 0 ? (
            <p>No column changed.</p>
          ) : (
            <ul class="diff">
              {changes.map((change) => (
                <li
                  key={change}
                  class={change.startsWith('+') ? 'added' : change.startsWith('-') ? 'removed' : 'changed'}
                >
                  {change}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  )
}
