import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'vite'

/** A regular expression written in a source file. */
export interface FoundPattern {
  file: string
  source: string
  flags: string
}

/** Every regular expression literal below a folder, in TypeScript files. */
export function regexLiterals(folder: string): FoundPattern[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.sort().flatMap((file) => literalsOf(file, readFileSync(join(folder, file), 'utf8')))
}

function literalsOf(file: string, text: string): FoundPattern[] {
  const found: FoundPattern[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { regex } = node as { regex?: { pattern: string; flags: string } }
    if (regex !== undefined) found.push({ file, source: regex.pattern, flags: regex.flags })
    else for (const inner of Object.values(node)) visit(inner)
  }
  visit(parseSync(file, text).program)
  return found
}
