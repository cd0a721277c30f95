import { firstLine, guardCommand, mcpCommand, secretPatterns, type Host } from './host.ts'

const watched = ['beforeReadFile', 'beforeShellExecution', 'preToolUse'] as const

/** Cursor: `.cursor/`, and `.cursorignore`, which it enforces itself. It reads `AGENTS.md`. */
export const cursor: Host = {
  name: 'cursor',
  title: 'Cursor',
  signs: { variables: ['CURSOR_AGENT'], project: ['.cursor', '.cursorignore', '.cursorrules'], home: '.cursor' },
  restart: 'restart Cursor, and switch the server "sluice" on in Settings → MCP',
  files: ({ name: toolkit, skills, commands, rules }) => [
    ...skills.map(({ name, text }) => ({ path: `.cursor/skills/${name}/SKILL.md`, text, toolkit })),
    ...commands.map(({ name, text }) => ({ path: `.cursor/commands/${name}.md`, text, toolkit })),
    ...rules.map(({ name, text }) => ({
      path: `.cursor/rules/${toolkit}-${name}.mdc`,
      text: `---\ndescription: ${JSON.stringify(firstLine(text))}\nalwaysApply: true\n---\n\n${text}`,
      toolkit,
    })),
  ],
  shared: () => [
    { path: '.cursor/mcp.json', kind: 'json', parts: [{ path: ['mcpServers', 'sluice'], value: mcpCommand }] },
    { path: '.cursorignore', kind: 'block', marks: 'hash', text: secretPatterns.join('\n') },
    {
      path: '.cursor/hooks.json',
      kind: 'json',
      parts: [
        { path: ['version'], value: 1 },
        // Cursor has a setting of its own for a hook that cannot be run, in any shell.
        ...watched.map((event) => ({
          path: ['hooks', event],
          value: { command: guardCommand, failClosed: true },
          isItem: true,
        })),
      ],
    },
  ],
}
