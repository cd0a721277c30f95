import { execFile, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { dataDir } from '../../src/config/index.ts'
import { hostNames, hosts } from '../../src/workbench/hosts/index.ts'
import { apply, planInstall } from '../../src/workbench/install.ts'
import { toolkitsFolder } from '../../src/workbench/toolkit.ts'
import { effort, someOf } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'
import corpus from './guard/corpus.json' with { type: 'json' }
import { among, reading, showing, wrapped } from './guard/spellings.ts'

interface Places {
  root: string
  home: string
  folder: string
  dataDir?: string
}
interface Guard {
  placesOf(places: Places): Places
  refusedCommand(command: string, places: Places): string | undefined
  refusedTool(asked: { tool: string; input: unknown }, places: Places): string | undefined
}
const load = async (name: string): Promise<Guard> => (await import(join(toolkitsFolder, 'guard', name))) as Guard
const { placesOf } = await load('places.mjs')
const { refusedCommand } = await load('command.mjs')
const { refusedTool } = await load('tool.mjs')

const hidden = 'hunter2-hunter2'
let folder: string
let places: Places
beforeAll(() => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-guard-')))
  folder = join(home, 'p')
  // Resolved against the home folder of these tests, not of whoever runs them.
  delete process.env.XDG_DATA_HOME
  delete process.env.SLUICE_DATA_DIR
  mkdirSync(join(home, '.local/share/sluice'), { recursive: true })
  for (const name of ['.sluice', '.dlt', 'src']) mkdirSync(join(folder, name), { recursive: true })
  for (const name of ['.sluice', '.dlt']) writeFileSync(join(folder, name, 'secrets.toml'), `key = "${hidden}"\n`)
  writeFileSync(join(folder, 'README.md'), 'hello\n')
  symlinkSync(join(folder, '.sluice', 'secrets.toml'), join(folder, 'innocent.txt'))
  symlinkSync(join(folder, '.sluice'), join(folder, 'settings'))
  apply(folder, planInstall(folder, { hosts: hostNames, toolkits: [] }))
  places = placesOf({ root: folder, home, folder })
})

describe('the corpus', () => {
  it('of commands that show secrets or change guards is refused', () => {
    const all = [...corpus.shows, ...corpus.refused]
    expect(all.filter((command) => refusedCommand(command, places) === undefined)).toEqual([])
  })

  it('of ordinary commands goes through, among others too', () => {
    const random = randomFrom()
    const all = corpus.allowed.flatMap((command) => [command, among(random, command)])
    const refused = all.map((command) => [command, refusedCommand(command, places)])
    expect(refused.filter(([, reason]) => reason !== undefined)).toEqual([])
  })

  it('of tools is refused, or goes through', () => {
    const ask = ([tool, input]: unknown[]) => refusedTool({ tool: tool as string, input }, places)
    expect(corpus.tools.refused.filter((one) => ask(one) === undefined)).toEqual([])
    expect(corpus.tools.allowed.map((one) => [one, ask(one)]).filter(([, reason]) => reason !== undefined)).toEqual([])
  })

  it('lets a search go through a project whose secrets are elsewhere, or placeholders', () => {
    const other = mkdtempSync(join(tmpdir(), 'sluice-guard-'))
    const there = placesOf({ root: other, home: join(other, 'home'), folder: other })
    const search = () => [
      refusedCommand('grep -rn visitors .', there),
      refusedTool({ tool: 'Grep', input: { pattern: 'visitors' } }, there),
    ]
    expect(search()).toEqual([undefined, undefined])
    mkdirSync(join(other, '.sluice'))
    writeFileSync(join(other, '.sluice/secrets.toml'), '# paste it\n[sources.shop]\ntoken = "<paste token here>"\n')
    expect(search()).toEqual([undefined, undefined])
    writeFileSync(join(other, '.sluice/secrets.toml'), '[sources.shop]\ntoken = "t-0123456789"\n')
    expect(search()).not.toContain(undefined)
    rmSync(other, { recursive: true })
  })
})

it('the guard and Sluice agree on the data folder, whatever the environment says', () => {
  const { SLUICE_DATA_DIR, XDG_DATA_HOME, ...others } = process.env
  const values = [undefined, '', 'data', './data/', '/srv/data/', '/srv/../data']
  const root = process.cwd()
  onTestFinished(() => void (process.env = { ...others, SLUICE_DATA_DIR, XDG_DATA_HOME }))
  for (const moved of values) {
    for (const base of values) {
      process.env = { ...others }
      if (moved !== undefined) process.env.SLUICE_DATA_DIR = moved
      if (base !== undefined) process.env.XDG_DATA_HOME = base
      const there = placesOf({ root, home: homedir(), folder: join(root, 'src') })
      expect(there.dataDir, JSON.stringify({ moved, base })).toBe(dataDir())
      const asked = (path: string) => refusedTool({ tool: 'Read', input: { file_path: path } }, there)
      expect(asked(join(dataDir(), 'dashboard.token'))).toBeDefined()
      expect(asked('/usr/include/stdio.h')).toBeUndefined()
    }
  }
})

