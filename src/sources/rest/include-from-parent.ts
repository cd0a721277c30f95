import { PipelineError } from '../../errors/index.ts'
import { jsonPath } from '../../extract/index.ts'
import type { Parents, RequestRows } from './parent-rows.ts'
import type { RestResourceSpec } from './spec.ts'

/** What every row of a child takes over from the rows that its request is about; `undefined` for nothing. */
export function fieldsFromParent(
  { name, includeFromParent: include }: RestResourceSpec,
  parents: Parents | undefined,
  rows: RequestRows,
): Record<string, unknown> | undefined {
  if (include === undefined || parents === undefined) return undefined
  const names = Array.isArray(include)
    ? (include as string[]).map((field) => [field, `_${parents.primary}_${field}`] as const)
    : Object.entries(include as Record<string, string>)
  return Object.fromEntries(
    names.map(([field, as]) => {
      const value = valueOf(field, parents.primary, rows)
      if (value === undefined) throw missing(name, parents.primary, field, rows)
      return [as, value]
    }),
  )
}

/** A field of the parent row, or `resource.field` of another row that the request is about. */
function valueOf(field: string, primary: string, rows: RequestRows): unknown {
  const own = jsonPath(field).first(rows.get(primary)?.[0])
  const dot = field.indexOf('.')
  const other = own === undefined && dot > 0 ? rows.get(field.slice(0, dot)) : undefined
  return other === undefined ? own : jsonPath(field.slice(dot + 1)).first(other[0])
}

function missing(resource: string, primary: string, field: string, rows: RequestRows): PipelineError {
  const row = rows.get(primary)?.[0]
  const has = typeof row === 'object' && row !== null ? Object.keys(row).join(', ') : 'no fields'
  return new PipelineError(`resource "${resource}": a row of "${primary}" has no "${field}" to include`, {
    code: 'SOURCE_INVALID',
    resource,
    fix: `name a field that every row has; this one has: ${has}`,
  })
}

export function withFields(rows: unknown[], fields: Record<string, unknown>): unknown[] {
  return rows.map((row) => {
    const own = typeof row === 'object' && row !== null ? row : { value: row }
    return Object.assign(own, fields)
  })
}
