import { fork, type ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { RunRecord } from '../index.ts'
import type { RunOutcome } from '../jobs/schedule-store.ts'
import type { ItemRun } from './loaded-runs.ts'
import type { WorkItem } from './work-item.ts'

/** What a worker tells the process that does its items. */
export type ToExecutor = { type: 'run'; item: WorkItem; environment: Record<string, string> } | { type: 'stop' }
/** What it answers when it has ended one. */
export interface FromExecutor {
  type: 'ended'
  outcome: RunOutcome
  runs: ItemRun[]
}

/** How an item ended, what the pipelines that it ran have loaded, and the last of what it said. */
export interface ItemResult extends RunOutcome {
  runs: readonly ItemRun[]
  said: string
}

const keptText = 16_384

/**
 * A process that does one item after the other. Reading and parsing keep it busy, so heartbeats are sent by the worker; when it
 * runs out of memory or crashes, one item has failed and the worker goes on.
 */
export class Executor {
  private readonly command: readonly [string, ...string[]]
  private readonly environment: Record<string, string>
  private child: ChildProcess | undefined
  private said = ''

  /** `command`: the module, and its arguments, that answers with `serveItems`. */
  constructor(command: readonly [string, ...string[]], environment: Record<string, string>) {
    this.command = command
    this.environment = environment
  }

  async run(item: WorkItem, environment: Record<string, string>): Promise<ItemResult> {
    const child = (this.child ??= this.start())
    this.said = ''
    const begun = performance.now()
    const settled = new AbortController()
    try {
      const message: ToExecutor = { type: 'run', item, environment }
      // One that has ended meanwhile says so by its exit.
      child.send(message, () => undefined)
      const { signal } = settled
      const { outcome, runs } = await Promise.race([
        once(child, 'message', { signal }).then(([answer]) => answer as FromExecutor),
        once(child, 'exit', { signal }).then(([code, name]) => ({
          outcome: this.gone(`${(name as string | null) ?? `exit code ${code}`}`, begun),
          runs: [],
        })),
      ]).catch((error: Error) => ({ outcome: this.gone(error.message, begun), runs: [] }))
      return { ...outcome, runs, said: this.said }
    } finally {
      settled.abort()
    }
  }

  /** Asks for the end of the item that it does. */
  stop(): void {
    const message: ToExecutor = { type: 'stop' }
    if (this.child?.connected === true) this.child.send(message, () => undefined)
  }

  /** Ends the process, whatever it does: what it was loading is all there, or not at all. */
  kill(): void {
    this.child?.kill('SIGKILL')
  }

  private start(): ChildProcess {
    const [module, ...args] = this.command
    const child = fork(module, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...this.environment },
    })
    const keep = (part: Buffer): void => {
      this.said = (this.said + part.toString()).slice(-keptText)
    }
    for (const output of [child.stdout!, child.stderr!]) output.on('data', keep).on('error', () => undefined)
    const gone = (): void => void (this.child = this.child === child ? undefined : this.child)
    child.once('exit', gone)
    // While an item is done, `run` gets the error; between two items only this listener does.
    child.on('error', gone)
    return child
  }

  private gone(how: string, begun: number): RunOutcome {
    return {
      outcome: 'failure',
      endedAt: new Date().toISOString(),
      ms: Math.round(performance.now() - begun),
      error: `its process ended by itself (${how})`,
    }
  }
}

/** In the process of an executor: does what the worker sends, one after the other, and ends with it. */
export function serveItems(perform: (item: WorkItem, signal: AbortSignal) => Promise<RunOutcome>): void {
  let abort = new AbortController()
  // A worker that is gone has nobody to tell.
  process.on('disconnect', () => process.exit(1))
  // The Ctrl-C of a terminal reaches it as well; the worker says what is to be done.
  process.on('SIGINT', () => undefined)
  process.on('message', (message: ToExecutor) => {
    if (message.type === 'stop') {
      abort.abort()
      return
    }
    abort = new AbortController()
    Object.assign(process.env, message.environment)
    void answer(message.item)
  })
  let runs: ItemRun[] = []
  subscribe('sluice:run-ended', (run) => {
    const { pipeline, tables, changes, error } = run as RunRecord
    runs.push({ pipeline, tables, changes, ...(error === undefined ? {} : { error }) })
  })
  const answer = async (item: WorkItem): Promise<void> => {
    runs = []
    const ended: FromExecutor = { type: 'ended', outcome: await perform(item, abort.signal), runs }
    process.send?.(ended)
  }
}