describe('the shell as the model', () => {
  /** What a command prints when it is run. */
  const printed = (command: string): Promise<string> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, HOME: places.home, SOURCES__SHOP__TOKEN: hidden }
      execFile('bash', ['-O', 'extglob', '-c', command], { cwd: folder, env, timeout: 30_000 }, (_, stdout) =>
        resolve(stdout),
      )
    })

  it('what shows a secret is refused, however it is written', async ({ signal }) => {
    const random = randomFrom()
    const passed: string[] = []
    let shown = 0
    const count = effort(150, 1500)
    for (let done = 0; done < count; done++) {
      signal.throwIfAborted()
      const command = wrapped(random, random() < 0.8 ? reading(random) : showing(random))
      const reason = refusedCommand(command, places)
      // Only what would pass has to be run; a sample of the others says whether the generator still finds secrets.
      if (reason !== undefined && done % 15 > 0) continue
      const isShown = (await printed(command)).includes(hidden)
      if (isShown) shown++
      if (isShown && reason === undefined) passed.push(command)
    }
    expect(passed).toEqual([])
    expect(shown).toBeGreaterThan(count / 50)
  })
})

it('reads commands of any length in one pass: the worst of each kind', () => {
  const long = (text: string) => text.repeat(Math.ceil(10_000 / text.length))
  const worst = [
    '*',
    '?',
    '{a,b}',
    '{',
    '$(',
    '`',
    '"',
    "'",
    '\\',
    '<<A\n',
    '$x',
    '${x:-',
    '[',
    '(',
    '*a',
    '.sluice/*?',
    '-',
    '=',
    '@(',
  ]
  for (const text of someOf(worst, 6))
    for (const before of ['cat ', 'cat .sluice/']) refusedCommand(before + long(text), places)
  expect(refusedCommand(`cat .sluice/${long('*')}`, places)).toBeDefined()
})

describe('a command that is short and means a lot', () => {
  const chain = (count: number, step: (at: number) => string) => Array.from({ length: count }, (_, at) => step(at))
  /** Each is about a tenth of a second, or is refused. They took minutes, or all memory. */
  const heavy: Record<string, () => string> = {
    'variables that double': () => `${chain(32, (at) => `v${at + 1}=$v${at}$v${at}`).join(';')};`,
    'variables that double, from a text': () =>
      `v0=abcdefgh;${chain(32, (at) => `v${at + 1}=$v${at}$v${at}`).join(';')}; echo ${'$v12 '.repeat(2000)};`,
    'a folder in a folder': () => chain(300, () => 'cd a; echo $(ls) ;').join(' '),
    pipes: () => `${chain(2000, () => 'ls |').join(' ')} wc;`,
    'commands in commands': () => `${'echo $(cd a; '.repeat(7)}ls${')'.repeat(7)};`.repeat(20),
    'names of names': () => `cat ${chain(1500, (at) => `a${at}=b${at}:c*${at}`).join(' ')};`,
  }
  it.each(Object.keys(heavy))('%s: a secret after it is refused', (name) => {
    expect(refusedCommand(`${heavy[name]!()} cat .sluice/secrets.toml`, places)).toBeDefined()
  })

  it('is refused when reading it would take too long', () => {
    const text = chain(40, (at) => `${'$x*'.repeat(100)}${at}q`).join(' ')
    expect(refusedCommand(`cat ${text}`, places)).toMatch(/too much to be read/)
  })

  it('is read, however long it is, where it says only what it says', () => {
    const body = 'Secrets are in a file that nobody reads.\n'.repeat(5000)
    expect(refusedCommand(`cat > notes.md <<'EOF'\n${body}EOF`, places)).toBeUndefined()
    expect(refusedCommand(`x=${'a'.repeat(70_000)}; echo "$x" | wc -c`, places)).toBeUndefined()
  })
})

/** Asks by the very command that stands in the settings of a host. */
function ask(command: string, question: object, cwd = folder): { code: number | null; said: string; answer: string } {
  const { status, stderr, stdout } = spawnSync('sh', ['-c', command], {
    cwd,
    input: JSON.stringify({ cwd, ...question }),
    encoding: 'utf8',
    env: { ...process.env, HOME: places.home, CLAUDE_PROJECT_DIR: cwd },
  })
  return { code: status, said: stderr, answer: stdout }
}

const settings = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as never
const claudeCommand = (): string => {
  const { hooks } = settings('.claude/settings.json') as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } }
  return hooks.PreToolUse[0]!.hooks[0]!.command
}
const bash = (command: string) => ({ hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command } })

