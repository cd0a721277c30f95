import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { replaceFile } from '../disk/index.ts'
import { PipelineError } from '../index.ts'
import type { HostName } from './hosts/index.ts'
import type { Insertion } from './json-edit.ts'

/** What was installed into a project, and as what: kept with the project, so that a team shares it. */
export interface WorkbenchIndex {
  /** Of the package whose toolkits these are. */
  version: string
  hosts: HostName[]
  toolkits: string[]
  /** Files that are ours as a whole, with the text as it was installed: what an update is merged against. */
  files: Record<string, { toolkit: string; text: string }>
  /** Files that people write too. */
  shared: Record<string, SharedRecord>
}

export interface SharedRecord {
  /** There was no such file before. */
  created: boolean
  /** Of the text that was written. */
  hash: string
  /** What was put in, where the rest is untouched. */
  insertions: Insertion[]
}

export const indexPath = '.sluice/workbench.json'

/** Files of the workbench are shared with a team, so the umask decides who may read them. */
export const projectFileMode = 0o666

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** `undefined` for a project that has no workbench. */
export function readIndex(projectDir: string): WorkbenchIndex | undefined {
  const path = join(projectDir, indexPath)
  if (!existsSync(path)) return undefined
  try {
    const index = JSON.parse(readFileSync(path, 'utf8')) as WorkbenchIndex
    if (Array.isArray(index.hosts) && Array.isArray(index.toolkits)) return index
  } catch {
    // Told below.
  }
  throw new PipelineError(`${indexPath} cannot be read`, {
    code: 'CONFIG_INVALID',
    fix: 'restore it from version control; or delete it and run: sluice ai init --overwrite',
  })
}

export function writeIndex(projectDir: string, index: WorkbenchIndex): void {
  const path = join(projectDir, indexPath)
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(path, `${JSON.stringify(index, null, 2)}\n`, { mode: projectFileMode })
}
