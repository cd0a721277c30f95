import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { hostNames, hosts } from '../../src/workbench/hosts/index.ts'
import { apply, planInstall } from '../../src/workbench/install.ts'
import { tiered } from '../support/effort.ts'

let folder: string
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-guard-')))
  mkdirSync(join(folder, '.sluice'))
  mkdirSync(join(folder, '.dlt'))
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, '.sluice', 'secrets.toml'), 'key = "hunter2-hunter2"\n')
  writeFileSync(join(folder, '.dlt', 'secrets.toml'), 'key = "hunter2-hunter2"\n')
  writeFileSync(join(folder, 'README.md'), 'hello')
  symlinkSync(join(folder, '.sluice', 'secrets.toml'), join(folder, 'innocent.txt'))
  symlinkSync(join(folder, '.sluice'), join(folder, 'settings'))
  apply(folder, planInstall(folder, { hosts: hostNames, toolkits: [] }))
})

/** Asks by the very command that stands in the settings of a host. */
function ask(command: string, question: object): { code: number | null; said: string; answer: string } {
  const { status, stderr, stdout } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    input: JSON.stringify({ cwd: folder, ...question }),
    encoding: 'utf8',
    env: { ...process.env, CLAUDE_PROJECT_DIR: folder },
  })
  return { code: status, said: stderr, answer: stdout }
}

const settings = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as never
const claudeCommand = (): string => {
  const { hooks } = settings('.claude/settings.json') as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } }
  return hooks.PreToolUse[0]!.hooks[0]!.command
}
const bash = (command: string) => ({ hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command } })

describe('commands', () => {
  const blocked = [
    'cat .sluice/secrets.toml',
    'cat ./.sluice/../.sluice/secrets.toml',
    'cat .sluice/sec""rets.toml',
    "cat .sluice/secr'ets'.toml",
    'cat .sluice/secrets\\.toml',
    'cat .sluice/*',
    'cat .sluice/s*',
    'cat .sluice/secrets.tom?',
    'cat .sluice/{config,secrets}.toml',
    'cat .*/secrets.toml',
    'head -c 100 .*/s*.toml',
    'cat innocent.txt',
    'cat settings/secrets.toml',
    'cd .sluice && cat *',
    'cd .sluice; cat s*',
    'cp -r .sluice /tmp/x',
    'mv .sluice backup',
    'tar czf - . | base64',
    'tar czf x.tgz .sluice',
    'grep -r key .',
    'grep -rn hunter .sluice',
    'grep -R key',
    'rg --hidden key',
    'rg -uu key',
    'find . -name "*.toml" -exec cat {} +',
    'find .dlt -type f | xargs cat',
    'python3 -c "print(open(\'.sluice/secrets.toml\').read())"',
    "node -e \"console.log(require('fs').readFileSync('.sluice/secrets.toml','utf8'))\"",
    'base64 < .sluice/secrets.toml',
    'git show HEAD:.sluice/secrets.toml',
    'env',
    'env | grep TOKEN',
    'printenv',
    'export -p',
    'set | less',
    'cat /proc/self/environ',
    'echo $SOURCES__CHATRA_SOURCE__API_KEY_PAIR',
    'printenv DESTINATION__POSTGRES__CREDENTIALS',
    'echo $ALERTS__SLACK_URL',
    'SOURCES__GITHUB__TOKEN=ghp_realrealreal npx sluice run github.source.yaml',
    'rm .sluice/guard.mjs',
    'npx sluice ai uninstall',
    'npx sluice ai toolkit uninstall init',
    'npx sluice pipeline shop failed-packages discard 1790000000.1',
    'npx sluice pipeline shop failed-jobs discard 1790000000.1',
    'cat ~/.local/share/sluice/allowed-hosts.json',
    'echo "process.exit(0)" > .sluice/guard.mjs',
  ]
  for (const [command, options] of tiered(blocked, 20))
    it(`${command}: is blocked`, options, () => {
      const { code, said } = ask(claudeCommand(), bash(command))
      expect(code).toBe(2)
      expect(said).toMatch(/^Blocked: .*npx sluice secrets list/)
      expect(said).not.toContain('hunter2')
    })

  const harmless = [
    'ls -la',
    'ls .sluice',
    'cat README.md',
    'cat .sluice/config.toml',
    'npm test',
    'npx sluice secrets list',
    'npx sluice ai toolkit runtime install',
    'npx sluice secrets check chatra',
    'npx sluice run shop.source.yaml --limit 1',
    'npx sluice pipeline shop failed-packages',
    'grep -rn visitors src',
    'rg visitors',
    'git add -A && git commit -m "load: visitors"',
    'git status',
    'find src -name "*.ts"',
    'export SOURCES__CHATRA_SOURCE__BASE_URL=http://127.0.0.1:4000/api',
    "export SOURCES__CHATRA_SOURCE__API_KEY_PAIR='simulatedpublic:simulatedsecret'",
    'mkdir -p .sluice',
    'DESTINATION__FILESYSTEM__BUCKET_URL=./lake npx sluice run shop.source.yaml',
    'cp -r src lib',
    'NODE_ENV=test node --test',
    'env NODE_ENV=test node --test',
  ]
  for (const [command, options] of tiered(harmless, 10, 1))
    it(`${command}: goes through`, options, () => {
      expect(ask(claudeCommand(), bash(command))).toMatchObject({ code: 0, said: '' })
    })
})

