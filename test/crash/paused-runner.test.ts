import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { faultsOf } from './faults.ts'
import { loadAll, type Load } from './loader.ts'
import { scenarioNames, World } from './world.ts'
import { running } from '../support/running.ts'
import { tiered } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

const world = new World()
beforeAll(() => world.start())
afterAll(() => world[Symbol.asyncDispose]())

/** Runs a load in a process with working data of its own, as on another machine. */
function runner(load: Load) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('loader.ts', import.meta.url)), JSON.stringify(load)], {
    env: { ...process.env, SLUICE_DATA_DIR: mkdtempSync(join(tmpdir(), 'sluice-runner-')) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  return { child, ended: once(child, 'close').then(() => errors) }
}

// DuckDB's file takes one process at a time: a second runner is refused at its door.
const several = (['postgres', 'filesystem'] as const).filter((name) => destinationNames.includes(name))

const random = randomFrom()
const loads = several.flatMap((destination) => scenarioNames.map((scenario) => ({ scenario, destination })))
for (const [{ scenario, destination }, options] of tiered(loads, 0, 0, 6)) {
  it(
    `a runner of ${scenario} to ${destination} that is paused while another one goes on does not undo what that has done`,
    options,
    async () => {
      const name = `paused_${process.pid}_${destination}_${scenario}`
      const place =
        destination === 'postgres' ? await running('postgres') : mkdtempSync(join(tmpdir(), 'sluice-paused-'))
      const load: Load = { baseUrl: world.begin(name, scenario), scenario, destination, place, dataset: name }
      const slow = runner(load)
      await new Promise<void>((asked) => world.onRequest(name, asked))
      // Anywhere in its load: among the first pages, in the middle, near the end.
      await sleep(100 + 300 * random())
      slow.child.kill('SIGSTOP')
      const fast = runner(load)
      // What the paused one holds a lock on is waited for; then it is the other one that is late.
      await Promise.race([fast.ended, sleep(3000)])
      slow.child.kill('SIGCONT')
      const told = await Promise.all([slow.ended, fast.ended])
      for (const errors of told) {
        // It may be overtaken, or have to try again; nothing else.
        const codes = [...errors.matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code)
        for (const code of codes) expect(['PIPELINE_OVERTAKEN', 'LOAD_FAILED'], errors).toContain(code)
      }
      process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-runner-'))
      await loadAll(load)
      const { lost, doubled, others } = await faultsOf(load)
      expect({ lost, doubled, others }, told.join('\n')).toEqual({ lost: 0, doubled: 0, others: [] })
      world.end(name)
    },
  )
}
