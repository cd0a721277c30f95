import { firstLine, guardCommand, mcpCommand, orRefuse, skillText, type Host } from './host.ts'

/** Codex: skills in `.agents/`, settings in `.codex/`. It reads `AGENTS.md`; what it has no place for becomes a skill. */
export const codex: Host = {
  name: 'codex',
  title: 'Codex',
  signs: {
    variables: ['CODEX_CI', 'CODEX_THREAD_ID', 'CODEX_SANDBOX'],
    project: ['.agents', '.codex'],
    home: '.codex',
  },
  restart: 'start Codex anew, and trust the project: only then it reads .codex/',
  files: ({ name: toolkit, skills, commands, rules }) => [
    ...skills.map(({ name, text }) => ({ path: `.agents/skills/${name}/SKILL.md`, text, toolkit })),
    ...commands.map(({ name, text }) => ({
      path: `.agents/skills/${name}/SKILL.md`,
      text: skillText(name, firstLine(text), text),
      toolkit,
    })),
    ...rules.map(({ name, text }) => ({
      path: `.agents/skills/${toolkit}-${name}/SKILL.md`,
      text: skillText(
        `${toolkit}-${name}`,
        `ALWAYS read and follow this skill before acting. ${firstLine(text)}`,
        text,
      ),
      toolkit,
    })),
  ],
  shared: () => [
    {
      path: '.codex/config.toml',
      kind: 'block',
      marks: 'hash',
      text: `[mcp_servers.sluice]\ncommand = "${mcpCommand.command}"\nargs = ${JSON.stringify(mcpCommand.args)}\nstartup_timeout_sec = 30`,
    },
    {
      path: '.codex/hooks.json',
      kind: 'json',
      parts: [
        {
          path: ['hooks', 'PreToolUse'],
          value: { hooks: [{ type: 'command', command: orRefuse(guardCommand) }] },
          isItem: true,
        },
      ],
    },
  ],
}
