import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOf, halfDone, leftInLake, leftInWorkingData, leftOnServer, onServer, type Faults } from './faults.ts'
import { loadAll, type Load } from './loader.ts'
import type { ScenarioName, World } from './world.ts'

export const destinationNames = ['duckdb', 'postgres', 'filesystem'] as const
export type DestinationName = (typeof destinationNames)[number]

/** How a load is killed: when it passes a step for the n-th time, or so many milliseconds after its first request. */
export type Kill = { step: string; pass: number } | { afterMs: number }

export interface Ended {
  killed: boolean
  /** It ended by itself and said that it had failed. */
  failed: boolean
  /** From its first request on. */
  ms: number
  errors: string
}

/** What loads: Sluice, or another program that is told the same. */
export interface Tool {
  start(load: Load, env: Record<string, string>): ChildProcess
  /** Loads what is left, unharmed; throws when that cannot be done. */
  finish(load: Load, env: Record<string, string>): Promise<void>
  /** What it promises beyond the rows in the end: nothing half-done is ever seen, and nothing is left behind. */
  promisesMore: boolean
}

export const sluice: Tool = {
  start: (load, env) => {
    const script = fileURLToPath(new URL('loader.ts', import.meta.url))
    return spawn(process.execPath, [script, JSON.stringify(load)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  },
  // Here and now: starting a process takes longer than loading.
  async finish(load, env) {
    const before = process.env.SLUICE_DATA_DIR
    process.env.SLUICE_DATA_DIR = env.SLUICE_DATA_DIR
    try {
      await loadAll(load)
    } finally {
      if (before === undefined) delete process.env.SLUICE_DATA_DIR
      else process.env.SLUICE_DATA_DIR = before
    }
  },
  promisesMore: true,
}

/** Where all is read anew each time, each run is a load. */
const readsAll: ReadonlySet<ScenarioName> = new Set(['replace', 'refresh', 'drop', 'scd2'])

/** One load that is killed and started again, and what must be true of it in the end. */
export class Trial implements AsyncDisposable {
  readonly load: Load
  private readonly folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'))
  private readonly world: World
  private readonly name: string
  private readonly tool: Tool
  private readonly postgresUrl: string

  constructor(
    world: World,
    parts: { name: string; scenario: ScenarioName; destination: DestinationName; postgresUrl: string; tool?: Tool },
  ) {
    const { name, scenario, destination, postgresUrl, tool = sluice } = parts
    this.world = world
    this.name = name
    this.tool = tool
    this.postgresUrl = postgresUrl
    const places = { duckdb: join(this.folder, 'crash.duckdb'), postgres: postgresUrl, filesystem: this.lake }
    const dataset = `crash_${name}`
    this.load = { baseUrl: world.begin(name, scenario), scenario, destination, place: places[destination], dataset }
  }

  private get lake(): string {
    return join(this.folder, 'lake')
  }

  private get env(): Record<string, string> {
    return { SLUICE_DATA_DIR: join(this.folder, 'data') }
  }

  /** Runs the load in a process of its own, and kills it. */
  run(kill?: Kill, more: Record<string, string> = {}): Promise<Ended> {
    const atStep = kill !== undefined && 'step' in kill ? { SLUICE_FAILPOINT: `${kill.step}:${kill.pass}` } : {}
    const child = this.tool.start(this.load, { ...this.env, ...atStep, ...more })
    return new Promise((resolve, reject) => {
      let errors = ''
      let began: number | undefined
      let timer: NodeJS.Timeout | undefined
      this.world.onRequest(this.name, () => {
        if (began !== undefined) return
        began = performance.now()
        if (kill !== undefined && 'afterMs' in kill) timer = setTimeout(() => child.kill('SIGKILL'), kill.afterMs)
      })
      child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
      child.on('error', reject)
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        const ms = performance.now() - (began ?? performance.now())
        resolve({ killed: signal === 'SIGKILL', failed: code !== 0 && signal === null, ms, errors })
      })
    })
  }

  /** Looks at what the kill has left to see, and loads what is missing; then, and after one more run, which must change nothing: everything that is not as it must be. */
  async finish(): Promise<Faults> {
    const refused = this.tool.promisesMore ? await halfDone(this.load, this.world.round(this.name)) : []
    const finish = (): Promise<void> =>
      this.tool.finish(this.load, this.env).catch((error: unknown) => {
        refused.push(`a run that nobody killed has failed: ${(error as Error).message}`)
      })
    await finish()
    const first = await faultsOf(this.load)
    await finish()
    const second = await faultsOf(this.load)
    const others = [...refused, ...first.others, ...second.others, ...(await this.left())]
    if (!readsAll.has(this.load.scenario) && second.loads !== first.loads)
      others.push('a further run has loaded something')
    return {
      lost: Math.max(first.lost, second.lost),
      doubled: Math.max(first.doubled, second.doubled),
      others: [...new Set(others)],
    }
  }

  private async left(): Promise<string[]> {
    if (!this.tool.promisesMore) return []
    const { dataset, destination } = this.load
    const atDestination =
      destination === 'postgres'
        ? await leftOnServer(this.postgresUrl, dataset)
        : destination === 'filesystem'
          ? leftInLake(this.lake, dataset)
          : []
    const all = [...leftInWorkingData(this.env.SLUICE_DATA_DIR!), ...atDestination]
    return all.map((what) => `left behind: ${what}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.world.end(this.name)
    const { dataset, destination } = this.load
    if (destination === 'postgres') {
      await onServer(this.postgresUrl, (client) =>
        client.query(`drop schema if exists "${dataset}" cascade; drop schema if exists "${dataset}_staging" cascade`),
      )
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
