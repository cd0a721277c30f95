import { readFileSync } from 'node:fs'

/** A process by its id and its start, so that another one that is given the id later is not taken for it. */
export interface ProcessIdentity {
  pid: number
  /** In clock ticks; empty where the system does not tell. */
  started: string
}

export const identityOf = (pid: number): ProcessIdentity => ({ pid, started: startTime(pid) })

export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return isAlive(pid) && startTime(pid) === started
}

/** True for any process of this id, also for a later one. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program may hold blanks and brackets; the fields after its last bracket do not.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
