import { randomUUID } from 'node:crypto'
import { constants, copyFileSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { nameOf, ownIdentity, removeOrphans } from '../locks/index.ts'
import { syncFolder } from './sync.ts'

export interface ReplaceOptions {
  /** The file survives a power cut. @default false */
  durable?: boolean
  /** @default readable by this user alone */
  mode?: number
  /** Runs between writing and naming the file; for failpoints. */
  drafted?(): void
}

/**
 * Writes a file whole: readers see the old content or the new one, never a part or a mixture. Each writer has a draft of its
 * own, so that any number of processes and threads may write the same file.
 */
export function replaceFile(
  path: string,
  content: string,
  { durable = false, mode = 0o600, drafted }: ReplaceOptions = {},
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = draftOf(path)
  try {
    writeFileSync(draft, content, { flag: 'wx', mode, flush: durable })
    drafted?.()
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  if (durable) syncFolder(dirname(path))
}

/**
 * As `replaceFile`, where no file exists yet: of several writers one creates it, and the others get `false`. The file is readable by
 * this user alone.
 */
export function createFile(path: string, content: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = draftOf(path)
  try {
    writeFileSync(draft, content, { flag: 'wx', mode: 0o600 })
    createFrom(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

const draftOf = (path: string): string => `${path}.${nameOf(ownIdentity)}.${randomUUID()}.draft`

function createFrom(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    // File systems without hard links, such as exFAT.
    copyFileSync(draft, path, constants.COPYFILE_EXCL)
  }
}

/** Removes what killed processes left of files that they were writing to a folder. */
export function removeDrafts(folder: string): void {
  removeOrphans(folder, (process) => new RegExp(String.raw`\.${process}(?:\.[\w-]+)?\.draft$`))
}
