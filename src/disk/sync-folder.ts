import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes new names in a folder, and renames into it, survive a power cut. */
export function syncFolder(path: string): void {
  // Windows cannot open folders; its renames are journaled.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
