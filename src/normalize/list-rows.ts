import { formOf, isScalarObject } from '../schema/index.ts'

/**
 * The rows of a page. A list among them that holds only rows, or lists of rows, is taken apart; one that holds any other value
 * is a row itself, with the columns `col_0`, `col_1` and so on.
 */
export function listedRows(page: readonly unknown[]): readonly unknown[] {
  if (!page.some(Array.isArray)) return page
  const rows: unknown[] = []
  takeApart(page, rows)
  return rows
}

/** Whether a page brings anything: null, empty lists and empty objects are how APIs spell that there is nothing. */
export const bringsRows = (page: readonly unknown[]): boolean => page.some(isSomething)

function isSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isSomething)
  if (value === null || value === undefined) return false
  return typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype || Object.keys(value).length > 0
}

/** Each row is moved once, however deep it lies. */
function takeApart(list: readonly unknown[], rows: unknown[]): void {
  for (const item of list) {
    if (!Array.isArray(item)) rows.push(item)
    else if (item.length > 0 && !holdsRows(item)) rows.push(byPosition(item))
    else takeApart(item, rows)
  }
}

function holdsRows(list: readonly unknown[]): boolean {
  const values = list.filter((value) => value !== null && value !== undefined)
  return values.length > 0 && values.every(isRow)
}

const isRow = (value: unknown): boolean => {
  const form = formOf(value)
  return typeof form === 'object' && form !== null && !isScalarObject(form)
}

const byPosition = (list: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(list.map((value, index) => [`col_${index}`, value]))
