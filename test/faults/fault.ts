import { join } from 'node:path'
import list from './faults.json' with { type: 'json' }

/** The repository. */
export const root = join(import.meta.dirname, '../..')

/** A small mistake in the code, and the test that must fail because of it. */
export interface Fault {
  id: string
  /** The file to change, from the repository's root. */
  file: string
  /** Text that occurs exactly once in the file. */
  find: string
  replace: string
  /** What a user would suffer. */
  why: string
  /** The test file that fails. */
  caughtBy: string
  /** A part of the title of the tests in it that run: `duckdb > ends exactly right`. */
  test: string
}

export const faults: readonly Fault[] = list

/** The text of the file with the fault in it. Throws when the text to replace is not there exactly once. */
export function planted(text: string, { id, file, find, replace }: Fault): string {
  const parts = text.split(find)
  if (parts.length === 2) return parts.join(replace)
  const times = parts.length === 1 ? 'no longer occurs' : `occurs ${parts.length - 1} times`
  throw new Error(
    `fault "${id}": its text ${times} in ${file}: ${find}\n  fix: bring test/faults/faults.json up to date`,
  )
}

/** Folders of `src` that count as modules of their own, by how deep they lie. */
const depths: Readonly<Record<string, number>> = { destinations: 2, sources: 3 }

/** The module of a source file: `schema`, `destinations/sql`, `sources/rest/http`. */
export function moduleOf(file: string): string {
  const folders = file.split('/').slice(1, -1)
  return folders.slice(0, depths[folders[0] ?? ''] ?? 1).join('/')
}
