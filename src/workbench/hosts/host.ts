import type { JsonPart } from '../json-edit.ts'
import type { Marks } from '../block-edit.ts'
import type { Toolkit } from '../toolkit.ts'

export const hostNames = ['claude', 'cursor', 'codex', 'vscode'] as const
export type HostName = (typeof hostNames)[number]

/** A file that is ours as a whole. */
export interface OwnFile {
  path: string
  text: string
  toolkit: string
}

/** What is ours in a file that people write too. */
export type SharedFile =
  | { path: string; kind: 'json'; parts: readonly JsonPart[] }
  | { path: string; kind: 'block'; marks: Marks; text: string }

/** A program in which assistants work: where it reads what. */
export interface Host {
  name: HostName
  title: string
  /** What shows that it is used: variables it sets, what it leaves in a project, its folder in the home. */
  signs: { variables: readonly string[]; project: readonly string[]; home: string }
  files(toolkit: Toolkit): OwnFile[]
  /** MCP server, deny rules, hooks. */
  shared(toolkits: readonly Toolkit[]): SharedFile[]
  /** How to have it read what was installed. */
  restart: string
}

/** How hosts start the MCP server. `--no-install`: a package of that name must not be fetched from anywhere. */
export const mcpCommand = { command: 'npx', args: ['--no-install', 'sluice', 'ai', 'mcp'] } as const

export const guardPath = '.sluice/guard.mjs'
/** The modules of the guard. */
export const guardFolder = '.sluice/guard'
export const guardCommand = `node ${guardPath}`
/** Hosts go on after any exit code but 2: a guard that is missing, or cannot start, has to end with it too. */
export const orRefuse = (command: string): string => `${command} || exit 2`

/** Paths that no assistant reads, as hosts write patterns. */
export const secretPatterns = ['**/secrets.toml', '**/*.secrets.toml'] as const

/** A skill made of other text, for hosts that know only skills. */
export const skillText = (name: string, description: string, body: string): string =>
  `---\nname: ${name}\ndescription: ${JSON.stringify(description)}\n---\n\n${body.trim()}\n`

/** The first sentence of a text that has no head. */
export const firstLine = (text: string): string =>
  text
    .split('\n')
    .find((line) => line.trim() !== '' && !line.startsWith('#'))!
    .trim()
