import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '../../src/locks/index.ts'
import { randomFrom } from '../support/seed.ts'

/**
 * Takes a lock again and again. Whoever holds it adds one to a number in a file, by reading and writing: a second holder
 * loses counts. Now and then the holder leaves the lock as a killed process does.
 */
export interface Contention {
  folder: string
  holds: number
  seed: number
  /** Share of holds that end without a release. */
  abandoned: number
  /** Share of holds that end by removing the folder. */
  removed: number
}

const { folder, holds, seed, abandoned, removed } = JSON.parse(process.argv[2]!) as Contention
const random = randomFrom(seed)
const [counter, inside] = [`${folder}.count`, `${folder}.inside`]
/** Above every process id that Linux gives. */
const nobody = 2 ** 22 + 1

for (let held = 0; held < holds;) {
  let lock
  try {
    lock = lockFolder(folder, () => new Error('busy'))
  } catch (error) {
    if ((error as Error).message !== 'busy') throw error
    continue
  }
  writeFileSync(inside, '', { flag: 'wx' })
  writeFileSync(counter, String(Number(readFileSync(counter, 'utf8')) + 1))
  rmSync(inside)
  held += 1
  const end = random()
  if (end < abandoned) leave()
  else if (end < abandoned + removed) lock.removeFolder()
  else lock[Symbol.dispose]()
}

/** As locks of several versions look, some of them cut by a power cut. */
function leave(): void {
  const texts = [`${nobody} 1`, `${nobody} 1 boot ${random()}`, '', 'garbage', `${process.pid} 1`]
  const left = `${folder}.left.${process.pid}`
  writeFileSync(left, texts[Math.floor(random() * texts.length)]!)
  renameSync(left, join(folder, 'lock'))
}
