import { realpathSync } from 'node:fs'
import { PipelineError } from '../index.ts'
import { parse as parseToml } from '@decimalturn/toml-patch'
import { insertBlock, removeBlock } from './block-edit.ts'
import type { SharedFile } from './hosts/index.ts'
import { insertParts, isEmptyJson, removeParts, replaceParts, undone, type JsonPart } from './json-edit.ts'
import { insideProject, readProjectFile } from './project-path.ts'
import type { Action } from './step.ts'
import { hashOf, type SharedRecord } from './workbench-index.ts'

export interface SharedStep {
  path: string
  action: Action
  text?: string
  detail?: string
  record?: SharedRecord
}

/** Puts what is ours into a file that people write too. */
export function planShared(
  projectDir: string,
  file: SharedFile,
  record: SharedRecord | undefined,
  overwrite: boolean,
): SharedStep {
  const { path } = file
  const current = readProjectFile(projectDir, path)
  // A memory file that is a link to the other one takes itself in otherwise.
  if (path === 'CLAUDE.md' && current !== undefined && isSameFile(projectDir, path, 'AGENTS.md'))
    return { path, action: 'kept', detail: 'it is AGENTS.md already' }
  // What is there of an earlier version is taken out first, while nobody else has changed the file.
  const isUntouched = record !== undefined && current !== undefined && hashOf(current) === record.hash
  const begin = isUntouched ? undone(current, record.insertions) : (current ?? startOf(file))
  const { text, insertions, taken } = withOurs(file, begin, record !== undefined || overwrite)
  checkToml(path, text)
  const detail = taken === 0 ? {} : { detail: 'another entry of that name is there; --overwrite replaces it' }
  const next = {
    created: current === undefined || record?.created === true,
    hash: hashOf(text),
    insertions: isUntouched || record === undefined ? (insertions ?? []) : [],
  }
  if (text === current) return { path, action: taken === 0 ? 'unchanged' : 'kept', ...detail, record: record ?? next }
  return { path, action: current === undefined ? 'create' : 'update', text, ...detail, record: next }
}

interface Ours {
  text: string
  /** `undefined` when something was replaced, too. */
  insertions: SharedRecord['insertions'] | undefined
  taken: number
}

function withOurs(file: SharedFile, begin: string, replaces: boolean): Ours {
  if (file.kind === 'block') {
    const { text, insertions } = insertBlock(begin, file.marks, file.text)
    return { text, insertions, taken: 0 }
  }
  const inserted = insertParts(file.path, begin, file.parts)
  if (inserted.taken.length === 0) return { ...inserted, taken: 0 }
  if (!replaces) return { ...inserted, taken: inserted.taken.length }
  return { text: replaceParts(inserted.text, inserted.taken), insertions: undefined, taken: 0 }
}

const startOf = ({ kind }: SharedFile): string => (kind === 'json' ? '{}\n' : '')

/** Takes out what is ours; where nothing else was changed, the text is again what it was. */
export function planSharedRemoval(projectDir: string, file: SharedFile, record: SharedRecord | undefined): SharedStep {
  const { path } = file
  const current = readProjectFile(projectDir, path)
  if (current === undefined || record === undefined) return { path, action: 'unchanged' }
  const isUntouched = hashOf(current) === record.hash
  if (isUntouched && record.created) return { path, action: 'delete' }
  const text =
    isUntouched && record.insertions.length > 0
      ? undone(current, record.insertions)
      : file.kind === 'block'
        ? removeBlock(current, file.marks)
        : removeParts(path, current, file.parts as JsonPart[])
  if (record.created && (file.kind === 'json' ? isEmptyJson(text) : text.trim() === ''))
    return { path, action: 'delete' }
  return text === current ? { path, action: 'unchanged' } : { path, action: 'update', text }
}

function isSameFile(projectDir: string, a: string, b: string): boolean {
  try {
    return realpathSync(insideProject(projectDir, a)) === realpathSync(insideProject(projectDir, b))
  } catch {
    return false
  }
}

function checkToml(path: string, text: string): void {
  if (!path.endsWith('.toml')) return
  try {
    parseToml(text)
  } catch {
    throw new PipelineError(`${path} has a table [mcp_servers.sluice] already, or is not valid TOML`, {
      code: 'CONFIG_INVALID',
      fix: 'take that table out, or correct the file; then try again',
    })
  }
}
