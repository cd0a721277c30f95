import { createHash, randomUUID } from 'node:crypto'
import {
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '../failpoints/index.ts'
import { removeOrphans } from './orphans.ts'
import { isRunning, nameOf, ownIdentity } from './process-identity.ts'

/** A folder that only its holder works in. Disposing it lets the next holder in. */
export interface FolderLock extends Disposable {
  /** Deletes the folder and lets the next holder in, who starts with an empty folder. */
  removeFolder(): void
}

/**
 * Lets one holder at a time work in a folder, creating it if needed. A lock whose process has ended is taken over.
 * Throws the error that `busy` makes of the holder's process id.
 */
export function lockFolder(folder: string, busy: (pid: string) => Error): FolderLock {
  const token = randomUUID()
  const draft = `lock.${nameOf(ownIdentity)}.${token}.draft`
  const { pid, started, boot = '' } = ownIdentity
  const attempt: Attempt = {
    lock: join(folder, lockName),
    draft: join(folder, draft),
    text: `${pid} ${started} ${boot} ${token}`,
  }
  for (let left = attempts; left > 0; left--) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const holder = holderOf(textOf(attempt.lock) ?? '') ?? takeByDraft(attempt)
      if (holder !== undefined) throw busy(holder)
      failpoint('lock-written')
      return withoutLeftovers(folder, held(folder, attempt))
    } catch (error) {
      // The holder has removed the folder meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || left === 1) throw error
    }
  }
  throw busy('unknown')
}

const lockName = 'lock'
const attempts = 100

interface Attempt {
  lock: string
  /** A file with the text of the lock: linked to another name, it appears there whole and only if the name is free. */
  draft: string
  text: string
}

function takeByDraft(attempt: Attempt): string | undefined {
  try {
    writeFileSync(attempt.draft, attempt.text, { flag: 'wx', mode: 0o600 })
    failpoint('lock-drafted')
    return take(attempt.lock, attempt)
  } finally {
    rmSync(attempt.draft, { force: true })
  }
}

/**
 * Takes a lock file, free or left by a process that has ended. Returns the id of the running process that has it.
 *
 * Two contenders may find the same dead lock. Only the one that holds a claim on it may replace it, and only after it has
 * seen that the lock is still that one: a contender that comes late finds the lock of the first, and leaves it alone. The
 * claim is a lock file itself, so that a contender that is killed leaves nothing that blocks others.
 */
function take(path: string, attempt: Attempt): string | undefined {
  for (let left = attempts; left > 0; left--) {
    if (create(path, attempt)) return undefined
    const found = textOf(path)
    if (found === undefined) continue
    const holder = holderOf(found)
    if (holder !== undefined) return holder
    const claim = `${attempt.lock}.after-${createHash('sha256').update(found).digest('hex').slice(0, 32)}`
    const claimant = take(claim, attempt)
    if (claimant !== undefined) return claimant
    failpoint('lock-claimed')
    if (textOf(path) === found) {
      renameSync(claim, path)
      return undefined
    }
    rmSync(claim, { force: true })
  }
  return 'unknown'
}

function create(path: string, { draft }: Attempt): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!withoutLinks.has(code)) throw error
    return copyNew(draft, path)
  }
}

/** Of file systems without hard links, such as exFAT: there, a lock is empty for an instant before it has its text. */
const withoutLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

function copyNew(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The id of the process that a lock names, while it runs. An empty lock is what a power cut left. */
function holderOf(text: string): string | undefined {
  const [pid = '', started = '', boot] = text.split(' ')
  const identity = { pid: Number(pid), started, ...(boot === undefined ? {} : { boot }) }
  return isRunning(identity) ? pid : undefined
}

function held(folder: string, { lock, text }: Attempt): FolderLock {
  const release = (): void => {
    // Where the folder was deleted by hand, it may be another holder's by now.
    if (textOf(lock) === text) rmSync(lock, { force: true })
  }
  return {
    [Symbol.dispose]: release,
    removeFolder() {
      // The lock goes last, and files of contenders stay: a folder that another process works in is never deleted.
      for (const name of readdirSync(folder)) {
        if (name !== lockName && !name.startsWith(`${lockName}.`))
          rmSync(join(folder, name), { recursive: true, force: true })
      }
      release()
      removeEmpty(folder)
    },
  }
}

/** The lock, released where the folder cannot be tidied: nobody else would ever get in while this process runs. */
function withoutLeftovers(folder: string, lock: FolderLock): FolderLock {
  try {
    removeLeftovers(folder)
    return lock
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** Removes drafts and claims of contenders that were killed. Only for the holder: a claim on its own lock is in vain. */
function removeLeftovers(folder: string): void {
  removeOrphans(folder, (process) => new RegExp(String.raw`^lock\.${process}\..*\.draft$`))
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (name.startsWith(`${lockName}.after-`) && holderOf(textOf(path) ?? '') === undefined)
      rmSync(path, { force: true })
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    // The next holder is in, or about to be.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
