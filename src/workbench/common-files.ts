import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { guardPath, type HostName } from './hosts/index.ts'
import { toolkitsFolder, type Toolkit } from './toolkit.ts'

/** The entry of the program that hosts ask before an assistant reads a file or runs a command. */
export const packageGuard = join(toolkitsFolder, 'guard.mjs')

/** The files of that program: its entry, then its modules. */
export function guardFiles(): { path: string; text: string }[] {
  const modules = readdirSync(join(toolkitsFolder, 'guard'), { withFileTypes: true }).filter((entry) => entry.isFile())
  const names = ['guard.mjs', ...modules.map(({ name }) => `guard/${name}`).sort()]
  return names.map((name) => ({
    path: posix.join(posix.dirname(guardPath), name),
    text: readFileSync(join(toolkitsFolder, name), 'utf8'),
  }))
}

/** Our part of `AGENTS.md`, which every host reads: the rules, and which skill to begin with. */
export function agentsBlock(toolkits: readonly Toolkit[], hostNames: readonly HostName[]): string {
  const rules = readFileSync(join(toolkitsFolder, 'init', 'AGENTS.md'), 'utf8').trim()
  const index = toolkits
    .filter(({ name }) => name !== 'init')
    .map(({ name, description, entrySkill }) => `- ${description} Begin with the skill \`${entrySkill}\` (${name}).`)
  const always = hostNames.includes('codex')
    ? toolkits.flatMap(({ name, rules: all }) =>
        all.map((rule) => `- \`.agents/skills/${name}-${rule.name}/SKILL.md\``),
      )
    : []
  return [
    rules,
    ...(index.length === 0 ? [] : ['### What to begin with', index.join('\n')]),
    ...(always.length === 0 ? [] : ['### Always read before acting', always.join('\n')]),
  ].join('\n\n')
}
