import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** Skills, commands and rules for one kind of work. They come with the package and have its version. */
export interface Toolkit {
  name: string
  description: string
  /** Toolkits that are installed with it. */
  dependencies: string[]
  /** The skill that work begins with. */
  entrySkill: string
  skills: Skill[]
  commands: Text[]
  /** What holds for all work with it. */
  rules: Text[]
}

export interface Skill {
  name: string
  /** When to use it, and when not; what assistants choose by. */
  description: string
  argumentHint: string | undefined
  /** The text without its head. */
  body: string
  /** The whole file. */
  text: string
}

export interface Text {
  name: string
  text: string
}

export const toolkitsFolder = fileURLToPath(new URL('../../toolkits', import.meta.url))

/** All toolkits of the package, those that others need first. */
export function readToolkits(): Toolkit[] {
  const names = readdirSync(toolkitsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(toolkitsFolder, entry.name, 'toolkit.json')))
    .map(({ name }) => name)
  const all = new Map(names.map((name) => [name, readToolkit(name)]))
  const ordered = new Map<string, Toolkit>()
  const add = (name: string): void => {
    const toolkit = all.get(name)
    if (toolkit === undefined || ordered.has(name)) return
    for (const needed of toolkit.dependencies) add(needed)
    ordered.set(name, toolkit)
  }
  for (const name of [...names].sort()) add(name)
  return [...ordered.values()]
}

function readToolkit(name: string): Toolkit {
  const folder = join(toolkitsFolder, name)
  const about = JSON.parse(readFileSync(join(folder, 'toolkit.json'), 'utf8')) as {
    description: string
    dependencies: string[]
    workflow_entry_skill: string
  }
  return {
    name,
    description: about.description,
    dependencies: about.dependencies,
    entrySkill: about.workflow_entry_skill,
    skills: list(join(folder, 'skills')).map((skill) =>
      readSkill(readFileSync(join(folder, 'skills', skill, 'SKILL.md'), 'utf8')),
    ),
    commands: texts(join(folder, 'commands')),
    rules: texts(join(folder, 'rules')),
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])

const texts = (folder: string): Text[] =>
  list(folder).map((file) => ({ name: file.replace(/\.md$/, ''), text: readFileSync(join(folder, file), 'utf8') }))

function readSkill(text: string): Skill {
  const [, head, body] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text)!
  const { name, description, 'argument-hint': argumentHint } = parse(head!) as Record<string, string>
  return { name: name!, description: description!, argumentHint, body: body!.trim(), text }
}
