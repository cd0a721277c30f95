import { readFileSync } from 'node:fs'

/** A process by its id and its start, so that a later process with the same id is not mistaken for it. */
export interface ProcessIdentity {
  pid: number
  /** In clock ticks since the machine started; empty where the system does not report it. */
  started: string
  /** Start of the machine that `started` counts from. Absent in identities from before 2026-11-28. */
  boot?: string
}

/** Changes with each start of the machine. */
const boot = readSystemFile('/proc/sys/kernel/random/boot_id').slice(0, 8)

export const identityOf = (pid: number): ProcessIdentity => ({ pid, started: startTime(pid), boot })

export const ownIdentity: ProcessIdentity = identityOf(process.pid)

/** Without `started`, of a record from before 2026-11-28, any process with the id counts. */
export function isRunning({ pid, started, boot: since = boot }: Partial<ProcessIdentity> & { pid: number }): boolean {
  return since === boot && isAlive(pid) && (started === undefined || startTime(pid) === started)
}

/** The identity as part of a file name. */
export const nameOf = ({ pid, started, boot: since = '' }: ProcessIdentity): string => `${pid}-${started}-${since}`

/** Matches `nameOf`, and the bare process id of names from before 2026-11-28. */
export const processName = String.raw`\d+(?:-\d*-\w*)?`

export function isNameRunning(name: string): boolean {
  const [pid, started, since] = name.split('-')
  return isRunning({
    pid: Number(pid),
    ...(started === undefined ? {} : { started }),
    ...(since === undefined ? {} : { boot: since }),
  })
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // A killed process keeps its id until its parent asks for its status, which some parents never do.
  return !/^[ZX]/.test(statOf(pid)[0] ?? '')
}

function startTime(pid: number): string {
  return statOf(pid)[19] ?? ''
}

/** Fields of `/proc/<pid>/stat` from the state on; empty where there is no such file. */
function statOf(pid: number): string[] {
  const stat = readSystemFile(`/proc/${pid}/stat`)
  // The program's name may contain spaces and brackets; the fields after its last bracket do not.
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readSystemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
