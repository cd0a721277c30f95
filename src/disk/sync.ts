import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes the content of a file survive a power cut. */
export function syncFile(path: string): void {
  // Windows syncs only what is open for writing.
  sync(path, 'r+')
}

/** Makes new names in a folder, and renames into it, survive a power cut. */
export function syncFolder(path: string): void {
  // Windows cannot open folders; its renames are journaled.
  if (process.platform !== 'win32') sync(path, 'r')
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const descriptor = openSync(path, flags)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
