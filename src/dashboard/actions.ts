import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attach, PipelineError, type RunRecord } from '../index.ts'

const script = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './act.ts' : './act.js', import.meta.url))
/** A run that is still going after this is left to itself: its record tells the rest. */
const startMs = 1500

export const actions = [
  'sync',
  'drop-pending-packages',
  'drop',
  'retry-failed-package',
  'discard-failed-package',
] as const
export type Action = (typeof actions)[number]

/** Starts the last run of a pipeline again, as it was started then. It goes on when the dashboard ends. */
export async function runAgain(pipeline: string): Promise<{ started: true; pid: number }> {
  const [last] = attach(pipeline).runs(1)
  if (last?.status === 'running') {
    throw new PipelineError(`${pipeline} is running already`, { code: 'PIPELINE_BUSY', fix: 'wait until it has ended' })
  }
  const { program, args, cwd } = commandOf(last, pipeline)
  const { pid, code, output } = await started(program, args, cwd)
  if (code === undefined || code === 0) return { started: true, pid }
  throw new PipelineError(`the run ended at once: ${output}`, {
    code: 'RUN_FAILED',
    fix: 'look at the run in the list',
  })
}

function commandOf(run: RunRecord | undefined, pipeline: string): RunRecord['command'] {
  const command = run?.command
  // Of arguments that held a secret, only the stars are on record.
  if (command !== undefined && command.args.length > 0 && !command.args.some((part) => part.includes('***')))
    return command
  throw new PipelineError(`it is not on record how ${pipeline} is started`, {
    code: 'WRONG_USE',
    fix: 'run it once from the terminal; secrets belong into the environment or secrets.toml',
  })
}

/** Changes something in a process of its own: here, files of databases are only looked at. */
export async function act(pipeline: string, action: Action, options: Record<string, unknown>): Promise<unknown> {
  const args = [...process.execArgv, script, pipeline, action, JSON.stringify(options)]
  const { code, output } = await started(process.execPath, args, process.cwd(), Number.POSITIVE_INFINITY)
  const answer = lastJson(output)
  if (code === 0) return answer
  const { message = output, fix = 'look at the terminal of the dashboard' } = answer.error ?? {}
  throw new PipelineError(message, { code: 'WRONG_USE', fix })
}

/** What `act` has printed; nothing when it died before. */
function lastJson(output: string): { error?: { message: string; fix: string } } {
  try {
    return JSON.parse(output.split('\n').at(-1) ?? '') as { error?: { message: string; fix: string } }
  } catch {
    return {}
  }
}

/** Runs a program for at most so long that one knows it began well. */
async function started(
  program: string,
  args: readonly string[],
  cwd: string,
  waitMs = startMs,
): Promise<{ pid: number; code: number | undefined; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-action-'))
  const log = join(folder, 'output')
  const file = openSync(log, 'a')
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', file, file] })
  closeSync(file)
  const code = await new Promise<number | undefined>((resolve, reject) => {
    if (Number.isFinite(waitMs)) setTimeout(() => resolve(undefined), waitMs)
    child.on('error', reject)
    child.once('exit', (ended) => resolve(ended ?? 1))
  })
  child.unref()
  const output = readFileSync(log, 'utf8').trim()
  rmSync(folder, { recursive: true, force: true })
  return { pid: child.pid ?? 0, code, output: output.split('\n').slice(-4).join('\n') }
}
