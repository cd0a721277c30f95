import type { JSX } from 'preact'
import { useCallback, useMemo, useState } from 'preact/hooks'
import type { Cell, ResultPage, TableSummary } from '../../api.ts'
import { cellText, count, plural } from '../format.ts'
import { Details } from '../parts/details.tsx'
import { Grid, type GridColumn } from '../parts/grid.tsx'
import { Empty, Failed, Waiting } from '../parts/notes.tsx'
import { Profile } from '../parts/profile.tsx'
import { TableList } from '../parts/table-list.tsx'
import { Value } from '../parts/value.tsx'
import { go, Link, to } from '../router.tsx'
import { ask, pipelinePath, useAnswer } from '../server.ts'

interface Props {
  pipeline: string
  table: string | undefined
  query: URLSearchParams
}

/** What is in this table? */
export function Data({ pipeline, table, query }: Props): JSX.Element {
  const { data: tables, error, isLate } = useAnswer<TableSummary[]>(pipelinePath(pipeline, 'tables'))
  const counts = useAnswer<Record<string, number>>(table === undefined ? pipelinePath(pipeline, 'counts') : undefined)
  if (error !== undefined) return <Failed error={error} />
  if (tables === undefined) return <Waiting isLate={isLate} what="tables" />
  if (table === undefined) {
    return (
      <>
        <h1>{plural(tables.filter(({ isSystem }) => !isSystem).length, 'table')}</h1>
        <TableList pipeline={pipeline} tables={tables.filter(({ isSystem }) => !isSystem)} counts={counts.data} />
        <h2>dlt’s own tables</h2>
        <TableList pipeline={pipeline} tables={tables.filter(({ isSystem }) => isSystem)} counts={counts.data} />
      </>
    )
  }
  const chosen = tables.find(({ name }) => name === table)
  if (chosen === undefined) return <Empty title={`There is no table ${table}`}>Choose one from the list.</Empty>
  return <Table pipeline={pipeline} table={chosen} query={query} />
}

type Shown = { kind: 'column'; name: string } | { kind: 'value'; cell: Cell; column: GridColumn }

function Table({ pipeline, table, query }: Required<Omit<Props, 'table'>> & { table: TableSummary }): JSX.Element {
  const [showsOwn, setShowsOwn] = useState(table.isSystem)
  const [value, setValue] = useState<Shown | undefined>()
  const path = to('p', pipeline, 'data', table.name)
  const asked = new URLSearchParams([...query].filter(([name]) => ['order', 'column', 'is', 'value'].includes(name)))
  const condition = asked.get('is') === null ? undefined : asked
  const rowsPath = (offset: number, limit: number): string =>
    `${pipelinePath(pipeline, 'tables', table.name, 'rows')}?${new URLSearchParams([...asked, ['offset', String(offset)], ['limit', String(limit)]])}`
  const first = useAnswer<ResultPage>(rowsPath(0, 200))
  const total = first.data?.total
  const load = useCallback(
    async (offset: number, limit: number) =>
      withChildren(
        offset === 0 && first.data !== undefined ? first.data : await ask<ResultPage>(rowsPath(offset, limit)),
      ),
    [String(asked), first.data],
  )
  const all = first.data?.columns
  const columns = useMemo((): GridColumn[] => {
    const own = (all ?? []).map((column, at) => ({ ...column, at }))
    const id = own.findIndex(({ name }) => name === '_dlt_id')
    const children = first.data?.children ?? []
    const links = children.map((child, at) => childColumn(pipeline, table.name, child.table, own.length + at, id))
    return [...own.filter(({ name }) => showsOwn || !name.startsWith('_dlt_')), ...links]
  }, [first.data, showsOwn])
  const profiled = query.get('column') !== null && query.get('is') === null ? query.get('column')! : undefined
  const change = (changes: Record<string, string | undefined>): void => {
    const next = new URLSearchParams(query)
    for (const [name, text] of Object.entries(changes)) {
      if (text === undefined) next.delete(name)
      else next.set(name, text)
    }
    go(next.size === 0 ? path : `${path}?${next}`, 'replace')
  }
  const sort = (name: string): void => {
    const order = query.get('order')
    change({ order: order === `${name}.asc` ? `${name}.desc` : order === `${name}.desc` ? undefined : `${name}.asc` })
  }
  const openProfile = (name: string): void => {
    setValue({ kind: 'column', name })
  }
  const shown: Shown | undefined = value ?? (profiled === undefined ? undefined : { kind: 'column', name: profiled })
  const close = (): void => {
    setValue(undefined)
    if (profiled !== undefined) change({ column: undefined })
  }
  return (
    <div class="filled">
      <div class="heading">
        <h1>{table.name}</h1>
        <span class="faint">
          {total === undefined ? '' : plural(total, 'row')}
          {condition !== undefined && ' found'}
        </span>
        <span class="gap" />
        {table.parent !== undefined && <Link href={to('p', pipeline, 'data', table.parent)}>↑ {table.parent}</Link>}
        <label>
          <input type="checkbox" checked={showsOwn} onChange={() => setShowsOwn(!showsOwn)} /> dlt’s columns
        </label>
        <Link href={`${to('p', pipeline, 'sql')}?table=${encodeURIComponent(table.name)}`} class="button">
          Query it
        </Link>
      </div>
      {table.description !== undefined && <p class="lead">{table.description}</p>}
      <Filter table={table} query={query} onChange={change} />
      {first.error !== undefined && <Failed error={first.error} />}
      {first.data === undefined && first.error === undefined && <Waiting isLate={first.isLate} what="rows" />}
      {first.data !== undefined && (
        <div class="beside">
          {total === 0 ? (
            <Empty title={condition === undefined ? 'No rows yet' : 'No row fits'}>
              {condition === undefined
                ? 'The table is there; nothing was loaded into it.'
                : 'Change the condition above.'}
            </Empty>
          ) : (
            <Grid
              label={`${count(total!)} rows of ${table.name}`}
              columns={columns}
              total={total!}
              load={load}
              version={`${table.name} ${asked} ${showsOwn}`}
              order={query.get('order') ?? undefined}
              onColumn={openProfile}
              onSort={sort}
              onCell={(cell, column) => setValue({ kind: 'value', cell, column })}
            />
          )}
          {shown !== undefined && (
            <Details title={shown.kind === 'column' ? shown.name : shown.column.name} onClose={close}>
              {shown.kind === 'value' ? (
                <Value cell={shown.cell} />
              ) : (
                <Profile
                  pipeline={pipeline}
                  table={table.name}
                  column={shown.name}
                  dataType={all?.find(({ name }) => name === shown.name)?.dataType ?? ''}
                />
              )}
            </Details>
          )}
        </div>
      )}
    </div>
  )
}

