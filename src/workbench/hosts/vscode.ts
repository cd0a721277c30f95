import { guardCommand, mcpCommand, orRefuse, type Host } from './host.ts'

/** VS Code with Copilot: `.vscode/mcp.json`, and instructions, prompts, skills and hooks in `.github/`. It reads `AGENTS.md`. */
export const vscode: Host = {
  name: 'vscode',
  title: 'VS Code',
  signs: { variables: ['VSCODE_PID'], project: ['.vscode'], home: '.vscode' },
  restart: 'reload the window, and start the server "sluice" in .vscode/mcp.json',
  files: ({ name: toolkit, skills, commands, rules }) => [
    ...skills.map(({ name, text }) => ({ path: `.github/skills/${name}/SKILL.md`, text, toolkit })),
    ...commands.map(({ name, text }) => ({ path: `.github/prompts/${name}.prompt.md`, text, toolkit })),
    ...rules.map(({ name, text }) => ({
      path: `.github/instructions/${toolkit}-${name}.instructions.md`,
      text: `---\napplyTo: "**"\n---\n\n${text}`,
      toolkit,
    })),
  ],
  shared: () => [
    {
      path: '.vscode/mcp.json',
      kind: 'json',
      parts: [{ path: ['servers', 'sluice'], value: { type: 'stdio', ...mcpCommand } }],
    },
    {
      path: '.github/hooks/sluice.json',
      kind: 'json',
      parts: [
        {
          path: ['hooks', 'PreToolUse'],
          // The shell of Windows PowerShell 5 knows no `||`.
          value: { type: 'command', command: orRefuse(guardCommand), windows: guardCommand },
          isItem: true,
        },
      ],
    },
  ],
}
