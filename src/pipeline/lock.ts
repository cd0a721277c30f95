import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineError } from '../errors/index.ts'

/**
 * Lets one process at a time work on a pipeline. The lock names its process by id and start time, so that one left by a
 * killed process is recognised even after its id was given to another.
 */
export function lockPipeline(folder: string, pipeline: string): Disposable {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'lock')
  const mine = `${process.pid} ${startTime(process.pid)}`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx' })
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = '', started = ''] = readFileSync(path, 'utf8').split(' ')
      if (isAlive(Number(pid), started)) throw busy(pipeline, pid)
      rmSync(path, { force: true })
    }
  }
  throw busy(pipeline, 'unknown')
}

function isAlive(pid: number, started: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return startTime(pid) === started
}

/** When a process began, in clock ticks; empty where the system does not tell. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program may hold blanks and brackets; the fields after its last bracket do not.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

const busy = (pipeline: string, pid: string): PipelineError =>
  new PipelineError(`pipeline "${pipeline}" is being run by another process (${pid})`, {
    code: 'PIPELINE_BUSY',
    recovery: 'retry',
    fix: 'wait until it has finished; one pipeline runs once at a time',
  })
