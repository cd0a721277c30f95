import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A local copy of an object that never changes, made once a folder. */
export async function cacheFile(
  folder: string,
  path: string,
  download: (file: string) => Promise<void>,
): Promise<string> {
  // The name keeps its ending, which tells DuckDB how the file is compressed.
  const file = join(folder, `${createHash('sha256').update(path).digest('hex').slice(0, 16)}-${basename(path)}`)
  if (existsSync(file)) return file
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Two readers may ask for it at the same time.
  const draft = `${file}.${randomUUID()}.draft`
  await download(draft)
  renameSync(draft, file)
  return file
}
