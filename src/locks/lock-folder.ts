import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '../failpoints/index.ts'
import { identityOf, isRunning } from './process-identity.ts'

/**
 * Lets one process at a time work in a folder. The lock names its process, so that one left by a killed process is recognised.
 * Throws what `busy` makes of the id of the process that has it.
 */
export function lockFolder(folder: string, busy: (pid: string) => Error): Disposable {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'lock')
  const { pid: own, started: since } = identityOf(process.pid)
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, `${own} ${since}`, { flag: 'wx' })
      failpoint('lock-written')
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = '', started = ''] = readFileSync(path, 'utf8').split(' ')
      if (isRunning({ pid: Number(pid), started })) throw busy(pid)
      rmSync(path, { force: true })
    }
  }
  throw busy('unknown')
}
