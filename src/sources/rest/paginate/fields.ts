import { names, plainName } from './names.ts'

/** A value of a response outside of its rows. */
export interface Field {
  /** A JSONPath. */
  path: string
  /** The key as the API spells it. */
  key: string
  /** The key without case and separators. */
  name: string
  /** Plain name of the object it is in; empty at the top. */
  parent: string
  /** Next to the rows, around them, or in an object about paging. */
  isNear: boolean
  value: unknown
}

const deepest = 6

/** All fields of a response that are not in its rows, outermost first. Lists are fields, what is in them is not. */
export function fieldsOutsideRows(body: unknown, rows: readonly unknown[]): Field[] {
  const fields: Field[] = []
  const ofRows = new Set(rows)
  // The World Bank sends a list of an envelope and the rows.
  const isPair = Array.isArray(body) && body.length === 2 && Array.isArray(body[1])
  const top: unknown = isPair ? body[0] : body
  let level: Place[] =
    isObject(top) && !ofRows.has(top) ? [{ object: top, path: isPair ? '[0]' : '', name: '', isNear: true }] : []
  for (let depth = 0; depth < deepest && level.length > 0; depth += 1) {
    const below: Place[] = []
    for (const { object, path, name: parent, isNear } of level) {
      for (const [key, value] of Object.entries(object)) {
        const field: Field = { path: join(path, key), key, name: plainName(key), parent, isNear, value }
        fields.push(field)
        if (!isObject(value) || ofRows.has(value)) continue
        const isAround = holdsRows(value, rows, depth)
        if (!isAround && names.aside.test(field.name)) continue
        const near = isNear && (isAround || names.paging.test(field.name))
        below.push({ object: value, path: field.path, name: field.name, isNear: near })
      }
    }
    level = below
  }
  return fields
}

interface Place {
  object: object
  path: string
  name: string
  isNear: boolean
}

/** Compared by the first row: selectors may have made a list of their own. */
function holdsRows(value: object, rows: readonly unknown[], depth: number): boolean {
  if (depth > deepest || rows.length === 0) return false
  return Object.values(value).some((inner) =>
    Array.isArray(inner)
      ? inner[0] === rows[0]
      : isObject(inner) && (inner === rows[0] || holdsRows(inner, rows, depth + 1)),
  )
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const join = (path: string, key: string): string => {
  const step = /^[\w-]+$/.test(key) ? key : `['${key.replace(/['\\]/g, '\\$&')}']`
  return path === '' || step.startsWith('[') ? path + step : `${path}.${step}`
}