describe('hosts', () => {
  it('Claude Code is answered by an exit code, and a reason', () => {
    const random = randomFrom()
    const drawn = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!
    for (const command of [drawn(corpus.shows), drawn(corpus.refused)]) {
      const { code, said } = ask(claudeCommand(), bash(command))
      expect(code).toBe(2)
      expect(said).toMatch(/^Blocked: .*npx sluice secrets list/)
      expect(said).not.toContain(hidden)
    }
    expect(ask(claudeCommand(), bash(drawn(corpus.allowed)))).toMatchObject({ code: 0, said: '' })
    expect(ask(claudeCommand(), { tool_name: 'Read', tool_input: { file_path: 'innocent.txt' } }).code).toBe(2)
  })

  it('Cursor is answered in its own words, before a file is read and before a command', () => {
    const { hooks } = settings('.cursor/hooks.json') as { hooks: Record<string, { command: string }[]> }
    for (const event of ['beforeReadFile', 'beforeShellExecution', 'preToolUse']) expect(hooks[event]).toHaveLength(1)
    const read = (path: string) =>
      ask(hooks.beforeReadFile![0]!.command, {
        hook_event_name: 'beforeReadFile',
        file_path: join(folder, path),
        content: `key = "${hidden}"`,
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

  it('the settings of Codex and VS Code name the guard, and it blocks there', () => {
    const codex = settings('.codex/hooks.json') as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } }
    const vscode = settings('.github/hooks/sluice.json') as { hooks: { PreToolUse: { command: string }[] } }
    const commands = [codex.hooks.PreToolUse[0]!.hooks[0]!.command, vscode.hooks.PreToolUse[0]!.command]
    for (const command of commands) expect(ask(command, bash('cat .sluice/secrets.toml')).code).toBe(2)
  })

  it('no guard, or one that does not start, blocks in each host', () => {
    const { hooks } = settings('.cursor/hooks.json') as { hooks: Record<string, { failClosed: boolean }[]> }
    expect(Object.values(hooks).flatMap((list) => list.map(({ failClosed }) => failClosed))).toEqual([true, true, true])
    const codex = settings('.codex/hooks.json') as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } }
    const vscode = settings('.github/hooks/sluice.json') as { hooks: { PreToolUse: { command: string }[] } }
    const commands = [
      claudeCommand(),
      codex.hooks.PreToolUse[0]!.hooks[0]!.command,
      vscode.hooks.PreToolUse[0]!.command,
    ]
    const bare = mkdtempSync(join(places.home, 'bare-'))
    for (const command of commands) expect(ask(command, bash('ls'), bare).code).toBe(2)
  })

  it('a guard that cannot decide says no', () => {
    const asked = (text: string) =>
      spawnSync(process.execPath, [join(folder, '.sluice/guard.mjs')], { cwd: folder, input: text, encoding: 'utf8' })
    expect(asked('{ "tool_input": { "file_path": ".sluice/secrets.toml"').status).toBe(2)
    expect(asked('not json').status).toBe(0)
    // Reading a folder fails, as reading a pipe without data may.
    const unreadable = openSync(folder, 'r')
    const guard = [join(folder, '.sluice/guard.mjs')]
    expect(spawnSync(process.execPath, guard, { cwd: folder, stdio: [unreadable, 'pipe', 'pipe'] }).status).toBe(2)
    closeSync(unreadable)
    const lone = join(places.home, 'lone', '.sluice')
    mkdirSync(lone, { recursive: true })
    writeFileSync(join(lone, 'guard.mjs'), readFileSync(join(folder, '.sluice/guard.mjs')))
    const { status, stderr } = spawnSync(process.execPath, [join(lone, 'guard.mjs')], {
      input: '{ "tool_name": "Bash", "tool_input": { "command": "ls" } }',
      encoding: 'utf8',
    })
    expect(status).toBe(2)
    expect(stderr).toContain('sluice ai init --overwrite')
  })

  it('read files that the whole team may read, as the umask says', () => {
    for (const path of ['AGENTS.md', '.claude/settings.json', '.sluice/workbench.json'])
      expect(statSync(join(folder, path)).mode & 0o777, path).toBe(0o666 & ~process.umask())
  })

  it('deny the files by rules of their own as well', () => {
    const { permissions } = settings('.claude/settings.json') as { permissions: { deny: string[] } }
    expect(permissions.deny).toContain('Read(./**/secrets.toml)')
    for (const outside of ['~/.sluice', '~/.dlt', '~/.local/share/sluice'])
      expect(permissions.deny).toContain(`Read(${outside}/**)`)
    expect(permissions.deny).toContain('Edit(./.sluice/guard/**)')
    expect(readFileSync(join(folder, '.cursorignore'), 'utf8')).toContain('**/secrets.toml')
    expect(Object.keys(hosts)).toEqual([...hostNames])
  })
})
