import { PipelineError } from '../../errors/index.ts'
import { parentValue, type Parents, type RequestRows } from './parent-rows.ts'
import type { RestResourceSpec } from './spec.ts'

/** What every row of a child takes over from the rows that its request is about; `undefined` for nothing. */
export function fieldsFromParent(
  { name, includeFromParent: include }: RestResourceSpec,
  parents: Parents | undefined,
  rows: RequestRows,
): Record<string, unknown> | undefined {
  if (include === undefined || parents === undefined) return undefined
  return Object.fromEntries(
    includedFields(include, parents.primary).map(([field, as]) => {
      const value = parentValue(field, parents.primary, rows)
      if (value === undefined) throw missing(name, parents.primary, field, rows)
      return [as, value]
    }),
  )
}

/** Fields of the parent, and what they are called in the child. */
export const includedFields = (
  include: RestResourceSpec['includeFromParent'],
  primary: string,
): (readonly [field: string, as: string])[] =>
  Array.isArray(include)
    ? (include as string[]).map((field) => [field, `_${primary}_${field}`] as const)
    : Object.entries((include ?? {}) as Record<string, string>)

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
