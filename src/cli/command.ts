import { parseArgs, type ParseArgsConfig } from 'node:util'
import { attach, PipelineError, readableJson, type Pipeline } from '../index.ts'

export interface CommandResult {
  exitCode: number
}
export const done: CommandResult = { exitCode: 0 }
export const failed: CommandResult = { exitCode: 1 }

type Options = NonNullable<ParseArgsConfig['options']>

/** Options that every command takes. */
const common = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  debug: { type: 'boolean' },
} as const satisfies Options

/** Parses a command's arguments; `undefined` when help was asked for and has been printed. */
export function parseCommand<const O extends Options>(args: string[], usage: string, options: O) {
  const parsed = parseArgs({ args, options: { ...common, ...options }, allowPositionals: true })
  if ((parsed.values as { help?: boolean }).help === true) {
    console.log(usage.trim())
    return undefined
  }
  return parsed
}

/** How a person calls this program here: installed, or in its own repository. */
export const program = import.meta.url.endsWith('.ts') ? 'npm run sluice --' : 'npx sluice'

const longestQueryMs = 10 * 60_000

/** A pipeline, opened only to look: also while a run writes, and without keeping one from it. */
export const look = (name: string): Pipeline => attach(name, { readOnly: { timeoutMs: longestQueryMs } })

/** The one JSON value of a command with `--json`; whole numbers beyond 2^53 and decimals are text. */
export const printJson = (value: unknown): void => console.log(readableJson(value))

/** 0 is any port that is free. */
export function portNumber(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new PipelineError(`--port ${text} is no port`, { code: 'WRONG_USE', fix: 'choose one from 1024 to 65535' })
}
