/**
 * A table of any length: only the rows that are looked at are there, and they are asked for page by page. A page of the
 * browser cannot be higher than some million pixels; beyond that the scroll bar stands for a part of the way.
 */
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Cell } from '../../api.ts'
import { cellText, count, isNumeric, moment } from '../format.ts'

export interface GridColumn {
  name: string
  dataType: string
  /** Its place in a row. */
  at: number
  /** Shown instead of the cell's text. */
  render?(cell: Cell, row: readonly Cell[]): JSX.Element | null
}

interface Props {
  columns: readonly GridColumn[]
  total: number
  /** Rows from `offset` on; the same page is not asked for twice. */
  load(offset: number, limit: number): Promise<Cell[][]>
  /** Another source: everything known is forgotten. */
  version: string
  order?: string | undefined
  onColumn?: ((name: string) => void) | undefined
  onSort?: ((name: string) => void) | undefined
  onCell?: ((cell: Cell, column: GridColumn) => void) | undefined
  label: string
}

const rowHeight = 28
const highest = 6_000_000
const pageRows = 200
const settleMs = 60

export function Grid({ columns, total, load, version, order, onColumn, onSort, onCell, label }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const [room, setRoom] = useState(600)
  const [top, setTop] = useState(0)
  const [pages, setPages] = useState<ReadonlyMap<number, Cell[][]>>(new Map())
  const asked = useRef(new Set<number>())

  const whole = total * rowHeight
  const height = Math.min(whole, highest)
  const most = Math.max(whole - room, 0)
  /** Pixels of rows for each pixel of the scroll bar. */
  const scale = height > room ? most / (height - room) : 1

  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      setRoom(Math.max(entry!.contentRect.height - rowHeight * 1.5, rowHeight)),
    )
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])

  useLayoutEffect(() => {
    asked.current = new Set()
    setPages(new Map())
    setTop(0)
    box.current!.scrollTop = 0
  }, [version])

  const first = Math.max(0, Math.floor(top / rowHeight))
  const last = Math.min(total, first + Math.ceil(room / rowHeight) + 2)
  const needed = `${Math.floor(first / pageRows)} ${Math.floor(Math.max(last - 1, 0) / pageRows)} ${version} ${total}`
  useEffect(() => {
    if (total === 0) return
    let isCurrent = true
    const wanted = needed.split(' ').slice(0, 2).map(Number)
    // Whoever drags the bar passes many pages; only where it stops is one asked for.
    const timer = setTimeout(
      async () => {
        for (let page = wanted[0]!; page <= wanted[1]!; page++) {
          if (asked.current.has(page)) continue
          const known = asked.current
          known.add(page)
          try {
            const rows = await load(page * pageRows, pageRows)
            if (known === asked.current) setPages((before) => new Map(before).set(page, rows))
          } catch {
            // Told where the first page is asked for; this one is tried again.
            known.delete(page)
          }
          if (!isCurrent) return
        }
      },
      asked.current.size === 0 ? 0 : settleMs,
    )
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [needed])

  /** Goes to a place in the rows, and takes the scroll bar along. */
  const moveTo = (wanted: number): void => {
    const place = Math.max(0, Math.min(most, wanted))
    setTop(place)
    box.current!.scrollTop = place / scale
  }
  useEffect(() => {
    const element = box.current!
    // Where the bar is coarser than the rows, the wheel moves by rows all the same.
    const onWheel = (event: WheelEvent): void => {
      if (scale <= 1.01 || event.deltaY === 0 || event.shiftKey || event.ctrlKey) return
      event.preventDefault()
      moveTo(top + event.deltaY)
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [scale, top, most])

  const onScroll = (): void => {
    const at = box.current!.scrollTop
    if (Math.abs(at - top / scale) > 1) setTop(Math.min(most, at * scale))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowDown: rowHeight,
      ArrowUp: -rowHeight,
      PageDown: room - rowHeight,
      PageUp: rowHeight - room,
      Home: -top,
      End: most - top,
    }
    const step = steps[event.key]
    if (step === undefined || event.target !== event.currentTarget) return
    event.preventDefault()
    moveTo(top + step)
  }

  const sample = pages.get(0) ?? pages.values().next().value
  const widths = useMemo(() => columns.map((column) => widthOf(column, sample)), [columns, sample])
  const style = { gridTemplateColumns: `64px ${widths.map((width) => `${width}px`).join(' ')}` }
  const visible = Array.from({ length: Math.max(last - first, 0) }, (_, at) => first + at)
  const isScaled = scale > 1.01
  return (
    <div
      class="grid"
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={total}
      aria-colcount={columns.length}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="grid-head" role="row" style={style}>
        <span class="grid-number" role="columnheader">
          #
        </span>
        {columns.map(({ name, dataType }) => (
          <Head key={name} {...{ name, dataType, order, onColumn, onSort }} />
        ))}
      </div>
      <div class="grid-body" style={{ height: `${height}px` }}>
        <div style={{ transform: `translateY(${isScaled ? top / scale - (top % rowHeight) : first * rowHeight}px)` }}>
          {visible.map((at) => (
            <Row
              key={at}
              at={at}
              columns={columns}
              row={pages.get(Math.floor(at / pageRows))?.[at % pageRows]}
              style={style}
              onCell={onCell}
            />
          ))}
        </div>
      </div>
    </div>
  )
}

function Head(
  props: Pick<GridColumn, 'name' | 'dataType'> & Pick<Props, 'order' | 'onColumn' | 'onSort'>,
): JSX.Element {
  const { name, dataType, order, onColumn, onSort } = props
  const direction = order === `${name}.asc` ? 'ascending' : order === `${name}.desc` ? 'descending' : undefined
  return (
    <span class={`grid-title ${alignment(dataType)}`} role="columnheader" aria-sort={direction}>
      {onColumn === undefined ? (
        <span class="cut" title={`${name}: ${dataType}`}>
          {name}
        </span>
      ) : (
        <button
          type="button"
          class="cut"
          title={`${name}: ${dataType}. What does it hold?`}
          onClick={() => onColumn(name)}
        >
          {name} <small>{dataType}</small>
        </button>
      )}
      {onSort !== undefined && (
        <button type="button" class="sort" aria-label={`sort by ${name}`} onClick={() => onSort(name)}>
          {direction === 'ascending' ? '↑' : direction === 'descending' ? '↓' : '↕'}
        </button>
      )}
    </span>
  )
}

interface RowProps extends Pick<Props, 'columns' | 'onCell'> {
  at: number
  row: readonly Cell[] | undefined
  style: { gridTemplateColumns: string }
}

const Row = ({ at, row, columns, style, onCell }: RowProps): JSX.Element => (
  <div class={at % 2 === 0 ? 'grid-row' : 'grid-row odd'} role="row" aria-rowindex={at + 1} style={style}>
    <span class="grid-number" role="rowheader">
      {count(at + 1)}
    </span>
    {columns.map((column) => {
      const cell = row?.[column.at]
      if (row === undefined || cell === undefined)
        return <span key={column.name} class="grid-cell absent" role="gridcell" />
      return (
        <span
          key={column.name}
          class={`grid-cell ${cell === null ? 'null' : alignment(column.dataType)}`}
          role="gridcell"
          onClick={onCell === undefined || cell === null ? undefined : () => onCell(cell, column)}
        >
          {column.render?.(cell, row) ?? shown(cell, column.dataType)}
        </span>
      )
    })}
  </div>
)

const alignment = (dataType: string): string => (isNumeric(dataType) ? 'right' : '')

/** On one line: breaks and other signs that cannot be seen are told. */
function shown(cell: Cell, dataType: string): string {
  if (cell === null) return 'null'
  if (dataType === 'timestamp') return moment(cellText(cell))
  if (typeof cell === 'number' && dataType === 'bigint') return String(cell)
  const text = cellText(cell).slice(0, 300)
  // oxlint-disable-next-line no-control-regex
  const visible = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (sign) => (sign === '\n' ? '↵' : '·'))
  return visible === '' ? '""' : visible
}

const letter = 7.4
function widthOf({ name, dataType, render, at }: GridColumn, rows: readonly (readonly Cell[])[] | undefined): number {
  const texts = (rows ?? [])
    .slice(0, 50)
    .map((row) => (render === undefined ? shown(row[at] ?? null, dataType).length : 8))
  const widest = Math.max(name.length + dataType.length + 5, ...texts)
  return Math.round(Math.min(Math.max(widest * letter + 20, 72), 360))
}
