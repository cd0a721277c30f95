import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { QueryResult, RowObject } from '../../destinations/index.ts'
import { PipelineError } from '../../errors/index.ts'
import { largestHeapMib, largestProcessBytes, tooLarge } from './limits.ts'
import type { Message, QueryRequest, Reply, SentError } from './protocol.ts'

const script = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url))

/** The database ends a query at its time limit; the process is killed when that did not help. */
const graceMs = 1000
/** A process that waits for the next query is kept so long. */
const idleMs = 60_000
/** A process that hangs while it loads its modules would be waited for without end. */
const longestStartMs = 60_000
const mostIdle = 2

/** Processes without a query, with the environment they were started in: the next query saves the start. */
const idle = new Map<QueryProcess, string>()
const surroundings = (): string => JSON.stringify([process.cwd(), process.env])

/** Runs a query in a process of its own. `close` ends the query and must be called. */
export async function queryInProcess(request: QueryRequest): Promise<QueryResult & { close(): Promise<void> }> {
  const here = surroundings()
  const [waiting] = [...idle].find(([, its]) => its === here) ?? []
  const own = waiting ?? new QueryProcess()
  own.use()
  try {
    await own.started
    const columns = await own.query(request)
    return {
      columns,
      pages: own.pages(columns.map(({ name }) => name)),
      close: () => own.close(here),
    }
  } catch (error) {
    await own.close(here)
    // A process that waited may have been ended by somebody else meanwhile.
    if (waiting !== undefined && own.endedByItself) return queryInProcess(request)
    throw error
  }
}

type Waiting = { resolve(reply: Reply): void; reject(error: Error): void }

class QueryProcess {
  /** Spilled rows, copies and fetched files: removed also after a kill. */
  private readonly folder = mkdtempSync(join(tmpdir(), 'sluice-query-'))
  private readonly child: ChildProcess
  /** Resolves when the process can take a query. The start does not count as time of the query. */
  readonly started: Promise<Reply>
  private readonly ended: Promise<void>
  /** Whoever waits for the reply to the last message. */
  private waiting: Waiting | undefined
  /** Why the process is no longer used. */
  private failure: PipelineError | undefined
  endedByItself = false
  private timer: NodeJS.Timeout | undefined
  private timeoutMs = 0

  constructor() {
    const temporary = { TMPDIR: this.folder, TEMP: this.folder, TMP: this.folder }
    this.child = fork(script, [this.folder], {
      // The flags of this process may be a debugger's port, or `-e` with a whole program.
      execArgv: [`--max-old-space-size=${largestHeapMib}`],
      env: { ...process.env, ...temporary },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.child.on('message', (reply: Reply) => this.take(reply))
    this.started = new Promise((resolve, reject) => (this.waiting = { resolve, reject }))
    this.ended = new Promise((resolve) => {
      const end = (error: Error): void => {
        idle.delete(this)
        this.endedByItself = this.failure === undefined
        try {
          rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
        } catch {
          // An error in a listener would end this process; the folder is the system's to clear.
        }
        this.failure ??= endedBy(error)
        this.waiting?.reject(this.failure)
        resolve()
      }
      this.child.on('error', end)
      this.child.once('exit', (code, signal) => end(new Error(`its process ended with ${signal ?? code}`)))
    })
  }

  /** Takes the process out of those that wait, and keeps this process alive until its query is closed. */
  use(): void {
    idle.delete(this)
    clearTimeout(this.timer)
    this.child.ref()
    this.child.channel?.ref()
    this.timer = setTimeout(() => this.kill(endedBy(new Error('its process did not start'))), longestStartMs)
  }

  async query(request: QueryRequest): Promise<Extract<Reply, { type: 'columns' }>['columns']> {
    this.timeoutMs = request.limits.timeoutMs
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.kill(tookTooLong(this.timeoutMs)), this.timeoutMs + graceMs)
    const reply = await this.ask({ type: 'query', ...request })
    return reply.type === 'columns' ? reply.columns : []
  }

  async *pages(names: readonly string[]): AsyncGenerator<RowObject[]> {
    for (;;) {
      const reply = await this.ask({ type: 'next' })
      if (reply.type !== 'page') return
      yield reply.rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])))
    }
  }

  /** Resolves once the query holds nothing any more, so that a DuckDB file is free for the next writer. */
  async close(startedIn: string): Promise<void> {
    if (this.failure === undefined && this.waiting === undefined)
      await this.ask({ type: 'close' }).catch(() => undefined)
    else this.kill()
    clearTimeout(this.timer)
    if (idle.size >= mostIdle) this.kill()
    if (this.failure !== undefined) return this.ended
    idle.set(this, startedIn)
    this.timer = setTimeout(() => this.kill(), idleMs).unref()
    this.child.unref()
    this.child.channel?.unref()
  }

  private kill(failure?: PipelineError): void {
    this.failure ??= failure ?? endedBy(new Error('its process was stopped'))
    this.child.kill('SIGKILL')
  }

  private ask(message: Message): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure)
      this.waiting = { resolve, reject }
      // Where the message does not arrive, the exit of the process tells why.
      this.child.send(message, () => undefined)
    })
  }

  private take(reply: Reply): void {
    const { waiting } = this
    this.waiting = undefined
    if (reply.type !== 'error') return waiting?.resolve(reply)
    const error = received(reply.error)
    // The process ends itself after that.
    if (error.code === 'QUERY_TOO_LARGE') this.kill(error)
    waiting?.reject(error)
  }
}

const received = ({ summary, ...options }: SentError): PipelineError => new PipelineError(summary, options)

/** V8 aborts a process whose heap is full, and the system kills one that takes the machine's memory. */
function endedBy(cause: Error): PipelineError {
  if (/SIGABRT|SIGKILL|SIGTRAP|SIGSEGV| 13[47]$/.test(cause.message)) return tooLarge('the query', largestProcessBytes)
  return new PipelineError(`the query has no result: ${cause.message}`, {
    code: 'QUERY_FAILED',
    fix: 'run it again; where Sluice is bundled into one file, leave it out of the bundle',
    cause,
  })
}

const tookTooLong = (timeoutMs: number): PipelineError =>
  new PipelineError(`the query took longer than ${timeoutMs / 1000} seconds`, {
    code: 'QUERY_TIMEOUT',
    fix: 'ask for less of it: fewer rows, a narrower WHERE',
  })
