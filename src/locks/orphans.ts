import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isNameRunning, processName } from './process-identity.ts'

/**
 * Removes files of a folder whose process has ended. `name` receives the pattern of a process name and returns the pattern
 * of the files, whose first group is that name.
 */
export function removeOrphans(folder: string, name: (process: string) => RegExp): void {
  const pattern = name(`(${processName})`)
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    const owner = pattern.exec(file)?.[1]
    if (owner !== undefined && !isNameRunning(owner)) rmSync(join(folder, file), { force: true })
  }
}
