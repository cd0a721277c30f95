import { PipelineError, type Recovery } from '../errors/index.ts'

/** What an error of a database means for people. */
export interface ErrorRule {
  /** Found in the error's code, its reasons and its message, in this order. */
  when: RegExp
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

/** The first rule that an error fits. */
export const classifyError = (rules: readonly ErrorRule[], error: unknown): ErrorRule | undefined =>
  [madeMeanwhile, ...rules].find(({ when }) => when.test(textOf(error)))

/** The error with what to do about it, where a rule knows; else as it is. */
export function explainedBy(rules: readonly ErrorRule[], destination: string, error: unknown): unknown {
  if (error instanceof PipelineError) return error
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
