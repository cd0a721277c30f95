import type { JSX } from 'preact'
import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import type { PackageSummary } from '../../api.ts'
import { bytes, count, moment, plural } from '../format.ts'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Age } from '../parts/status.tsx'
import { pipelinePath, useAnswer } from '../server.ts'
import { List, number } from '../parts/list.tsx'
import { Link, to } from '../router.tsx'

const states = {
  loaded: { look: 'done', told: '✓ loaded' },
  pending: { look: 'running', told: '● pending' },
  failed: { look: 'failed', told: '✗ set aside' },
} as const

function headline(all: number, pending: number, failed: number): string {
  if (pending + failed === 0) return `${plural(all, 'package')}, all loaded`
  const parts = [
    failed > 0 && `${plural(failed, 'package')} set aside`,
    pending > 0 && `${plural(pending, 'package')} to load`,
  ]
  return parts.filter((part) => part !== false).join(', ')
}

/** What was loaded, package by package, and what waits? */
export function Packages({ pipeline }: { pipeline: string }): JSX.Element {
  const { data, error, isLate } = useAnswer<PackageSummary[]>(pipelinePath(pipeline, 'packages'), 3000)
  const [open, setOpen] = useState<string>()
  if (error !== undefined && data === undefined) return <Failed error={error} />
  if (data === undefined) return <Waiting isLate={isLate} what="packages" />
  if (data.length === 0)
    return <Empty title="No load package is on this machine">A run seals its rows into packages, and loads them.</Empty>
  const pending = data.filter(({ state }) => state === 'pending').length
  const failed = data.filter(({ state }) => state === 'failed').length
  return (
    <>
      <h1>{headline(data.length, pending, failed)}</h1>
      {failed > 0 && (
        <p class="lead">
          <Link href={to('p', pipeline)}>Why they were set aside</Link>, and what to do with them.
        </p>
      )}
      {pending > 0 && <p class="lead">The next run loads them first.</p>}
      <List heads={['Package', 'State', 'Sealed', number('Rows'), number('Size'), number('Tables')]}>
        {data.map((one) => (
          <Fragment key={one.loadId}>
            <tr>
              <td>
                <button
                  type="button"
                  class="fold"
                  aria-expanded={open === one.loadId}
                  onClick={() => setOpen(open === one.loadId ? undefined : one.loadId)}
                >
                  {open === one.loadId ? '▾' : '▸'} {one.loadId}
                </button>
              </td>
              <td>
                <span class={`status ${states[one.state].look}`}>{states[one.state].told}</span>
              </td>
              <td class="nowrap">
                <Age at={one.createdAt} /> <span class="faint">{moment(one.createdAt.slice(0, 19))}</span>
              </td>
              <td class="number">{count(one.rows)}</td>
              <td class="number">{bytes(one.bytes)}</td>
              <td class="number">{new Set(one.tables.map(({ table }) => table)).size}</td>
            </tr>
            {open === one.loadId &&
              one.tables.map(({ table, rows, bytes: size }, at) => (
                <tr key={`${table} ${at}`} class="inner">
                  <td class="depth-1" colSpan={3}>
                    {table}
                  </td>
                  <td class="number">{count(rows)}</td>
                  <td class="number">{bytes(size)}</td>
                  <td />
                </tr>
              ))}
          </Fragment>
        ))}
      </List>
    </>
  )
}
