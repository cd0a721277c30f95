import type { JSX } from 'preact'
import type { TableSummary } from '../../api.ts'
import { count } from '../format.ts'
import { Link, to } from '../router.tsx'
import { Empty } from './notes.tsx'
import { List, number, unseen } from './list.tsx'

interface Props {
  pipeline: string
  tables: readonly TableSummary[]
  counts: Record<string, number> | undefined
}

/** Tables with their rows, nested ones below the one they belong to. */
export function TableList({ pipeline, tables, counts }: Props): JSX.Element {
  if (tables.length === 0) return <Empty title="No tables yet">They come with the first rows.</Empty>
  const most = Math.max(1, ...Object.values(counts ?? {}))
  return (
    <List heads={['Table', number('Rows'), unseen('Share'), number('Columns'), 'Resource', 'Write disposition']}>
      {inOrder(tables).map((table) => (
        <tr key={table.name}>
          <td class={`depth-${Math.min(depthOf(table, tables), 4)}`}>
            <Link href={to('p', pipeline, 'data', table.name)}>{table.name}</Link>
          </td>
          <td class="number">{counts?.[table.name] === undefined ? '' : count(counts[table.name]!)}</td>
          <td class="share">
            <i style={{ width: `${((counts?.[table.name] ?? 0) / most) * 100}%` }} />
          </td>
          <td class="number">{table.columns.length}</td>
          <td>{table.resource ?? (table.parent === undefined ? '' : <span class="faint">nested</span>)}</td>
          <td>{table.writeDisposition}</td>
        </tr>
      ))}
    </List>
  )
}

/** Each table followed by those that are nested in it. */
function inOrder(tables: readonly TableSummary[]): TableSummary[] {
  const names = new Set(tables.map(({ name }) => name))
  const below = (parent: string | undefined): TableSummary[] =>
    tables
      .filter((table) => (table.parent !== undefined && names.has(table.parent) ? table.parent : undefined) === parent)
      .toSorted((a, b) => a.name.localeCompare(b.name))
      .flatMap((table) => [table, ...below(table.name)])
  return below(undefined)
}

function depthOf(table: TableSummary, tables: readonly TableSummary[]): number {
  const parent = tables.find(({ name }) => name === table.parent)
  return parent === undefined ? 0 : 1 + depthOf(parent, tables)
}
