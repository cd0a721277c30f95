import { excerpt, PipelineError } from '../errors/index.ts'
import { contractMode } from '../schema/index.ts'
import type { ResourceContext } from './resource.ts'
import { issuePath, type StandardSchema, type ValidationIssue } from './standard-schema.ts'
import type { ResourceOptions } from './resource.ts'

/**
 * Checks rows against the resource's validator and takes what it returns. What happens to others is the contract's
 * `dataType` mode: `freeze` (here the default) fails, `discard_row` and `discard_value` drop, `evolve` lets them pass.
 */
export async function validateRows(
  resource: string,
  schema: StandardSchema,
  options: ResourceOptions,
  rows: readonly unknown[],
  context: ResourceContext,
): Promise<unknown[]> {
  const mode = options.schemaContract === undefined ? 'freeze' : contractMode(options.schemaContract, 'data_type')
  const kept: unknown[] = []
  for (const row of rows) {
    const result = await schema['~standard'].validate(row)
    if (result.issues === undefined) kept.push(result.value)
    else if (mode === 'evolve') kept.push(row)
    else if (mode === 'freeze') throw invalidRow(resource, result.issues, row)
    else {
      const table = typeof options.tableName === 'string' ? options.tableName : resource
      const column = issuePath(result.issues[0]!)
      const kind = mode === 'discard_row' ? 'row-discarded' : 'value-discarded'
      context.emit({ type: 'notice', notice: { kind, table, column, entity: 'data_type' } })
      if (mode === 'discard_row') context.discard(`data_type: ${column}`, row)
      if (mode === 'discard_value') kept.push(withoutValues(row, result.issues))
    }
  }
  return kept
}

/** The row without the top-level fields that have issues. */
function withoutValues(row: unknown, issues: readonly ValidationIssue[]): unknown {
  const fields = new Set(issues.map((issue) => issuePath(issue).split('.')[0]))
  return Object.fromEntries(Object.entries(row as object).filter(([key]) => !fields.has(key)))
}

function invalidRow(resource: string, issues: readonly ValidationIssue[], row: unknown): PipelineError {
  const told = issues.slice(0, 3).map((issue) => `${issuePath(issue) || 'the row'}: ${issue.message}`)
  const text = JSON.stringify(row) ?? String(row)
  return new PipelineError(
    `resource "${resource}": a row does not fit its schema (${told.join('; ')}): ${excerpt(text, 80)}`,
    {
      code: 'CONTRACT_VIOLATED',
      resource,
      fix: "correct the row or the schema, or discard such rows with schemaContract { dataType: 'discard_row' }",
    },
  )
}
