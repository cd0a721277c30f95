import { readFileSync, rmSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { PipelineError } from '../../errors/index.ts'
import { literal } from './dialect.ts'
import { takeSnapshot } from './snapshot.ts'

/** An open DuckDB file. `release` resolves once other processes can open the file, unless another user still has it. */
export interface OpenInstance {
  instance: DuckDBInstance
  release(): Promise<void>
}

/**
 * DuckDB names a database after its file, and then cannot tell `crm.duckdb` from a schema `crm` in it. Attached under a
 * name of its own, it can.
 */
export const databaseName = 'sluice_database'

interface OpenFile {
  opening: Promise<DuckDBInstance>
  users: number
}

/**
 * Files that this process writes. DuckDB's lock keeps other processes out, not this one: two instances of one file in one
 * process would not see each other's writes.
 */
const written = new Map<string, OpenFile>()
/** How many instances of this process only read a file. */
const read = new Map<string, number>()
/** Files that are being closed. */
const closing = new Map<string, Promise<void>>()

/** Resolves when this process does not close the file just now. */
export async function settled(path: string): Promise<void> {
  while (closing.has(path)) await closing.get(path)
}

/** True while this process writes the file: an instance that only reads must not be opened next to that one. */
export const isWritten = (path: string): boolean => written.has(path)

/** Opens a file to write. Waits for other processes that have it open; `onWait` receives the first one. */
export async function acquire(
  path: string,
  options: Record<string, string>,
  onWait?: (holder: string) => void,
): Promise<OpenInstance> {
  // Every connection to `:memory:` is a database of its own.
  const key = path === ':memory:' ? `:memory: ${Math.random()}` : path
  await settled(key)
  const file = written.get(key) ?? { opening: whenUnlocked(path, () => openInstance(path, options), onWait), users: 0 }
  written.set(key, file)
  file.users += 1
  const release = async (instance?: DuckDBInstance): Promise<void> => {
    file.users -= 1
    if (file.users > 0) return
    written.delete(key)
    if (instance === undefined) return
    const closed = closeInstance(instance).finally(() => closing.delete(key))
    closing.set(key, closed)
    await closed
  }
  try {
    const instance = await file.opening
    return { instance, release: () => release(instance) }
  } catch (error) {
    await release()
    throw error
  }
}

/** For so long a file may be found half made: just created, or about to be closed. */
const longestUnsettledMs = 2000

/** An instance for one reader, which is locked down as a whole: of the file, or of a copy while another process writes it. */
export async function acquireToRead(path: string, settings: Record<string, string>): Promise<OpenInstance> {
  const startedAt = performance.now()
  for (;;) {
    try {
      return await openToRead(path, settings)
    } catch (error) {
      if (error instanceof PipelineError) throw error
      if (performance.now() - startedAt > longestUnsettledMs) throw cannotOpen(path, error)
      await sleep(lockPollMs)
    }
  }
}

async function openToRead(path: string, settings: Record<string, string>): Promise<OpenInstance> {
  read.set(path, (read.get(path) ?? 0) + 1)
  const done = (): void => void read.set(path, read.get(path)! - 1)
  try {
    const instance = await openInstance(path, settings, ' (READ_ONLY)')
    return { instance, release: () => closeInstance(instance).finally(done) }
  } catch (error) {
    done()
    if (!isLocked(error)) throw error
  }
  const snapshot = takeSnapshot(path)
  try {
    const instance = await openInstance(snapshot.path, settings, ' (READ_ONLY)')
    return { instance, release: () => closeInstance(instance).finally(snapshot.remove) }
  } catch (error) {
    snapshot.remove()
    throw error
  }
}

async function openInstance(path: string, options: Record<string, string>, how = ''): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', options)
  try {
    const connection = await instance.connect()
    await connection.run(`ATTACH ${literal(path)} AS ${databaseName}${how}`)
    connection.closeSync()
    return instance
  } catch (error) {
    instance.closeSync()
    throw error
  }
}

/**
 * Closing an instance frees its file only after the garbage collector has taken the last result that was not read to its
 * end. Detaching the file frees it now.
 */
async function closeInstance(instance: DuckDBInstance): Promise<void> {
  try {
    const connection = await instance.connect()
    await connection.run(`DETACH ${databaseName}`)
    connection.closeSync()
  } catch {
    // What was committed is in the file or its log; closing below tries once more to tidy up.
  } finally {
    instance.closeSync()
  }
}

/** Longer than a reader may take, such as a query of the dashboard. */
const longestLockMs = 45_000
const lockPollMs = 250
const removals = 20

async function whenUnlocked<T>(path: string, open: () => Promise<T>, onWait?: (holder: string) => void): Promise<T> {
  const startedAt = performance.now()
  let told = false
  for (let removed = 0; ;) {
    try {
      // Closing an instance that reads would end the lock of one that writes.
      if ((read.get(path) ?? 0) > 0) throw new Error(`Could not set lock on file: ${ownReader}`)
      return await open()
    } catch (error) {
      if (isLocked(error) && performance.now() - startedAt < longestLockMs) {
        if (!told) onWait?.(holderOf(error))
        told = true
        await sleep(lockPollMs)
      } else if (!isLocked(error) && !isFull(error) && removed < removals && isUnfinished(path)) {
        rmSync(path)
        removed += 1
      } else throw cannotOpen(path, error)
    }
  }
}

const ownReader = 'a reader in this process'
const isLocked = (error: unknown): boolean =>
  /could not set lock|used by another process|file is already open/i.test(String(error))
const isFull = (error: unknown): boolean => /no space left/i.test(String(error))

/** Who has the file open: "process 4711 (node sluice dashboard)". */
function holderOf(error: unknown): string {
  const text = String(error)
  if (text.includes(ownReader)) return ownReader
  const [, program, pid] =
    /held in (.{1,1000}?) \(PID (\d+)\)/i.exec(text) ?? /^[ \t]*(\S.*?) \(PID (\d+)\)/m.exec(text) ?? []
  return pid === undefined ? 'another process' : `process ${pid} (${commandOf(pid) ?? basename(program!)})`
}

/** Program, script and subcommand; later arguments may hold secrets. */
function commandOf(pid: string): string | undefined {
  try {
    const [program = '', ...others] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const [script = '', subcommand = ''] = others.filter((part) => !part.startsWith('-'))
    const parts = [program, script]
      .map((part) => basename(part))
      .concat(/^[a-z-]{1,20}$/.test(subcommand) ? subcommand : '')
    return parts.filter((part) => part !== '').join(' ')
  } catch {
    return undefined
  }
}

function cannotOpen(path: string, error: unknown): PipelineError {
  const [locked, full] = [isLocked(error), isFull(error)]
  const why = locked ? `${holderOf(error)} has it open` : firstLine(error)
  return new PipelineError(`cannot open the DuckDB file ${path}: ${why}`, {
    code: 'LOAD_FAILED',
    recovery: locked || full ? 'retry' : 'abort',
    fix: locked
      ? 'end what it does with the file, or close it, then run again'
      : full
        ? 'make room on the disk, then run again'
        : 'check that the path is writable and that the file is a DuckDB database',
    cause: error,
  })
}

/** What DuckDB leaves when its creation of a file is cut short, by a full disk or a kill: less than its three headers. */
function isUnfinished(path: string): boolean {
  const headers = 3 * 4096
  const { size = headers } = statSync(path, { throwIfNoEntry: false }) ?? {}
  if (size >= headers) return false
  const start = readFileSync(path)
  return start.length === 0 || start.toString('latin1', 8, 12) === 'DUCK'
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!
