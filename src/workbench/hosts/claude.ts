import { guardFolder, guardPath, mcpCommand, orRefuse, secretPatterns, type Host } from './host.ts'

/** Folders of this user that hold secrets: the settings of Sluice and dlt, and the data folder with its tokens. */
const outside = ['~/.sluice', '~/.dlt', '~/.local/share/sluice']

/** Claude Code: `.claude/`, `.mcp.json`, and `CLAUDE.md`, which takes in `AGENTS.md`. */
export const claude: Host = {
  name: 'claude',
  title: 'Claude Code',
  signs: { variables: ['CLAUDECODE'], project: ['.claude', 'CLAUDE.md'], home: '.claude' },
  restart: 'restart Claude Code, and allow the server "sluice" when it asks',
  files: ({ name: toolkit, skills, commands, rules }) => [
    ...skills.map(({ name, text }) => ({ path: `.claude/skills/${name}/SKILL.md`, text, toolkit })),
    ...commands.map(({ name, text }) => ({ path: `.claude/commands/${name}.md`, text, toolkit })),
    ...rules.map(({ name, text }) => ({ path: `.claude/rules/${toolkit}-${name}.md`, text, toolkit })),
  ],
  shared: () => [
    {
      path: '.mcp.json',
      kind: 'json',
      parts: [{ path: ['mcpServers', 'sluice'], value: { type: 'stdio', ...mcpCommand } }],
    },
    { path: 'CLAUDE.md', kind: 'block', marks: 'markdown', text: '@AGENTS.md' },
    {
      path: '.claude/settings.json',
      kind: 'json',
      parts: [
        ...[
          ...secretPatterns.map((one) => `Read(./${one})`),
          ...secretPatterns.map((one) => `Edit(./${one})`),
          ...outside.map((folder) => `Read(${folder}/**)`),
          `Edit(./${guardPath})`,
          `Edit(./${guardFolder}/**)`,
          'Edit(./.claude/settings*.json)',
          'Edit(./.mcp.json)',
        ].map((value) => ({ path: ['permissions', 'deny'], value, isItem: true })),
        {
          path: ['hooks', 'PreToolUse'],
          value: {
            matcher: '*',
            hooks: [{ type: 'command', command: orRefuse(`node "$CLAUDE_PROJECT_DIR/${guardPath}"`) }],
          },
          isItem: true,
        },
      ],
    },
  ],
}
