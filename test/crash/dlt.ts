import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import type { Load } from './loader.ts'
import type { Tool } from './trial.ts'
import type { ScenarioName } from './world.ts'

/** The ways to load that dlt has, too. */
export const dltScenarios: ScenarioName[] = ['append', 'incremental', 'merge', 'replace', 'scd2']

const python = join(import.meta.dirname, '../../.engines/dlt/bin/python')

/** Tries to repair before it is given up. */
const tries = 3

/** As pip tells it. */
export function dltVersion(): string {
  const code = "import importlib.metadata as m; print(m.version('dlt'), end='')"
  return execFileSync(python, ['-c', code], { encoding: 'utf8' })
}

/** dlt, where the benchmark has installed it: `npm run bench -- --rows 1000 --rounds 1` does. */
export function dlt(): Tool {
  if (!existsSync(python)) throw new Error('dlt is not installed: npm run bench -- --rows 1000 --rounds 1 installs it')
  const script = join(import.meta.dirname, 'load_dlt.py')
  const start: Tool['start'] = (load, env) =>
    spawn(python, [script, JSON.stringify(place(load))], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  return {
    start,
    async finish(load, env) {
      let last = ''
      for (let at = 0; at < tries; at++) {
        const child = start(load, env)
        let errors = ''
        child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()))
        const [code] = (await once(child, 'close')) as [number | null]
        if (code === 0) return
        last = errors.trim().split('\n').at(-1) ?? ''
      }
      throw new Error(last)
    },
    promisesMore: false,
  }
}

/** dlt reads a URL by the rules: what is special in a password has to be encoded. */
function place(load: Load): Load {
  if (load.destination !== 'postgres') return load
  const [, user, password, rest] = /^postgres:\/\/([^:]+):(.*)@([^@]+)$/.exec(load.place)!
  return { ...load, place: `postgresql://${user}:${encodeURIComponent(password!)}@${rest}` }
}
