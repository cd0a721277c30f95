import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { FailedFacts, RefusedRow, RunSummary } from '../../api.ts'
import { count, plural } from '../format.ts'
import { pipelinePath, useAnswer } from '../server.ts'
import { Confirm, type Choice } from './actions.tsx'
import { Failed } from './notes.tsx'
import { Age } from './status.tsx'

const everyMs = 3000
const shownAtFirst = 3

/** Load packages that the destination refused: why, which row, and what to do with them. */
export function FailedPackages({ pipeline, runs }: { pipeline: string; runs: readonly RunSummary[] }): JSX.Element {
  const [turn, setTurn] = useState(0)
  const path = `${pipelinePath(pipeline, 'failed-packages')}?after=${turn}`
  const { data = [], error } = useAnswer<FailedFacts[]>(path, everyMs)
  const [chosen, setChosen] = useState<{ key: string; choice: Choice }>()
  const [told, setTold] = useState('')
  const [showsAll, setShowsAll] = useState(false)
  const shown = showsAll ? data : data.slice(0, shownAtFirst)
  return (
    <section class="set-aside">
      <h2>{data.length === 0 ? 'Set aside' : `${plural(data.length, 'package')} set aside`}</h2>
      <p class="faint">
        The destination refused their rows. They are kept on this machine
        {data.every(({ failedAt }) => hasRunSince(runs, failedAt))
          ? '; a run since then ended well, so they were read again, unless it left their resources out.'
          : ', and the next run reads them again.'}
      </p>
      {error !== undefined && <Failed error={error} />}
      {shown.map((one, at) => (
        <Package
          key={one.loadId}
          pipeline={pipeline}
          failed={one}
          isFirst={at === 0}
          onChoose={(choice) => {
            setTold('')
            setChosen({ key: one.loadId + choice.action, choice })
          }}
        />
      ))}
      {shown.length < data.length && (
        <button type="button" onClick={() => setShowsAll(true)}>
          Show {count(data.length - shown.length)} older
        </button>
      )}
      <span role="status">{told}</span>
      {chosen !== undefined && (
        <Confirm
          key={chosen.key}
          pipeline={pipeline}
          choice={chosen.choice}
          onDone={(done) => {
            setChosen(undefined)
            if (!done) return
            setTold(`Done: ${chosen.choice.title.toLowerCase()}.`)
            setTurn((one) => one + 1)
          }}
        />
      )}
    </section>
  )
}

const hasRunSince = (runs: readonly RunSummary[], moment: string): boolean =>
  runs.some(({ status, startedAt }) => status === 'done' && startedAt > moment)

interface PackageProps {
  pipeline: string
  failed: FailedFacts
  /** Open from the start; the others show their reason in one line. */
  isFirst: boolean
  onChoose(choice: Choice): void
}

function Package({ pipeline, failed, isFirst, onChoose }: PackageProps): JSX.Element {
  const [isOpen, setOpen] = useState(isFirst)
  const { loadId, failedAt, rows, tables, refusals, dataset } = failed
  const names = [...new Set(tables.map(({ table }) => table))]
  const what = `${plural(rows, 'row')}${names.length === 0 ? '' : ` of ${names.join(', ')}`}`
  const body = { loadId }
  return (
    <article class="refused" aria-label={`package ${loadId}`}>
      <div class="heading">
        <h3>
          <span class="mark failed" aria-hidden="true">
            ✗
          </span>{' '}
          <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? '▾' : '▸'} {what}
          </button>
        </h3>
        <span class="faint">
          <Age at={failedAt} />
        </span>
        <span class="gap" />
        <button
          type="button"
          onClick={() =>
            onChoose({
              action: 'retry-failed-package',
              title: 'Load the package after all',
              told: `${what}: they go into dataset ${dataset} now, with the state that belongs to them. Tables that got newer rows since are not touched.`,
              body,
              keep: 'Not now',
            })
          }
        >
          Retry…
        </button>
        <button
          type="button"
          class="danger"
          onClick={() =>
            onChoose({
              action: 'discard-failed-package',
              title: 'Discard the package',
              told: `${what} are deleted from this machine. The next run reads them again, where the source still has them.`,
              body,
              isDangerous: true,
            })
          }
        >
          Discard…
        </button>
      </div>
      {refusals.map((refusal) => (
        <Reason key={refusal.resources.join()} refusal={refusal} loadId={loadId} isOpen={isOpen} />
      ))}
      {isOpen && refusals.some(({ line }) => line !== undefined) && <RefusedRows pipeline={pipeline} loadId={loadId} />}
    </article>
  )
}

interface ReasonProps {
  refusal: FailedFacts['refusals'][number]
  loadId: string
  isOpen: boolean
}

function Reason({ refusal, loadId, isOpen }: ReasonProps): JSX.Element {
  const { resources, resource, table, line, column, code, message, fix, follows } = refusal
  const place = [
    code,
    table !== undefined && `table ${table}`,
    column !== undefined && `column ${column}`,
    line !== undefined && `line ${count(line)}`,
    `package ${loadId}`,
  ]
  return (
    <div class="refusal">
      <p class={isOpen ? '' : 'cut'}>
        <strong>{resource ?? (resources.join(', ') || 'all resources')}</strong>{' '}
        {follows === undefined ? message : `follows package ${follows}, and was not tried`}
      </p>
      {isOpen && follows === undefined && (
        <>
          <p class="fix">
            <span>fix</span> {fix}
          </p>
          <p class="place">{place.filter((part) => part !== false).join(' · ')}</p>
        </>
      )}
    </div>
  )
}

/** The rows themselves, when somebody wants to see them. */
function RefusedRows({ pipeline, loadId }: { pipeline: string; loadId: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  const path = isOpen ? pipelinePath(pipeline, 'failed-packages', loadId, 'rows') : undefined
  const { data, error } = useAnswer<RefusedRow[]>(path)
  return (
    <>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? '▾' : '▸'} The refused row
      </button>
      {error !== undefined && <Failed error={error} />}
      {isOpen && data?.length === 0 && <p class="faint">It cannot be told which one it is.</p>}
      {isOpen && data?.map((row) => <Row key={`${row.table} ${row.line}`} row={row} />)}
    </>
  )
}

function Row({ row: { columns, cells, text } }: { row: RefusedRow }): JSX.Element {
  if (cells === undefined) return <pre class="value">{text}</pre>
  return (
    <dl class="facts">
      {columns.map((name, at) => [
        <dt key={`${name} name`}>{name}</dt>,
        <dd key={name}>{cells[at] ?? <span class="faint">null</span>}</dd>,
      ])}
    </dl>
  )
}
