import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { PipelineSummary, TableSummary } from '../api.ts'
import { pages } from './keys.ts'
import { Mark } from './parts/status.tsx'
import { go, Link, to, type Place } from './router.tsx'
import { pipelinePath, useAnswer } from './server.ts'

const everyMs = 3000

/** Pipelines at the left, where one is at the top, the answer in the middle. */
export function Shell({ place, children }: { place: Place; children: ComponentChildren }): JSX.Element {
  const [root, current, page, ...rest] = place.parts
  const { data: pipelines } = useAnswer<PipelineSummary[]>('pipelines', everyMs)
  const pipeline = root === 'p' ? current : undefined
  const title = pages.find((one) => one.page === page)?.title ?? page
  useEffect(() => {
    document.title = [rest.at(-1), title, pipeline, 'Sluice'].filter((part) => part !== undefined).join(' · ')
  })
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <nav class="side" aria-label="Pipelines">
        <Link href="/" class="brand">
          <img src="/icon.svg" alt="" width="20" height="20" /> Sluice
        </Link>
        <Search pipelines={pipelines ?? []} pipeline={pipeline} />
        <ul class={pipeline === undefined ? 'pipelines' : 'pipelines one'}>
          {(pipelines ?? []).map((one) => (
            <li key={one.name} class={one.name === pipeline ? '' : 'other'}>
              <Link
                href={to('p', one.name)}
                class={one.name === pipeline ? 'entry current' : 'entry'}
                title={one.name}
                aria-current={one.name === pipeline && page === undefined ? 'page' : undefined}
              >
                <Mark status={one.runs.at(-1)?.status} />
                <span class="cut">{one.name}</span>
              </Link>
              {one.name === pipeline && <PageLinks pipeline={one.name} page={page} />}
            </li>
          ))}
        </ul>
        <p class="hint keys">
          <kbd>/</kbd> search <kbd>g r</kbd> runs <kbd>Esc</kbd> up
        </p>
      </nav>
      <div class="page">
        <header class="trail" aria-label="Where you are">
          <Link href="/">Pipelines</Link>
          {pipeline !== undefined && <Step href={to('p', pipeline)}>{pipeline}</Step>}
          {pipeline !== undefined && page !== undefined && <Step href={to('p', pipeline, page)}>{title}</Step>}
          {rest.length > 0 && <span class="step last">{rest.join(' → ')}</span>}
        </header>
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  )
}

const Step = ({ href, children }: { href: string; children: ComponentChildren }): JSX.Element => (
  <span class="step">
    <Link href={href}>{children}</Link>
  </span>
)

const PageLinks = ({ pipeline, page }: { pipeline: string; page: string | undefined }): JSX.Element => (
  <ul class="pages">
    {pages.map((one) => (
      <li key={one.title}>
        <Link
          href={one.page === undefined ? to('p', pipeline) : to('p', pipeline, one.page)}
          class={one.page === page ? 'entry current' : 'entry'}
          aria-current={one.page === page ? 'page' : undefined}
        >
          {one.title}
          <kbd aria-hidden="true">g {one.key}</kbd>
        </Link>
      </li>
    ))}
  </ul>
)

interface Found {
  kind: string
  name: string
  path: string
}

const mostFound = 12

/** Finds pipelines, and tables and columns of the current one. */
function Search({ pipelines, pipeline }: { pipelines: PipelineSummary[]; pipeline: string | undefined }): JSX.Element {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const asks = text !== '' && pipeline !== undefined
  const { data: tables = [] } = useAnswer<TableSummary[]>(asks ? pipelinePath(pipeline, 'tables') : undefined)
  const wanted = text.toLowerCase()
  const all: Found[] = [
    ...pipelines.map(({ name }) => ({ kind: 'pipeline', name, path: to('p', name) })),
    ...tables.map(({ name }) => ({ kind: 'table', name, path: to('p', pipeline!, 'data', name) })),
    ...tables.flatMap(({ name, columns }) =>
      columns.map((column) => ({
        kind: `column of ${name}`,
        name: column.name,
        path: `${to('p', pipeline!, 'data', name)}?column=${encodeURIComponent(column.name)}`,
      })),
    ),
  ]
  const found = wanted === '' ? [] : all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, mostFound)
  const open = (one: Found | undefined): void => {
    if (one === undefined) return
    setText('')
    go(one.path)
  }
  return (
    <div class="search" role="search">
      <input
        id="search"
        type="search"
        placeholder="Search"
        aria-label="Search pipelines, tables and columns"
        autocomplete="off"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault()
            const step = event.key === 'ArrowDown' ? 1 : -1
            setChosen((at) => Math.max(0, Math.min(found.length - 1, at + step)))
          } else if (event.key === 'Enter') {
            open(found[chosen])
            event.currentTarget.blur()
          } else if (event.key === 'Escape') setText('')
        }}
      />
      {wanted !== '' && (
        <ul class="found" aria-label="Found">
          {found.length === 0 && <li class="hint">Nothing is called that.</li>}
          {found.map((one, at) => (
            <li key={one.path + one.kind}>
              <button
                type="button"
                class={at === chosen ? 'entry current' : 'entry'}
                onMouseDown={(event) => {
                  event.preventDefault()
                  open(one)
                }}
              >
                <span class="cut">{one.name}</span> <span class="hint cut">{one.kind}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
