import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
  const draft = `${path}.${nameOf(ownIdentity)}.${randomUUID()}.draft`
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

/** Removes what killed processes left of files that they were writing to a folder. */
export function removeDrafts(folder: string): void {
  removeOrphans(folder, (process) => new RegExp(String.raw`\.${process}(?:\.[\w-]+)?\.draft$`))
}
