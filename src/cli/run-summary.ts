import { relative } from 'node:path'
import type { LoadInfo } from '../index.ts'
import { count, style } from './style.ts'

/** What a run noticed beside the rows. */
interface Noticed {
  remarks: readonly string[]
  /** Rows may be missing. */
  isInDoubt: boolean
}

/** What a run loaded, on one screen. */
export function runSummary(info: LoadInfo, { remarks, isInDoubt }: Noticed): string {
  const rows = Object.entries(info.rows)
  const changes = info.packages.flatMap((one) => one.changes)
  const newColumns = (name: string): string => {
    const columns = changes
      .filter((change) => change.table === name && !change.created)
      .flatMap((change) => change.columns)
    return columns.length === 0
      ? ''
      : `  new: ${columns.map((column) => `${column.name} ${column.dataType}`).join(', ')}`
  }
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  const tables = rows.map(([name, n]) => `  ${name.padEnd(width)} ${count(n).padStart(11)} rows${newColumns(name)}`)
  return [
    '',
    ...(rows.length === 0 ? [isInDoubt ? '  no rows were loaded, which may be wrong:' : '  no new rows'] : tables),
    ...(remarks.length === 0 ? [] : ['', ...remarks.map((remark) => `  ${style.waiting(remark)}`)]),
    '',
    String(info),
    '',
    `look at it: sluice pipeline ${info.pipeline} show`,
  ].join('\n')
}

/** A path as a person in the current folder would write it. */
export const shortPath = (path: string): string => {
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? path : near
}

/** A file by its path from here; an address as it is. */
export const shortLocation = (location: string): string =>
  location.replace(/^(\w+):(\/(?!\/).*)$/, (_, kind: string, path: string) => `${kind} ${shortPath(path)}`)
