import { PipelineError, type Recovery } from '../errors/index.ts'
import { ColumnFixed } from './column-fixed.ts'

/** What an error of a database means for people. */
export interface ErrorRule {
  /** Found in the error's code, its reasons and its message, in this order. */
  when: RegExp
  /**
   * `skip`: the database refuses these rows, or this change of a table, for good. `retry`: it is busy, full or cannot be
   * reached. `abort`: rights or settings are missing, for whatever is loaded.
   */
  recovery: Recovery
  fix: string
}

/** Drivers name codes differently; a rule may ask for any of them. */
function textOf(error: unknown): string {
  const { code, sqlState, errors, message } = error as {
    code?: unknown
    sqlState?: unknown
    errors?: { reason?: unknown }[]
    message?: unknown
  }
  const reasons = Array.isArray(errors) ? errors.map(({ reason }) => reason) : []
  return [code, sqlState, ...reasons, message].filter((part) => part !== undefined && part !== null).join(' ')
}

/** Loads make only what they did not find. */
const madeMeanwhile: ErrorRule = {
  when: /already[ _]exists/i,
  recovery: 'retry',
  fix: 'run again: another load made the same table or column at the same time',
}

/** Node's own errors of sockets and files. */
const notReached: ErrorRule = {
  when: /^E[A-Z]{4,}\b/,
  recovery: 'retry',
  fix: 'run again when the destination can be reached: nothing of the load was written',
}

/** The first rule that an error fits. */
export const classifyError = (rules: readonly ErrorRule[], error: unknown): ErrorRule | undefined =>
  [madeMeanwhile, ...rules, notReached].find(({ when }) => when.test(textOf(error)))

/** The error with what to do about it, where a rule knows; else as it is. */
export function explainedBy(rules: readonly ErrorRule[], destination: string, error: unknown): unknown {
  if (error instanceof PipelineError || error instanceof ColumnFixed) return error
  const rule = classifyError(rules, error)
  if (rule === undefined) return error
  const [first] = String((error as Error).message).split('\n')
  return new PipelineError(`destination "${destination}": ${first}`, {
    code: 'LOAD_FAILED',
    recovery: rule.recovery,
    fix: rule.fix,
    cause: error,
  })
}

/** Where in a file of rows an error was found. */
export interface RowPlace {
  /** Counted from 1. */
  line?: number
  column?: string
}

/** The line and the column that a database names: PostgreSQL in the error's context, others in its message. */
export function rowPlace(error: unknown): RowPlace {
  const { where, message, column: own } = error as { where?: unknown; message?: unknown; column?: unknown }
  const text = [where, message].filter((part) => typeof part === 'string').join(' ')
  const line = /\bline:? (\d+)/i.exec(text)?.[1]
  const column = typeof own === 'string' ? own : /\bcolumn "?([^\s":,]+)/i.exec(text)?.[1]
  return { ...(line === undefined ? {} : { line: Number(line) }), ...(column === undefined ? {} : { column }) }
}
