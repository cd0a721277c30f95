import type { JSX } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Cell, PipelineSummary, ResultPage, TableSummary } from '../../api.ts'
import { cellText, compact, count, isNumeric, plural } from '../format.ts'
import { BarChart } from '../parts/chart.tsx'
import { Details } from '../parts/details.tsx'
import type { Editor } from '../parts/editor.tsx'
import { Grid, type GridColumn } from '../parts/grid.tsx'
import { Empty, Failed } from '../parts/notes.tsx'
import { Value } from '../parts/value.tsx'
import { ask, askFile, pipelinePath, useAnswer, type Refused } from '../server.ts'

const mostRemembered = 50

/** Ask anything; nothing here can change the data. */
export function Sql({ pipeline, query }: { pipeline: string; query: URLSearchParams }): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | undefined>(undefined)
  const { data: pipelines } = useAnswer<PipelineSummary[]>('pipelines')
  const { data: tables } = useAnswer<TableSummary[]>(pipelinePath(pipeline, 'tables'))
  const dataset = pipelines?.find(({ name }) => name === pipeline)?.dataset
  const [result, setResult] = useState<{ page?: ResultPage; sql?: string; error?: Refused; at: number }>()
  const [isBusy, setBusy] = useState(false)
  const past = usePast(pipeline)

  const run = useCallback(async () => {
    const text = editor.current!.text()
    setBusy(true)
    try {
      const page = await ask<ResultPage>(pipelinePath(pipeline, 'query'), { sql: text })
      setResult({ page, sql: text, at: Date.now() })
      past.add(text)
      editor.current?.closeProposals()
    } catch (error) {
      // What was found before stays where it is.
      setResult((before) => ({ at: Date.now(), ...before, error: error as Refused }))
    } finally {
      setBusy(false)
    }
  }, [pipeline])
  const runNow = useRef(run)
  runNow.current = run

  useEffect(() => {
    let isGone = false
    const open = async (): Promise<void> => {
      const { openEditor } = await import('../parts/editor.tsx')
      if (isGone) return
      const text = sessionStorage.getItem(draftKey(pipeline)) ?? ''
      editor.current = openEditor(
        place.current!,
        text,
        () => void runNow.current(),
        (next) => sessionStorage.setItem(draftKey(pipeline), next),
      )
      editor.current.focus()
      place.current!.dispatchEvent(new Event('ready'))
    }
    void open()
    return () => {
      isGone = true
      editor.current?.destroy()
      editor.current = undefined
    }
  }, [pipeline])

  useEffect(() => {
    if (tables === undefined || dataset === undefined) return
    const fill = (): void => {
      const schema = Object.fromEntries(tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]))
      editor.current!.setSchema({ [dataset]: schema }, dataset)
      const first = query.get('table') ?? tables.find(({ isSystem }) => !isSystem)?.name
      const draft = editor.current!.text()
      if (first === undefined || (draft !== '' && query.get('table') === null)) return
      editor.current!.setText(`SELECT *\nFROM ${dataset}.${quoted(first)}\nLIMIT 1000`)
    }
    if (editor.current !== undefined) return fill()
    const element = place.current!
    element.addEventListener('ready', fill, { once: true })
    return () => element.removeEventListener('ready', fill)
  }, [tables, dataset])

  return (
    <div class="filled">
      <div class="heading">
        <h1>SQL</h1>
        <span class="faint">reads only: one query, 30 seconds, 10,000 rows</span>
        <span class="gap" />
        <History past={past.list} onChoose={(text) => editor.current?.setText(text)} />
        <button type="button" class="main" disabled={isBusy} onClick={() => void run()} title="Ctrl-Enter">
          {isBusy ? 'Running…' : 'Run'} <kbd>Ctrl ↵</kbd>
        </button>
      </div>
      <div class="editor" ref={place} />
      {result?.error !== undefined && <Failed error={result.error} />}
      {result?.page === undefined ? (
        <Empty title="No result yet">Write a query and run it.</Empty>
      ) : (
        <Result pipeline={pipeline} sql={result.sql ?? ''} page={result.page} version={String(result.at)} />
      )}
    </div>
  )
}

const draftKey = (pipeline: string): string => `sql of ${pipeline}`
const quoted = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

/** The queries that ran, kept in this browser. */
function usePast(pipeline: string): { list: string[]; add(text: string): void } {
  const key = `past sql of ${pipeline}`
  const [list, setList] = useState<string[]>(() => JSON.parse(localStorage.getItem(key) ?? '[]') as string[])
  return {
    list,
    add: (text) =>
      setList((before) => {
        const next = [text, ...before.filter((one) => one !== text)].slice(0, mostRemembered)
        localStorage.setItem(key, JSON.stringify(next))
        return next
      }),
  }
}

