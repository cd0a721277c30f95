import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/run-command.ts'
import { postgresPoolConfig } from '../../src/destinations/postgres/postgres.ts'
import { childrenOf, signal } from '../support/processes.ts'

const root = fileURLToPath(new URL('../../src/', import.meta.url))

/** A project with a file of jobs; `sleep`, the library and a note to a file of the project are there for them. */
export class WorkerProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-workers-'))
  readonly url: string
  /** What is set for the processes that begin. */
  failing: Record<string, string> = {}
  private readonly children = new Set<ChildProcess>()

  constructor(url: string, jobs: string) {
    this.url = url
    writeFileSync(
      join(this.folder, 'sluice.jobs.ts'),
      `import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipeline, resource, source } from ${JSON.stringify(`${root}index.ts`)}
import { postgres } from ${JSON.stringify(`${root}destinations/postgres/postgres.ts`)}
import { after, cron, eachResource, every, job, timeWindows, valueRanges } from ${JSON.stringify(`${root}jobs/index.ts`)}
const note = (line: string) => appendFileSync(${JSON.stringify(join(this.folder, 'notes'))}, line + '\\n')
const destination = postgres({ url: process.env.WORKERS__QUEUE! })
void [after, cron, eachResource, every, job, timeWindows, valueRanges, note, sleep, pipeline, resource, source, destination]
${jobs}`,
    )
  }

  /** What jobs have noted. */
  notes(): string[] {
    try {
      return readFileSync(join(this.folder, 'notes'), 'utf8').trim().split('\n')
    } catch {
      return []
    }
  }

  /** Begins `sluice <args>`; a worker's events are gathered. */
  start(...args: string[]): WorkerProcess {
    const child = spawn(process.execPath, [join(root, 'cli/main.ts'), ...args], {
      cwd: this.folder,
      env: {
        ...process.env,
        HOME: this.folder,
        SLUICE_DATA_DIR: join(this.folder, `data-${this.children.size}`),
        WORKERS__QUEUE: this.url,
        DESTINATION__POSTGRES__CREDENTIALS: this.url,
        ...this.failing,
      },
    })
    this.children.add(child)
    const events: WorkerEventLine[] = []
    let [text, rest] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (!args.includes('--json')) return
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.startsWith('{"at"')) events.push(JSON.parse(line) as WorkerEventLine)
    })
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = once(child, 'close').then(([code]) => code as number | null)
    return Object.assign(child, { events, ended, said: () => text })
  }

  /** Rows of a query on the database of the queue. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(await postgresPoolConfig({ url: this.url }))
    await client.connect()
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  /** Runs `sluice <args>` to its end. */
  async run(...args: string[]): Promise<{ code: number | null; said: string }> {
    const child = this.start(...args)
    return { code: await child.ended, said: child.said() }
  }

  /** Runs `sluice <args>` in this process: for commands that only read or change the queue. */
  async command(...args: string[]): Promise<{ code: number; said: string }> {
    const here = process.cwd()
    const lines: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text))
    const error = vi.spyOn(console, 'error').mockImplementation((text: string) => void lines.push(text))
    vi.stubEnv('HOME', this.folder)
    vi.stubEnv('SLUICE_DATA_DIR', join(this.folder, 'data'))
    vi.stubEnv('WORKERS__QUEUE', this.url)
    process.chdir(this.folder)
    try {
      const code = await runCommand(args[0], args.slice(1))
      return { code, said: lines.join('\n') }
    } finally {
      process.chdir(here)
      vi.unstubAllEnvs()
      log.mockRestore()
      error.mockRestore()
    }
  }

  async end(): Promise<void> {
    for (const child of this.children) {
      for (const pid of [child.pid!, ...childrenOf(child.pid!)]) signal(pid, 'SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
  }
}

export interface WorkerEventLine {
  at: string
  type: string
  job?: string
  run?: string
  outcome?: string
  error?: string
  item?: { job: string; partition?: { name: string } }
}

export type WorkerProcess = ChildProcess & {
  events: WorkerEventLine[]
  ended: Promise<number | null>
  said(): string
}

let databases = 0

/** A database of its own on a server: a queue is there for all workers of its database. */
export async function freshDatabase(url: string): Promise<string> {
  const name = `workers_${process.pid}_${++databases}`
  const client = new pg.Client(await postgresPoolConfig({ url }))
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return url.replace(/\/[^/]*$/, `/${name}`)
}
