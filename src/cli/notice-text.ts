import type { RunEvent } from '../index.ts'
import { plural } from './style.ts'

type Notice = Extract<RunEvent, { type: 'notice' }>['notice']

/** Rows may be missing, or gone that should not be. */
export const isWarning = ({ kind }: Notice): boolean => kind === 'pages-in-doubt' || kind === 'table-emptied'

/** What a run noticed, in a line. */
export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case 'row-discarded':
      return `dropped  a row of ${notice.table}: the contract forbids its ${notice.column ?? notice.entity}`
    case 'value-discarded':
      return `dropped  a value of ${notice.table}.${notice.column ?? ''}: the contract forbids it`
    case 'timestamp-cut':
      return `cut      ${notice.table}.${notice.column ?? ''} to microseconds`
    case 'character-replaced':
      return `replaced half a character in ${notice.table}${notice.column === undefined ? '' : `.${notice.column}`}`
    case 'stored-as-null':
      return `null     for a value of ${notice.table}.${notice.column} that no column holds: NaN, an infinity, an invalid date`
    case 'column-widened':
      return `widened  ${notice.table}.${notice.column} from ${notice.from} to ${notice.to}`
    case 'pages-in-doubt':
      return `warning  ${notice.table} may not be complete: ${notice.detail}`
    case 'table-emptied':
      return `warning  ${notice.table} was emptied: it had ${rowsBefore(notice)}, and this run loaded none`
    case 'column-fixed':
      return `kept     ${notice.table}.${notice.column} as ${notice.type}, because something in the database depends on it; other values are in ${notice.variant}`
    case 'keys-collide':
      return `kept     two keys named ${notice.table}.${notice.column}, the other as ${notice.keptAs}`
    case 'lists-collide':
      return `kept     two lists named ${notice.table}, the one of ${notice.parent} as ${notice.keptAs}`
    case 'merge-without-key':
      return `appended to ${notice.table}: it merges, but no primary key or merge key is declared`
  }
}

const rowsBefore = ({ rowsBefore: known }: { rowsBefore?: number }): string =>
  known === undefined ? 'rows' : plural(known, 'row')
