import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** A place for files: a folder, or a bucket. Paths have slashes and no dots. */
export interface ObjectStore {
  /** For people: `file:///data/lake`. */
  readonly location: string
  list(prefix: string): Promise<string[]>
  read(path: string): Promise<Buffer>
  /** Brings an object to this machine and returns where it is. */
  fetch(path: string): Promise<string>
  /** Writes a local file; one of the same name is replaced. */
  upload(path: string, localFile: string): Promise<void>
  /** Writes only when there is no such object yet; false when there is one. Readers see all of it or nothing. */
  create(path: string, content: string): Promise<boolean>
  remove(path: string): Promise<void>
}

/** A folder of this machine. */
export function localStore(folder: string): ObjectStore {
  const at = (path: string): string => join(folder, ...path.split('/'))
  const prepared = (path: string): string => {
    const target = at(path)
    mkdirSync(dirname(target), { recursive: true })
    return target
  }
  return {
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
      const target = prepared(path)
      copyFileSync(localFile, target)
    },
    async create(path, content) {
      const target = prepared(path)
      const draft = `${target}.${process.pid}.draft`
      writeFileSync(draft, content, { flush: true })
      try {
        // A hard link appears whole, and only if the name is free; a plain write would be neither.
        linkSync(draft, target)
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      } finally {
        unlinkSync(draft)
      }
    },
    remove: async (path) => rmSync(at(path), { force: true }),
  }
}
