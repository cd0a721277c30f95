/** Tables as cards, nested ones to the right of the one they belong to. */
import type { JSX } from 'preact'
import type { ColumnSummary, TableSummary } from '../../api.ts'
import { compact, count } from '../format.ts'
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
  const fits = (text: string): boolean => wanted !== '' && text.toLowerCase().includes(wanted)
  const cards = placed(tables, showsOwn, fits)
  const byName = new Map(cards.map((card) => [card.table.name, card]))
  const width = Math.max(...cards.map(({ x }) => x)) + cardWidth
  const height = Math.max(...cards.map(({ y, height: own }) => y + own))
  return (
    <div class="scrolls graph" tabIndex={0} role="region" aria-label="Tables and how they belong together">
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
              <h3>
                <Link href={to('p', pipeline, 'data', table.name)} class="cut" title={table.name}>
                  {table.name}
                </Link>
                <span class="faint" title={`${count(counts[table.name] ?? 0)} rows`}>
                  {counts[table.name] === undefined ? '' : compact(counts[table.name]!)}
                </span>
              </h3>
              <ul>
                {columns.map((column) => (
                  <li key={column.name} class={fits(column.name) ? 'hit' : ''} title={told(column)}>
                    <span class="cut">
                      {column.name}
                      {column.hints.includes('primary key') && <b title="primary key"> ⚿</b>}
                      {column.hints.includes('cursor') && <b title="cursor"> ↥</b>}
                    </span>
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
      <p class="hint">⚿ primary key · ↥ cursor · * never null</p>
    </div>
  )
}

const told = ({ name, type, hints, description, nullable }: ColumnSummary): string =>
  [name, type, nullable ? 'may be null' : 'never null', ...hints, description]
    .filter((part) => part !== undefined)
    .join(' · ')

function placed(tables: readonly TableSummary[], showsOwn: boolean, fits: (text: string) => boolean): Card[] {
  const names = new Set(tables.map(({ name }) => name))
  const cards: Card[] = []
  /** Places a table and all below it, from `y` on; returns where the next one begins. */
  const place = (table: TableSummary, x: number, y: number): number => {
    const all = table.columns.filter(({ name }) => showsOwn || table.isSystem || !name.startsWith('_dlt_'))
    // What is looked for is among those shown.
    const first = all.toSorted((a, b) => Number(fits(b.name)) - Number(fits(a.name))).slice(0, mostColumns)
    const columns = all.filter((column) => first.includes(column))
    const more = all.length - columns.length
    const height = head + (columns.length + (more > 0 ? 1 : 0)) * line + 8
    cards.push({ table, columns, more, x, y, height })
    let below = y
    for (const child of tables.filter(({ parent }) => parent === table.name))
      below = place(child, x + cardWidth + gapX, below)
    return Math.max(y + height + gapY, below)
  }
  let y = 0
  for (const table of tables) if (table.parent === undefined || !names.has(table.parent)) y = place(table, 0, y)
  return cards
}

/** From the head of the parent to the head of the child. */
function edge(parent: Card, child: Card): string {
  const [x1, y1, x2, y2] = [parent.x + cardWidth, parent.y + head / 2, child.x, child.y + head / 2]
  const middle = x1 + gapX / 2
  return `M ${x1} ${y1} C ${middle} ${y1}, ${middle} ${y2}, ${x2} ${y2}`
}
