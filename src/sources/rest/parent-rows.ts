import { jsonPath, type ResourceContext } from '../../extract/index.ts'
import type { ParentRows } from './spec.ts'
import { Batch, type ParentField } from './template.ts'

/** The rows that one request is about, by resource. */
export type RequestRows = ReadonlyMap<string, readonly unknown[]>

/** Which parents an endpoint reads from, and how. */
export interface Parents {
  /** The resource that reads. */
  child: string
  /** The resource whose pages are transformed. */
  primary: string
  /** Resources that are not above it: every combination with their rows is asked for. */
  alongside: readonly string[]
  fields: readonly ParentField[]
  /** Fields of rows that tell parents apart beside what is asked for: they become a part of the child's merge key. */
  keyFields: readonly string[]
  options: ParentRows
}

/** What tells the rows of a request from others: the values that go into it. */
export const valuesOf = (fields: readonly ParentField[], rows: RequestRows): unknown[] =>
  fields.map(({ resource, field }) => {
    const path = jsonPath(field)
    const found = (rows.get(resource) ?? []).map((row) => path.first(row))
    return found.length === 1 ? found[0] : found
  })

/** The requests for a page of parent rows: one a row, or a batch, or a combination with the rows of other parents. */
export async function* requestRows(
  { child, primary, alongside, fields, keyFields, options }: Parents,
  page: readonly unknown[],
  context: ResourceContext,
  seen: Set<string>,
): AsyncGenerator<RequestRows> {
  // Grandparents, and those above them.
  const above = context.upstream?.origin ?? new Map<string, readonly unknown[]>()
  const fieldsOf = (name: string): ParentField[] => fields.filter(({ resource }) => resource === name)
  const others = await Promise.all(
    alongside.map(async (name) => {
      const rows = await context.rowsOf(name)
      return [name, options.distinct === true ? distinctRows(rows, name, fieldsOf(name)) : rows] as const
    }),
  )
  const own = fieldsOf(primary)
  const higher = valuesOf(
    fields.filter(({ resource }) => above.has(resource)),
    above,
  )
  const usable = page.filter((row) => {
    const values = valuesOf(own, new Map([[primary, [row]]]))
    if (options.onNull === 'skip' && values.some((value) => value === undefined || value === null)) {
      context.emit({ type: 'skipped', resource: child, detail: `a row of ${primary} without ${namesOf(own)}` })
      return false
    }
    if (options.distinct !== true) return true
    const keys = keyFields.map((field) => parentValue(field, primary, new Map([...above, [primary, [row]]])))
    return isNew(JSON.stringify([...higher, ...values, ...keys].map(String)), seen)
  })
  for (const rows of grouped(usable, options.batch)) {
    for (const combination of combinations(others)) yield new Map([...above, ...combination, [primary, rows]])
  }
}

const namesOf = (fields: readonly ParentField[]): string => fields.map(({ field }) => field).join(', ')

function distinctRows(rows: readonly unknown[], name: string, fields: readonly ParentField[]): unknown[] {
  const seen = new Set<string>()
  return rows.filter((row) => isNew(JSON.stringify(valuesOf(fields, new Map([[name, [row]]])).map(String)), seen))
}

/** A field of the parent row, or `resource.field` of another row that the request is about. */
export function parentValue(field: string, primary: string, rows: RequestRows): unknown {
  const own = jsonPath(field).first(rows.get(primary)?.[0])
  const dot = field.indexOf('.')
  const other = own === undefined && dot > 0 ? rows.get(field.slice(0, dot)) : undefined
  return other === undefined ? own : jsonPath(field.slice(dot + 1)).first(other[0])
}

function isNew(key: string, seen: Set<string>): boolean {
  if (seen.has(key)) return false
  seen.add(key)
  return true
}

function grouped(rows: readonly unknown[], size: number | undefined): (readonly unknown[])[] {
  if (size === undefined) return rows.map((row) => [row])
  const groups = Math.ceil(rows.length / size)
  return Array.from({ length: groups }, (_, at) => Batch.from(rows.slice(at * size, (at + 1) * size)))
}

/** Every way to take one row of each. */
function* combinations(others: readonly (readonly [string, readonly unknown[]])[]): Generator<[string, unknown[]][]> {
  const [first, ...rest] = others
  if (first === undefined) {
    yield []
    return
  }
  for (const row of first[1]) for (const below of combinations(rest)) yield [[first[0], [row]], ...below]
}
