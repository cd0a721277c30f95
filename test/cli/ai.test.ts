import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-ai-'))
})

/** As a person calls it, in a terminal of 80 columns, with no assistant around. */
function ai(...args: string[]): { code: number | null; out: string; err: string } {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(CLAUDECODE|CODEX_|CURSOR_AGENT|VSCODE_)/.test(name)),
  )
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'ai', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') },
  })
  const widest = Math.max(...stdout.split('\n').map((line) => line.length))
  if (!args.includes('--json')) expect(widest, `ai ${args.join(' ')}\n${stdout}`).toBeLessThanOrEqual(80)
  return { code: status, out: stdout, err: stderr }
}

describe('sluice ai init', () => {
  it('is told for whom, or sees it; says what it does, or would do', () => {
    const asked = ai('init')
    expect(asked.code).toBe(2)
    expect(asked.err).toContain('sluice ai init --agent claude')
    expect(ai('init', '--agent', 'emacs').err).toContain('use some of: claude, cursor, codex, vscode')
    mkdirSync(join(folder, '.cursor'))
    const dry = ai('init', '--dry-run')
    expect(dry.out).toMatch(/new +\.cursor\/skills\/[^]*nothing was written/)
    expect(readdirSync(folder)).toEqual(['.cursor'])
    expect(ai('init').out).toContain('next: restart Cursor')
    expect(existsSync(join(folder, '.cursor', 'mcp.json'))).toBe(true)
    expect(existsSync(join(folder, '.claude'))).toBe(false)
    const again = JSON.parse(ai('init', '--json').out) as { steps: { action: string }[] }
    expect(new Set(again.steps.map(({ action }) => action))).toEqual(new Set(['unchanged']))
  })

  it('mcp install writes the entry of the server, and nothing else', () => {
    ai('mcp', 'install', '--agent', 'claude,codex')
    expect(readdirSync(folder).sort()).toEqual(['.codex', '.mcp.json', '.sluice'])
    ai('init')
    expect(existsSync(join(folder, '.claude', 'settings.json'))).toBe(true)
    ai('uninstall')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('sluice ai toolkit', () => {
  it('takes the name before or after the action', { tags: ['slow'] }, () => {
    ai('init', '--agent', 'claude')
    expect(ai('toolkit').out).toMatch(/✓ init[^]*rest-api-pipeline/)
    expect(ai('toolkit', 'runtime', 'info').out).toBe(ai('toolkit', 'info', 'runtime').out)
    expect(ai('toolkit', 'runtime').out).toBe(ai('toolkit', 'info', 'runtime').out)
    expect(ai('toolkit', 'rest-api-pipeline', 'install').out).toContain('/find-source')
    expect(ai('toolkit', 'install', 'runtime').code).toBe(0)
    expect(ai('toolkit', 'runtime', 'uninstall').code).toBe(0)
    expect(existsSync(join(folder, '.claude', 'skills', 'setup-runtime'))).toBe(false)
    expect(ai('toolkit', 'nothing', 'install')).toMatchObject({
      code: 2,
      err: expect.stringContaining('use one of') as never,
    })
    expect(ai('toolkit', 'install').code).toBe(2)
  })

  it('shows what was edited, keeps it, and says what is not as it should be', { tags: ['slow'] }, () => {
    expect(ai('status').out).toMatch(/agents +none[^]*sluice ai init/)
    ai('init', '--agent', 'claude')
    expect(ai('status').out).toContain('no toolkit is installed')
    ai('toolkit', 'rest-api-pipeline', 'install')
    const skill = join(folder, '.claude', 'skills', 'find-source', 'SKILL.md')
    writeFileSync(skill, readFileSync(skill, 'utf8').replace('# Find a source', '# Find our source'))
    expect(ai('toolkit', 'diff').out).toMatch(/-# Find our source\n\+# Find a source/)
    expect(ai('status').out).toMatch(/edited +1 by you/)
    expect(JSON.parse(ai('status', '--json').out)).toMatchObject({
      warnings: [],
      toolkits: ['init', 'rest-api-pipeline'],
    })
    expect(ai('toolkit', 'update').out).toContain('edited by you, nothing new')
    expect(readFileSync(skill, 'utf8')).toContain('# Find our source')
    ai('toolkit', 'update', '--overwrite')
    expect(readFileSync(skill, 'utf8')).toContain('# Find a source')
    const { out } = ai('uninstall', '--dry-run')
    expect(out).toMatch(/deleted +\.claude\/skills\/ +\d+ files/)
    expect(existsSync(skill)).toBe(true)
  })

  it('wants a project with a workbench where it needs one', { tags: ['slow'] }, () => {
    for (const args of [['toolkit', 'update'], ['toolkit', 'diff'], ['uninstall'], ['doctor']])
      expect(ai(...args), args.join(' ')).toMatchObject({
        code: 2,
        err: expect.stringContaining('no workbench yet') as never,
      })
    expect(ai('nothing').code).toBe(2)
    expect(ai('--help').out).toContain('sluice ai mcp --http')
    expect(ai('secrets', 'list').code).toBe(0)
  })
})