/** Counts of nested rows stand behind the cells of their row. */
const withChildren = ({ rows, children = [] }: ResultPage): Cell[][] =>
  rows.map((row, at) => [...row, ...children.map(({ counts }) => counts[at] ?? 0)])

/** Leads to the rows that are nested in a row. */
function childColumn(pipeline: string, table: string, child: string, at: number, id: number): GridColumn {
  const path = (parent: Cell): string => {
    const condition = new URLSearchParams({ column: '_dlt_parent_id', is: '=', value: cellText(parent) })
    return `${to('p', pipeline, 'data', child)}?${condition}`
  }
  return {
    name: child.slice(table.length + 2),
    dataType: 'nested',
    at,
    render: (cell, row) =>
      cell === 0 ? <span class="faint">0</span> : <Link href={path(row[id]!)}>{`${count(Number(cell))} →`}</Link>,
  }
}

const comparisons = ['=', '!=', '<', '<=', '>', '>=', 'like', 'is null', 'is not null']

function Filter({
  table,
  query,
  onChange,
}: {
  table: TableSummary
  query: URLSearchParams
  onChange(changes: Record<string, string | undefined>): void
}): JSX.Element {
  const isSet = query.get('is') !== null
  const [column, setColumn] = useState(isSet ? query.get('column')! : (table.columns[0]?.name ?? ''))
  const [comparison, setComparison] = useState(query.get('is') ?? '=')
  const [value, setValue] = useState(query.get('value') ?? '')
  const takesValue = !comparison.startsWith('is ')
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault()
        onChange({ column, is: comparison, value: takesValue ? value : undefined })
      }}
    >
      <label>
        Where{' '}
        <select value={column} onChange={(event) => setColumn(event.currentTarget.value)} aria-label="column">
          {table.columns.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <select value={comparison} onChange={(event) => setComparison(event.currentTarget.value)} aria-label="comparison">
        {comparisons.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      {takesValue && (
        <input
          value={value}
          onInput={(event) => setValue(event.currentTarget.value)}
          aria-label="value"
          placeholder="value"
        />
      )}
      <button type="submit">Find</button>
      {isSet && (
        <button type="button" onClick={() => onChange({ column: undefined, is: undefined, value: undefined })}>
          All rows
        </button>
      )}
    </form>
  )
}
