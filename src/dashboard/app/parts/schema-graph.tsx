/** Tables as cards, nested ones to the right of the one they belong to. */
import type { JSX } from 'preact'
import type { ColumnSummary, TableSummary } from '../../api.ts'
import { compact, count } from '../format.ts'
import { useWidth } from './width.ts'
import { Link, to } from '../router.tsx'

interface Props {
  pipeline: string
  tables: readonly TableSummary[]
  counts: Record<string, number>
  showsOwn: boolean
  /** In small letters; cards without it are dimmed. */
  wanted: string
}

interface Card {
  table: TableSummary
  columns: readonly ColumnSummary[]
  more: number
  x: number
  y: number
  height: number
}

const [cardWidth, gapX, gapY, head, line, mostColumns] = [248, 56, 20, 34, 22, 14]

export function SchemaGraph({ pipeline, tables, counts, showsOwn, wanted }: Props): JSX.Element {
  const [place, room] = useWidth<HTMLDivElement>()
  const fits: Fits = (text) => wanted !== '' && text.toLowerCase().includes(wanted)
  const cards = placed({ tables, showsOwn, width: room }, fits)
  const byName = new Map(cards.map((card) => [card.table.name, card]))
  const width = Math.max(...cards.map(({ x }) => x)) + cardWidth
  const height = Math.max(...cards.map(({ y, height: own }) => y + own))
  return (
    <div class="scrolls graph" ref={place} tabIndex={0} role="region" aria-label="Tables and how they belong together">
      <div style={{ position: 'relative', width: `${width}px`, height: `${height}px` }}>
        <svg class="edges" width={width} height={height} aria-hidden="true">
          {cards.map((card) => {
            const parent = byName.get(card.table.parent ?? '')
            return parent === undefined ? null : <path key={card.table.name} d={edge(parent, card)} />
          })}
        </svg>
        {cards.map((card) => {
          const { table, columns, more, x, y, height: own } = card
          const isFound = wanted === '' || fits(table.name) || table.columns.some(({ name }) => fits(name))
          return (
            <section
              key={table.name}
              class={isFound ? 'card' : 'card dim'}
              style={{ left: `${x}px`, top: `${y}px`, width: `${cardWidth}px`, height: `${own}px` }}
              aria-label={table.name}
            >
              <h2>
                <Link href={to('p', pipeline, 'data', table.name)} class="cut" title={table.name}>
                  {table.name}
                </Link>
                <span class="faint" title={`${count(counts[table.name] ?? 0)} rows`}>
                  {counts[table.name] === undefined ? '' : compact(counts[table.name]!)}
                </span>
              </h2>
              <ul>
                {columns.map((column) => (
                  <li key={column.name} class={fits(column.name) ? 'hit' : ''} title={told(column)}>
                    <Link
                      href={`${to('p', pipeline, 'data', table.name)}?column=${encodeURIComponent(column.name)}`}
                      class="cut"
                    >
                      {column.name}
                      {column.hints.includes('primary key') && <b>key</b>}
                      {column.hints.includes('cursor') && <b>cursor</b>}
                    </Link>
                    <span class="faint">
                      {column.dataType ?? column.type}
                      {column.nullable ? '' : ' *'}
                    </span>
                  </li>
                ))}
                {more > 0 && <li class="faint">{count(more)} more</li>}
              </ul>
            </section>
          )
        })}
      </div>
      <p class="hint">* never null. The number beside a name tells the rows.</p>
    </div>
  )
}

const told = ({ name, type, hints, description, nullable }: ColumnSummary): string =>
  [name, type, nullable ? 'may be null' : 'never null', ...hints, description]
    .filter((part) => part !== undefined)
    .join(' · ')

/** Tables that belong together stand together; such groups fill the columns of the page, each the one that is shortest. */
function placed(
  { tables, showsOwn, width }: Pick<Props, 'tables' | 'showsOwn'> & { width: number },
  fits: Fits,
): Card[] {
  const names = new Set(tables.map(({ name }) => name))
  const roots = tables.filter(({ parent }) => parent === undefined || !names.has(parent))
  const groups = roots.map((root) => group(root, tables, showsOwn, fits))
  const step = cardWidth + gapX
  const columns = Math.max(1, Math.floor((width + gapX) / step), ...groups.map(({ columns: own }) => own))
  const ends = Array.from({ length: columns }, () => 0)
  return groups.flatMap(({ cards, columns: own, height }) => {
    const starts = Array.from({ length: columns - own + 1 }, (_, at) => Math.max(...ends.slice(at, at + own)))
    const y = Math.min(...starts)
    const at = starts.indexOf(y)
    ends.fill(y + height + gapY, at, at + own)
    return cards.map((card) => ({ ...card, x: card.x + at * step, y: card.y + y }))
  })
}

/** A table with all that is nested in it. */
function group(root: TableSummary, tables: readonly TableSummary[], showsOwn: boolean, fits: Fits) {
  const cards: Card[] = []
  let columns = 1
  /** Places a table and all below it, from `y` on; returns where the next one begins. */
  const place = (table: TableSummary, depth: number, y: number): number => {
    columns = Math.max(columns, depth + 1)
    const card = cardOf(table, showsOwn, fits)
    cards.push({ ...card, x: depth * (cardWidth + gapX), y })
    let below = y
    for (const child of tables.filter(({ parent }) => parent === table.name)) below = place(child, depth + 1, below)
    return Math.max(y + card.height + gapY, below)
  }
  const height = place(root, 0, 0) - gapY
  return { cards, columns, height }
}

type Fits = (text: string) => boolean

function cardOf(table: TableSummary, showsOwn: boolean, fits: Fits): Omit<Card, 'x' | 'y'> {
  const all = table.columns.filter(({ name }) => showsOwn || table.isSystem || !name.startsWith('_dlt_'))
  // What is looked for is among those shown.
  const first = all.toSorted((a, b) => Number(fits(b.name)) - Number(fits(a.name))).slice(0, mostColumns)
  const columns = all.filter((column) => first.includes(column))
  const more = all.length - columns.length
  return { table, columns, more, height: head + (columns.length + (more > 0 ? 1 : 0)) * line + 8 }
}

/** From the head of the parent to the head of the child. */
function edge(parent: Card, child: Card): string {
  const [x1, y1, x2, y2] = [parent.x + cardWidth, parent.y + head / 2, child.x, child.y + head / 2]
  const middle = x1 + gapX / 2
  return `M ${x1} ${y1} C ${middle} ${y1}, ${middle} ${y2}, ${x2} ${y2}`
}
