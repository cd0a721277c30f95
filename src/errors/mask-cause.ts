import { redact } from '../masking/index.ts'

const deepest = 5

/** Masks secrets in the messages of a cause and of its own causes: whoever prints an error prints them, too. */
export function maskCause(cause: unknown, depth = 0): void {
  if (!(cause instanceof Error) || depth === deepest) return
  for (const [name, value] of [['message', cause.message] as const, ...Object.entries(cause)])
    if (typeof value === 'string' && redact(value) !== value) set(cause, name, redact(value))
  maskCause(cause.cause, depth + 1)
  for (const inner of cause instanceof AggregateError ? cause.errors : []) maskCause(inner, depth + 1)
}

function set(error: Error, name: string, value: string): void {
  try {
    // Its first lines repeat the message; reading it costs more than most errors do.
    const stack = name === 'message' && error.stack !== undefined ? redact(error.stack) : undefined
    Object.assign(error, { [name]: value }, stack === undefined ? {} : { stack })
  } catch {
    // An error that cannot be changed stays what it is; what Sluice shows is masked again.
  }
}
