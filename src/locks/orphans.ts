import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './process-identity.ts'

/** Removes files of a folder whose process was killed. `name` matches theirs; its first group is the id of the process. */
export function removeOrphans(folder: string, name: RegExp): void {
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    const pid = name.exec(file)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, file), { force: true })
  }
}
