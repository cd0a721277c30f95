import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pipeline, PipelineError, resource } from '../../src/index.ts'
import { destinationOf, type Load } from '../crash/loader.ts'
import { randomFrom } from '../support/seed.ts'

/** Runs a pipeline that others run at the same time, and reports the ids of rows that were loaded, a line for each run. */
export interface RunsAtOnce extends Pick<Load, 'destination' | 'place' | 'dataset'> {
  runs: number
  rows: number
  seed: number
  /** The first id of this process. */
  first: number
}

const given = JSON.parse(process.argv[2]!) as RunsAtOnce
const random = randomFrom(given.seed)
const target = pipeline({
  name: 'at_once',
  dataset: given.dataset,
  destination: destinationOf(given),
  package: { maxBytes: 2000, fileBytes: 1000 },
})
/** Above every process id that Linux gives. */
const nobody = 2 ** 22 + 1

let next = given.first
for (let done = 0; done < given.runs;) {
  const ids = Array.from({ length: given.rows }, (_, at) => next + at)
  const lock = join(target.dataDir, 'lock')
  // As a killed run leaves it.
  if (random() < 0.5 && existsSync(target.dataDir) && !existsSync(lock)) plant(lock)
  const rows = resource('t', function* () {
    for (let at = 0; at < ids.length; at += 20) yield ids.slice(at, at + 20).map((id) => ({ id, text: 'x'.repeat(30) }))
  })
  try {
    await target.run(rows)
    console.log(`${ids[0]} ${ids.length}`)
    done += 1
  } catch (error) {
    if (!(error instanceof PipelineError) || error.recovery !== 'retry') throw error
    // Nothing of a run that did not begin is loaded. What another one has left is loaded by the next.
    if (error.code === 'PIPELINE_BUSY') {
      await sleep(random() * 20)
      continue
    }
  }
  next += ids.length
}

function plant(lock: string): void {
  try {
    writeFileSync(lock, `${nobody} 1`, { flag: 'wx' })
  } catch {
    // Somebody has it.
  }
}