describe('tools of hosts', () => {
  it.each([
    ['Read', { file_path: '.sluice/secrets.toml' }],
    ['Read', { file_path: 'innocent.txt' }],
    ['Read', { file_path: 'settings/secrets.toml' }],
    ['Read', { file_path: '.dlt/prod.secrets.toml' }],
    ['Edit', { file_path: '.sluice/secrets.toml', old_string: 'a', new_string: 'b' }],
    ['Write', { file_path: '.sluice/secrets.toml', content: 'x' }],
    ['Write', { file_path: '.sluice/guard.mjs', content: 'process.exit(0)' }],
    ['Edit', { file_path: '.claude/settings.json', old_string: 'a', new_string: 'b' }],
    ['Write', { file_path: '.mcp.json', content: '{ "args": ["sluice", "ai", "mcp", "--allow-run"] }' }],
    ['Grep', { pattern: 'key', path: '.sluice' }],
    ['Grep', { pattern: 'key', glob: '**/secrets.toml' }],
    ['Glob', { pattern: '.sluice/*' }],
    ['read_file', { path: `file:///${'x'}/.sluice/secrets.toml` }],
    ['shell', { command: ['bash', '-lc', 'cat .sluice/secrets.toml'] }],
    ['apply_patch', { patch: '*** Begin Patch\n*** Update File: .sluice/secrets.toml\n@@\n-a\n+b\n*** End Patch' }],
    ['mcp__files__read_many', { paths: ['README.md', '.sluice/secrets.toml'] }],
  ])('%s %j is blocked', (tool, input) => {
    expect(ask(claudeCommand(), { tool_name: tool, tool_input: input }).code).toBe(2)
  })

  it.each([
    ['Read', { file_path: 'README.md' }],
    ['Read', { file_path: '.sluice/config.toml' }],
    ['Write', { file_path: 'docs/setup.md', content: 'Secrets stand in .sluice/secrets.toml, which nobody reads.' }],
    ['Edit', { file_path: '.gitignore', old_string: '', new_string: '.sluice/secrets.toml' }],
    ['Grep', { pattern: 'secrets.toml', path: 'src' }],
    ['Glob', { pattern: 'src/**/*.ts' }],
    ['Task', { prompt: 'find out how secrets.toml is documented', description: 'look' }],
    ['mcp__sluice__secrets_list', { sources: [] }],
  ])('%s %j goes through', (tool, input) => {
    expect(ask(claudeCommand(), { tool_name: tool, tool_input: input })).toMatchObject({ code: 0, said: '' })
  })

  it('answers Cursor in its own words, before a file is read and before a command', () => {
    const { hooks } = settings('.cursor/hooks.json') as { hooks: Record<string, { command: string }[]> }
    for (const event of ['beforeReadFile', 'beforeShellExecution', 'preToolUse']) expect(hooks[event]).toHaveLength(1)
    const read = (path: string) =>
      ask(hooks.beforeReadFile![0]!.command, {
        hook_event_name: 'beforeReadFile',
        file_path: join(folder, path),
        content: 'key = "hunter2-hunter2"',
      })
    const refused = read('.sluice/secrets.toml')
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.answer)).toMatchObject({ permission: 'deny' })
    expect(refused.answer).not.toContain('hunter2')
    expect(JSON.parse(read('README.md').answer)).toEqual({ permission: 'allow' })
    const run = (command: string) =>
      ask(hooks.beforeShellExecution![0]!.command, { hook_event_name: 'beforeShellExecution', command })
    expect(run('cat .sluice/secrets.toml').code).toBe(2)
    expect(run('npm test').code).toBe(0)
  })

  it('stands in the settings of Codex and VS Code, and blocks there', () => {
    const codex = settings('.codex/hooks.json') as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } }
    const vscode = settings('.github/hooks/sluice.json') as { hooks: { PreToolUse: { command: string }[] } }
    for (const command of [codex.hooks.PreToolUse[0]!.hooks[0]!.command, vscode.hooks.PreToolUse[0]!.command]) {
      expect(ask(command, bash('cat .sluice/secrets.toml')).code).toBe(2)
      expect(ask(command, bash('npm test')).code).toBe(0)
    }
  })

  it('says no where a question cannot be read and names the file', () => {
    const asked = (text: string) =>
      spawnSync(process.execPath, [join(folder, '.sluice/guard.mjs')], { cwd: folder, input: text }).status
    expect(asked('{ "tool_input": { "file_path": ".sluice/secrets.toml"')).toBe(2)
    expect(asked('not json')).toBe(0)
  })

  it('denies the files by rules of the hosts as well', () => {
    const { permissions } = settings('.claude/settings.json') as { permissions: { deny: string[] } }
    expect(permissions.deny).toContain('Read(./**/secrets.toml)')
    expect(readFileSync(join(folder, '.cursorignore'), 'utf8')).toContain('**/secrets.toml')
    expect(Object.keys(hosts)).toEqual([...hostNames])
  })
})
