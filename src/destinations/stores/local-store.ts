import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { syncFile, syncFolder } from '../../disk/index.ts'
import { failpoint } from '../../failpoints/index.ts'
import { nameOf, ownIdentity, removeOrphans } from '../../locks/index.ts'
import { explained, type ObjectStore, type StoreAdvice } from './object-store.ts'

/** Beside the datasets, so that whoever reads a folder of one never meets half a file. */
const drafts = '.drafts'
/** Several machines may write into one folder of a network. */
const host = hostname().replaceAll(/[^\w-]/g, '_')

/** A folder of this machine. */
export function localStore(folder: string): ObjectStore {
  const at = (path: string): string => join(folder, ...path.split('/'))
  const prepared = (path: string): { target: string; draft: string } => {
    const target = at(path)
    mkdirSync(dirname(target), { recursive: true })
    mkdirSync(join(folder, drafts), { recursive: true })
    return { target, draft: join(folder, drafts, `${host}.${nameOf(ownIdentity)}.${randomUUID()}`) }
  }
  const store: ObjectStore = {
    location: `file://${folder}`,
    async list(prefix) {
      const start = at(prefix)
      if (!existsSync(start)) return []
      return readdirSync(start, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .sort()
    },
    read: async (path) => readFileSync(at(path)),
    fetch: async (path) => at(path),
    async upload(path, localFile) {
      const { target, draft } = prepared(path)
      try {
        moveOrCopy(localFile, draft)
        // Before the manifest names it, it must be safe from a power cut.
        syncFile(draft)
        failpoint('object-drafted')
        renameSync(draft, target)
        syncFolder(dirname(target))
        failpoint('object-uploaded')
      } catch (error) {
        rmSync(draft, { force: true })
        throw error
      }
    },
    async create(path, content) {
      const { target, draft } = prepared(path)
      try {
        writeFileSync(draft, content, { flush: true })
        failpoint('version-drafted')
        // A hard link appears whole, and only if the name is free; a plain write would be neither.
        linkSync(draft, target)
        syncFolder(dirname(target))
        failpoint('version-published')
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      } finally {
        if (existsSync(draft)) unlinkSync(draft)
      }
    },
    remove: async (path) => rmSync(at(path), { force: true }),
    tidy: () => removeOrphans(join(folder, drafts), (process) => new RegExp(String.raw`^${host}\.${process}\.[\w-]+$`)),
  }
  return explained(store, advise)
}

/** The caller's file is a temporary one: on the same disk it need not be written twice. */
function moveOrCopy(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(from, to)
  }
}

function advise(error: NodeJS.ErrnoException): StoreAdvice | undefined {
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return { fix: 'give this user the right to write there, or choose another folder' }
    case 'ENOSPC':
    case 'EDQUOT':
      return { fix: 'make room on the disk, then run again: the package waits', recovery: 'retry' }
    default:
      return undefined
  }
}
