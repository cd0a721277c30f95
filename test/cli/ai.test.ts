import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { sluice, type Ended } from '../support/command-line.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-ai-'))
})

/** As a person calls it, in a terminal of 80 columns, with no assistant around. */
async function ai(...args: string[]): Promise<Ended> {
  for (const name of Object.keys(process.env))
    if (/^(CLAUDECODE|CODEX_|CURSOR_AGENT|VSCODE_)/.test(name)) delete process.env[name]
  const ended = await sluice(folder, ['ai', ...args])
  const widest = Math.max(...ended.out.split('\n').map((line) => line.length))
  if (!args.includes('--json')) expect(widest, `ai ${args.join(' ')}\n${ended.out}`).toBeLessThanOrEqual(80)
  return ended
}

describe('sluice ai init', () => {
  it('takes the hosts as arguments or detects them, and prints the files it writes or, with --dry-run, would write', async () => {
    const asked = await ai('init')
    expect(asked.code).toBe(2)
    expect(asked.err).toContain('sluice ai init --agent claude')
    expect((await ai('init', '--agent', 'emacs')).err).toContain('use some of: claude, cursor, codex, vscode')
    mkdirSync(join(folder, '.cursor'))
    const dry = await ai('init', '--dry-run')
    expect(dry.out).toMatch(/new +\.cursor\/skills\/[^]*nothing was written/)
    expect(readdirSync(folder)).toEqual(['.cursor'])
    expect((await ai('init')).out).toContain('next: restart Cursor')
    expect(existsSync(join(folder, '.cursor', 'mcp.json'))).toBe(true)
    expect(existsSync(join(folder, '.claude'))).toBe(false)
    const again = JSON.parse((await ai('init', '--json')).out) as { steps: { action: string }[] }
    expect(new Set(again.steps.map(({ action }) => action))).toEqual(new Set(['unchanged']))
  })

  it('mcp install writes the entry of the server, and nothing else', async () => {
    await ai('mcp', 'install', '--agent', 'claude,codex')
    expect(readdirSync(folder).sort()).toEqual(['.codex', '.mcp.json', '.sluice'])
    await ai('init')
    expect(existsSync(join(folder, '.claude', 'settings.json'))).toBe(true)
    await ai('uninstall')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('sluice ai toolkit', () => {
  it('takes the name before or after the action', { tags: ['slow'] }, async () => {
    await ai('init', '--agent', 'claude')
    expect((await ai('toolkit')).out).toMatch(/✓ init[^]*rest-api-pipeline/)
    expect((await ai('toolkit', 'runtime', 'info')).out).toBe((await ai('toolkit', 'info', 'runtime')).out)
    expect((await ai('toolkit', 'runtime')).out).toBe((await ai('toolkit', 'info', 'runtime')).out)
    expect((await ai('toolkit', 'rest-api-pipeline', 'install')).out).toContain('/find-source')
    expect((await ai('toolkit', 'install', 'runtime')).code).toBe(0)
    expect((await ai('toolkit', 'runtime', 'uninstall')).code).toBe(0)
    expect(existsSync(join(folder, '.claude', 'skills', 'setup-runtime'))).toBe(false)
    expect(await ai('toolkit', 'nothing', 'install')).toMatchObject({
      code: 2,
      err: expect.stringContaining('use one of') as never,
    })
    expect((await ai('toolkit', 'install')).code).toBe(2)
  })

  it('shows what was edited, keeps it, and says what is not as it should be', { tags: ['slow'] }, async () => {
    expect((await ai('status')).out).toMatch(/agents +none[^]*sluice ai init/)
    await ai('init', '--agent', 'claude')
    expect((await ai('status')).out).toContain('no toolkit is installed')
    await ai('toolkit', 'rest-api-pipeline', 'install')
    const skill = join(folder, '.claude', 'skills', 'find-source', 'SKILL.md')
    writeFileSync(skill, readFileSync(skill, 'utf8').replace('# Find a source', '# Find our source'))
    expect((await ai('toolkit', 'diff')).out).toMatch(/-# Find our source\n\+# Find a source/)
    expect((await ai('status')).out).toMatch(/edited +1 by you/)
    expect(JSON.parse((await ai('status', '--json')).out)).toMatchObject({
      warnings: [],
      toolkits: ['init', 'rest-api-pipeline'],
    })
    expect((await ai('toolkit', 'update')).out).toContain('edited by you, nothing new')
    expect(readFileSync(skill, 'utf8')).toContain('# Find our source')
    await ai('toolkit', 'update', '--overwrite')
    expect(readFileSync(skill, 'utf8')).toContain('# Find a source')
    const { out } = await ai('uninstall', '--dry-run')
    expect(out).toMatch(/deleted +\.claude\/skills\/ +\d+ files/)
    expect(existsSync(skill)).toBe(true)
  })

  it('wants a project with a workbench where it needs one', { tags: ['slow'] }, async () => {
    for (const args of [['toolkit', 'update'], ['toolkit', 'diff'], ['uninstall'], ['doctor']])
      expect(await ai(...args), args.join(' ')).toMatchObject({
        code: 2,
        err: expect.stringContaining('no workbench yet') as never,
      })
    expect((await ai('nothing')).code).toBe(2)
    expect((await ai('--help')).out).toContain('sluice ai mcp --http')
    expect((await ai('secrets', 'list')).code).toBe(0)
  })
})