const History = ({ past, onChoose }: { past: string[]; onChoose(text: string): void }): JSX.Element => (
  <select
    class="past"
    aria-label="Earlier queries"
    value=""
    disabled={past.length === 0}
    onChange={(event) => {
      onChoose(past[Number(event.currentTarget.value)]!)
      event.currentTarget.value = ''
    }}
  >
    <option value="">{past.length === 0 ? 'No earlier queries' : 'Earlier queries'}</option>
    {past.map((text, at) => (
      <option key={text} value={at}>
        {text.replaceAll(/\s+/g, ' ').slice(0, 70)}
      </option>
    ))}
  </select>
)

interface ResultProps {
  pipeline: string
  sql: string
  page: ResultPage
  version: string
}

function Result({ pipeline, sql, page, version }: ResultProps): JSX.Element {
  const [failure, setFailure] = useState<Refused>()
  const download = async (format: 'csv' | 'parquet'): Promise<void> => {
    setFailure(undefined)
    try {
      save(`${pipeline}.${format}`, await askFile(pipelinePath(pipeline, 'export'), { sql, format }))
    } catch (error) {
      setFailure(error as Refused)
    }
  }
  const [view, setView] = useState<'rows' | 'chart'>('rows')
  const [value, setValue] = useState<{ cell: Cell; column: GridColumn }>()
  const columns = page.columns.map((column, at) => ({ ...column, at }))
  const chart = chartOf(page)
  const shown = chart === undefined ? 'rows' : view
  return (
    <>
      <div class="result-line">
        <span>
          {page.cut === undefined ? plural(page.rows.length, 'row') : `first ${plural(page.rows.length, 'row')}`}
          <span class="faint"> in {count(page.ms)} ms</span>
        </span>
        <span class="gap" />
        <div class="switch" role="group" aria-label="Show as">
          <button type="button" aria-pressed={shown === 'rows'} onClick={() => setView('rows')}>
            Rows
          </button>
          <button
            type="button"
            aria-pressed={shown === 'chart'}
            disabled={chart === undefined}
            title={chart === undefined ? 'A chart needs a name or a time, and a number' : undefined}
            onClick={() => setView('chart')}
          >
            Chart
          </button>
        </div>
        <button type="button" title="All rows" onClick={() => void download('csv')}>
          CSV
        </button>
        <button type="button" title="All rows, with their types" onClick={() => void download('parquet')}>
          Parquet
        </button>
      </div>
      {failure !== undefined && <Failed error={failure} />}
      {shown === 'chart' ? (
        <BarChart {...chart!} />
      ) : (
        <div class="beside">
          <Grid
            label={`result of ${plural(page.rows.length, 'row')}`}
            columns={columns}
            total={page.rows.length}
            load={async (offset, limit) => page.rows.slice(offset, offset + limit)}
            version={version}
            onCell={(cell, column) => setValue({ cell, column })}
          />
          {value !== undefined && (
            <Details title={value.column.name} onClose={() => setValue(undefined)}>
              <Value cell={value.cell} />
            </Details>
          )}
        </div>
      )}
    </>
  )
}

const mostBars = 200
const mostLabels = 12

/** The first number by the first name or time, as bars. */
function chartOf({ columns, rows }: ResultPage): Parameters<typeof BarChart>[0] | undefined {
  const value = columns.findIndex(({ dataType }) => isNumeric(dataType))
  const name = columns.findIndex(({ dataType }, at) => at !== value && !isNumeric(dataType))
  const by = name === -1 ? columns.findIndex((_, at) => at !== value) : name
  if (value === -1 || by === -1 || rows.length === 0) return undefined
  const bars = rows.slice(0, mostBars).map((row, at) => ({
    key: String(at),
    value: Number(cellText(row[value]!)),
    title: `${cellText(row[by]!)}: ${cellText(row[value]!)}`,
    ...(rows.length <= mostLabels ? { label: cellText(row[by]!) } : {}),
  }))
  const ends = [cellText(rows[0]![by]!).slice(0, 24), cellText(rows[bars.length - 1]![by]!).slice(0, 24)] as const
  return { title: `${columns[value]!.name} by ${columns[by]!.name}`, bars, unit: compact, height: 260, ends }
}

function save(name: string, file: Blob): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
