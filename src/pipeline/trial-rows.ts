import { PipelineError, type ErrorCode } from '../errors/index.ts'
import type { Normalizer, RowTarget } from '../normalize/index.ts'
import { copySchema, type Schema } from '../schema/index.ts'

/** What a row can be refused for that another one may be free of. */
const ofRows: ReadonlySet<ErrorCode> = new Set([
  'LIMIT_EXCEEDED',
  'NESTED_TOO_DEEP',
  'TOO_MANY_KEYS',
  'VALUE_NOT_STORABLE',
])

/**
 * Tries rows before they are written: a refused row may have left columns and lines of nested tables, which here belong to
 * a copy of the schema and to files that no package takes.
 */
export class TrialRows {
  private readonly schema: Schema
  private readonly newNormalizer: (schema: Schema) => Normalizer
  private normalizer: Normalizer | undefined

  /** `newNormalizer`: one that counts on from where the writing one is. */
  constructor(schema: Schema, newNormalizer: (schema: Schema) => Normalizer) {
    this.schema = schema
    this.newNormalizer = newNormalizer
  }

  /** Why the row cannot be written; throws what is not the fault of the row. */
  refusalOf(target: RowTarget, row: unknown): Error | undefined {
    try {
      this.normalizer ??= this.newNormalizer(copySchema(this.schema))
      this.normalizer.write(target, [row])
      return undefined
    } catch (error) {
      // The next one is made once something else is written in place of the row, so that it knows of that too.
      this.normalizer = undefined
      const isOfRow = error instanceof RangeError || (error instanceof PipelineError && ofRows.has(error.code))
      if (isOfRow) return error
      throw error
    }
  }
}
