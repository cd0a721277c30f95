import fs, { type PathLike } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, sep } from 'node:path'
import { onTestFinished } from 'vitest'

/**
 * Watches what this process writes through `node:fs`, to tell what a power cut would take: content that was written since its
 * file was synced, and names that were made since their folder was synced. File systems differ in what they keep without
 * being asked; this is what none of them has to keep.
 */
export class PowerCut {
  private readonly descriptors = new Map<number, string>()
  private readonly unsyncedContent = new Set<string>()
  private readonly unsyncedNames = new Set<string>()
  /** Files that went through `node:fs`. What others have written, such as DuckDB, was never synced here. */
  private readonly seen = new Set<string>()
  private readonly undo: (() => void)[] = []
  /** From all writes by descriptor, the disk takes at most so many bytes at once. */
  mostBytes = Infinity

  /** Watches until the test ends. */
  static watch(): PowerCut {
    const watching = new PowerCut()
    watching.start()
    onTestFinished(() => {
      for (const restore of watching.undo) restore()
      syncBuiltinESMExports()
    })
    return watching
  }

  /** What would be lost below a folder. */
  lostBelow(folder: string): string[] {
    // A lock ends with its process.
    const below = (path: string): boolean => path.startsWith(folder + sep) && basename(path) !== 'lock'
    return [
      ...[...this.unsyncedContent].filter(below).map((path) => `content of ${path.slice(folder.length + 1)}`),
      ...[...this.unsyncedNames].filter(below).map((path) => `name of ${path.slice(folder.length + 1)}`),
    ].sort()
  }

  private start(): void {
    this.replace(fs, 'openSync', (open) => (path: PathLike, flags: string, mode?: number) => {
      const isNew = !fs.existsSync(path)
      const descriptor = open(path, flags, mode)
      this.descriptors.set(descriptor, String(path))
      if (isNew) this.unsyncedNames.add(String(path))
      return descriptor
    })
    this.replace(fs, 'closeSync', (close) => (descriptor: number) => {
      this.descriptors.delete(descriptor)
      close(descriptor)
    })
    this.replace(fs, 'writeSync', (write) => (descriptor: number, data: string | Uint8Array, offset = 0) => {
      this.wrote(this.descriptors.get(descriptor))
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      return write(descriptor, bytes, offset, Math.min(bytes.length - offset, this.mostBytes))
    })
    this.replace(
      fs,
      'writeFileSync',
      (write) => (file: PathLike | number, data: string, options?: { flush?: boolean }) => {
        const path = typeof file === 'number' ? this.descriptors.get(file) : String(file)
        if (typeof file !== 'number' && !fs.existsSync(file)) this.unsyncedNames.add(String(file))
        write(file, data, options as never)
        if (options?.flush === true) this.seen.add(path!)
        else this.wrote(path)
      },
    )
    this.replace(fs, 'fsyncSync', (sync) => (descriptor: number) => {
      sync(descriptor)
      this.synced(this.descriptors.get(descriptor)!)
    })
    this.replace(fs, 'renameSync', (rename) => (from: PathLike, to: PathLike) => {
      rename(from, to)
      if (!this.seen.delete(String(from)) && fs.statSync(to).isFile()) this.unsyncedContent.add(String(to))
      this.seen.add(String(to))
      for (const lost of [this.unsyncedContent, this.unsyncedNames]) {
        for (const path of lost) {
          if (path !== from && !path.startsWith(String(from) + sep)) continue
          lost.delete(path)
          lost.add(String(to) + path.slice(String(from).length))
        }
      }
      this.unsyncedNames.add(String(to))
    })
    this.replace(fs, 'linkSync', (link) => (from: PathLike, to: PathLike) => {
      link(from, to)
      if (this.unsyncedContent.has(String(from))) this.unsyncedContent.add(String(to))
      this.unsyncedNames.add(String(to))
    })
    for (const name of ['rmSync', 'unlinkSync'] as const) {
      this.replace(fs, name, (remove) => (path: PathLike, options?: object) => {
        remove(path, options as never)
        for (const lost of [this.unsyncedContent, this.unsyncedNames])
          for (const one of lost) if (one === path || one.startsWith(String(path) + sep)) lost.delete(one)
      })
    }
    this.replace(fs.promises, 'open', (open) => async (path: PathLike, flags?: string, mode?: number) => {
      const isNew = !fs.existsSync(path)
      const handle = await open(path, flags, mode)
      if (isNew) this.unsyncedNames.add(String(path))
      const { appendFile, sync } = handle
      handle.appendFile = async (...given) => {
        await appendFile.apply(handle, given)
        this.wrote(String(path))
      }
      handle.sync = async () => {
        await sync.apply(handle)
        this.synced(String(path))
      }
      return handle
    })
    syncBuiltinESMExports()
  }

  private wrote(path: string | undefined): void {
    if (path === undefined) return
    this.seen.add(path)
    this.unsyncedContent.add(path)
  }

  private synced(path: string): void {
    this.seen.add(path)
    this.unsyncedContent.delete(path)
    for (const name of this.unsyncedNames)
      if (dirname(name) === path && basename(name) !== '') this.unsyncedNames.delete(name)
  }

  private replace<T extends object, K extends keyof T>(owner: T, name: K, make: (given: T[K]) => unknown): void {
    const given = owner[name]
    owner[name] = make(given) as T[K]
    this.undo.push(() => (owner[name] = given))
  }
}
