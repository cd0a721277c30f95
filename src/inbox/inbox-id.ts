import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFile, removeDrafts, replaceFile, syncFile, syncFolder } from '../disk/index.ts'

/** The identity of an inbox folder: no other folder has it, not even a later one of the same name. */
export interface InboxId {
  id: string
  /** The highest sequence that the folder had when it got its id: 0 in a new folder, more in one that predates ids. */
  before: number
}

const fileName = 'inbox.json'

/** The id of a folder; creates it if there is none. A writer and readers may do so at the same time. */
export function inboxId(folder: string, lastSequence: (folder: string) => number): InboxId {
  const path = join(folder, fileName)
  const known = read(path)
  if (known !== undefined) return known
  removeDrafts(folder)
  const content = JSON.stringify({ id: randomUUID(), before: lastSequence(folder) } satisfies InboxId)
  if (createFile(path, content)) {
    syncFile(path)
    syncFolder(folder)
  }
  return read(path) ?? renewed(path)
}

/** A new id in place of a damaged file. All that the folder has is loaded again, which changes no row. */
function renewed(path: string): InboxId {
  const fresh = { id: randomUUID(), before: 0 }
  replaceFile(path, JSON.stringify(fresh), { durable: true })
  return fresh
}

function read(path: string): InboxId | undefined {
  try {
    const { id, before } = (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Partial<InboxId>
    return typeof id === 'string' && id !== '' && Number.isSafeInteger(before) ? { id, before: before! } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
