import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse as parseJsonc } from 'jsonc-parser'
import { beforeEach, describe, expect, it } from 'vitest'
import { detectHosts, hostNames, type HostName } from '../../src/workbench/hosts/index.ts'
import { apply, changesSomething, planInstall, planUninstall } from '../../src/workbench/install.ts'
import { insertParts, removeParts, undone } from '../../src/workbench/json-edit.ts'
import { readToolkits } from '../../src/workbench/toolkit.ts'
import { readIndex, writeIndex } from '../../src/workbench/workbench-index.ts'
import { fc } from '../support/seed.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-workbench-'))
})

const path = (name: string): string => join(folder, name)
const read = (name: string): string => readFileSync(path(name), 'utf8')
function write(name: string, text: string): void {
  mkdirSync(dirname(path(name)), { recursive: true })
  writeFileSync(path(name), text)
}

/** Every file of a folder with its text. */
function snapshot(of = folder, below = ''): Record<string, string> {
  return Object.assign(
    {},
    ...readdirSync(of).map((name) => {
      const [file, short] = [join(of, name), join(below, name)]
      return statSync(file).isDirectory() ? snapshot(file, short) : { [short]: readFileSync(file, 'utf8') }
    }),
  ) as Record<string, string>
}

const allToolkits = readToolkits().map(({ name }) => name)
const install = (hosts: readonly HostName[], toolkits: readonly string[] = allToolkits): void =>
  apply(folder, planInstall(folder, { hosts, toolkits }))

/** Files as people have them: with comments, other entries, other line ends, no line end at all. */
const usersFiles: Record<string, string> = {
  'AGENTS.md': '# Our rules\n\nBe kind.',
  'CLAUDE.md': 'Read this.\r\n',
  '.mcp.json':
    '{\n    "mcpServers": {\n        "github": { "command": "gh-mcp", "env": { "TOKEN": "${TOKEN}" } }\n    }\n}\n',
  '.claude/settings.json':
    '{\n  // our own\n  "permissions": { "allow": ["Bash(npm test)"], "deny": ["Read(./.env)"] },\n  "hooks": {\n    "PreToolUse": [\n      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "./check.sh" }] }\n    ],\n  },\n}',
  '.claude/skills/our-skill/SKILL.md': '---\nname: our-skill\ndescription: ours\n---\n',
  '.cursor/mcp.json': '{}',
  '.cursor/hooks.json': '{ "version": 1, "hooks": {} }\n',
  '.cursorignore': 'data/\n*.csv',
  '.codex/config.toml': '# ours\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "other"\n',
  '.codex/hooks.json': '{\r\n  "hooks": {\r\n    "Stop": []\r\n  }\r\n}\r\n',
  '.vscode/mcp.json': '{\n\t"servers": {\n\t\t"a": { "command": "a" }\n\t}\n}\n',
  '.gitignore': 'node_modules\n',
}

describe.each([...hostNames.map((name) => [[name]]), [[...hostNames]]])('%s', (names: HostName[]) => {
  it('installed twice, changes nothing the second time', () => {
    install(names)
    const before = snapshot()
    const again = planInstall(folder, { hosts: names, toolkits: allToolkits })
    expect(changesSomething(again)).toBe(false)
    apply(folder, again)
    expect(snapshot()).toEqual(before)
  })

  it('taken out, leaves nothing of its own', () => {
    install(names)
    apply(folder, planUninstall(folder, undefined))
    expect(snapshot()).toEqual({})
    expect(readdirSync(folder)).toEqual([])
  })

  it('taken out, leaves the files of the user as they were, to the byte', () => {
    for (const [name, text] of Object.entries(usersFiles)) write(name, text)
    install(names, [])
    for (const toolkit of allToolkits) install(names, [toolkit])
    const during = snapshot()
    expect(during['AGENTS.md']).toContain('Be kind.')
    expect(during['AGENTS.md']).toContain('find-source')
    apply(folder, planUninstall(folder, undefined))
    expect(snapshot()).toEqual(usersFiles)
  })

  it('taken out after the user went on working, takes out only what is ours', () => {
    for (const [name, text] of Object.entries(usersFiles)) write(name, text)
    install(names)
    write('AGENTS.md', read('AGENTS.md').replace('Be kind.', 'Be kind and quick.') + '\nMore rules.\n')
    if (names.includes('claude')) {
      const settings = read('.claude/settings.json').replace('"Bash(npm test)"', '"Bash(npm test)", "Bash(ls)"')
      write('.claude/settings.json', settings)
    }
    apply(folder, planUninstall(folder, undefined))
    expect(read('AGENTS.md')).toMatch(/^# Our rules\n\nBe kind and quick\.\n+More rules\.\n$/)
    expect(JSON.stringify(snapshot())).not.toMatch(/sluice/)
    if (names.includes('claude')) {
      expect(parseJsonc(read('.claude/settings.json'))).toMatchObject({
        permissions: { allow: ['Bash(npm test)', 'Bash(ls)'], deny: ['Read(./.env)'] },
      })
      expect(read('.claude/settings.json')).toContain('// our own')
    }
  })
})

it('puts parts where each host reads them', () => {
  install(hostNames)
  for (const place of [
    '.claude/skills/find-source/SKILL.md',
    '.claude/commands/sluice-status.md',
    '.claude/rules/rest-api-pipeline-workflow.md',
    '.cursor/skills/find-source/SKILL.md',
    '.cursor/commands/sluice-status.md',
    '.cursor/rules/rest-api-pipeline-workflow.mdc',
    '.agents/skills/find-source/SKILL.md',
    '.agents/skills/sluice-status/SKILL.md',
    '.agents/skills/rest-api-pipeline-workflow/SKILL.md',
    '.github/skills/find-source/SKILL.md',
    '.github/prompts/sluice-status.prompt.md',
    '.github/instructions/rest-api-pipeline-workflow.instructions.md',
  ])
    expect(existsSync(path(place)), place).toBe(true)
  const server = { command: 'npx', args: ['--no-install', 'sluice', 'ai', 'mcp'] }
  expect(JSON.parse(read('.mcp.json'))).toEqual({ mcpServers: { sluice: { type: 'stdio', ...server } } })
  expect(JSON.parse(read('.cursor/mcp.json'))).toEqual({ mcpServers: { sluice: server } })
  expect(JSON.parse(read('.vscode/mcp.json'))).toEqual({ servers: { sluice: { type: 'stdio', ...server } } })
  expect(read('.codex/config.toml')).toContain('[mcp_servers.sluice]')
  expect(read('CLAUDE.md')).toContain('@AGENTS.md')
  expect(read('.cursor/rules/rest-api-pipeline-workflow.mdc')).toMatch(
    /^---\ndescription: ".+"\nalwaysApply: true\n---\n/,
  )
  expect(read('AGENTS.md')).toContain('.agents/skills/rest-api-pipeline-workflow/SKILL.md')
})

describe('an update', () => {
  const skill = '.claude/skills/find-source/SKILL.md'

  /** As if an older version had been installed, with another text of a file. */
  function installedOlder(change: (text: string) => string): void {
    install(['claude'], ['rest-api-pipeline'])
    const index = readIndex(folder)!
    const older = change(index.files[skill]!.text)
    index.files[skill]!.text = older
    writeIndex(folder, { ...index, version: '0.0.1' })
    write(skill, older)
  }
  const step = () => planInstall(folder, { hosts: [], toolkits: [] }).steps.find((one) => one.path === skill)!
  const newest = () =>
    readToolkits()
      .flatMap(({ skills }) => skills)
      .find(({ name }) => name === 'find-source')!.text

  it('gives the new text where nothing was edited', () => {
    installedOlder((text) => text.replace('Search, offline', 'Search'))
    expect(step().action).toBe('update')
    apply(folder, planInstall(folder, { hosts: [], toolkits: [] }))
    expect(read(skill)).toBe(newest())
  })

  it('merges the new text with edits', () => {
    installedOlder((text) => text.replace('Search, offline', 'Search'))
    write(skill, `${read(skill)}\nOur own last line.\n`)
    expect(step().action).toBe('merge')
    apply(folder, planInstall(folder, { hosts: [], toolkits: [] }))
    expect(read(skill)).toBe(`${newest()}\nOur own last line.\n`)
    expect(step().action).toBe('yours')
  })

  it('keeps the edit where both changed the same line, says so, and takes the new one on demand', () => {
    installedOlder((text) => text.replace('Search, offline', 'Search'))
    write(skill, read(skill).replace('1. Search', '1. Ask us'))
    expect(step()).toMatchObject({ action: 'conflict' })
    apply(folder, planInstall(folder, { hosts: [], toolkits: [] }))
    expect(read(skill)).toContain('1. Ask us')
    // It is not forgotten by the next update.
    expect(step()).toMatchObject({ action: 'conflict' })
    apply(folder, planInstall(folder, { hosts: [], toolkits: [], overwrite: true }))
    expect(read(skill)).toBe(newest())
  })

  it('does not bring back what was deleted, nor touch a file of the user with such a name', () => {
    write('.claude/skills/view-data/SKILL.md', 'mine')
    installedOlder((text) => text)
    const plan = () => planInstall(folder, { hosts: [], toolkits: [] }).steps
    writeFileSync(path(skill), '')
    apply(folder, planInstall(folder, { hosts: [], toolkits: [] }))
    expect(read(skill)).toBe('')
    expect(read('.claude/skills/view-data/SKILL.md')).toBe('mine')
    expect(plan().find((one) => one.path.includes('view-data'))!.action).toBe('kept')
    apply(folder, planUninstall(folder, undefined))
    expect(read('.claude/skills/view-data/SKILL.md')).toBe('mine')
  })

  it('takes out one toolkit, and not what another one needs', () => {
    install(['claude'], ['rest-api-pipeline', 'runtime'])
    apply(folder, planUninstall(folder, 'runtime'))
    expect(existsSync(path('.claude/skills/setup-runtime'))).toBe(false)
    expect(existsSync(path(skill))).toBe(true)
    expect(() => planUninstall(folder, 'runtime')).toThrow('not installed')
  })
})

describe('what is in the way', () => {
  it('is told: broken JSON, TOML with the same table, a server of that name', () => {
    write('.mcp.json', '{ "mcpServers": ')
    expect(() => planInstall(folder, { hosts: ['claude'], toolkits: [] })).toThrow('.mcp.json is not a JSON object')
    write('.mcp.json', '{ "mcpServers": { "sluice": { "command": "mine" } } }')
    const [kept] = planInstall(folder, { hosts: ['claude'], toolkits: [] }).steps.filter(
      ({ path: one }) => one === '.mcp.json',
    )
    expect(kept).toMatchObject({
      action: 'kept',
      detail: 'another entry of that name is there; --overwrite replaces it',
    })
    write('.codex/config.toml', '[mcp_servers.sluice]\ncommand = "mine"\n')
    expect(() => planInstall(folder, { hosts: ['codex'], toolkits: [] })).toThrow('.codex/config.toml has a table')
    write('.vscode/mcp.json', '{ "servers": [] }')
    expect(() => planInstall(folder, { hosts: ['vscode'], toolkits: [] })).toThrow('leads through what is no object')
    expect(readIndex(folder)).toBeUndefined()
  })

  it('a link that leads out of the project is not followed', () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'))
    symlinkSync(outside, path('.claude'))
    expect(() => planInstall(folder, { hosts: ['claude'], toolkits: [] })).toThrow('is not in the project')
    expect(readdirSync(outside)).toEqual([])
  })

  it('CLAUDE.md that is a link to AGENTS.md does not take itself in', () => {
    write('AGENTS.md', '# ours\n')
    symlinkSync('AGENTS.md', path('CLAUDE.md'))
    install(['claude'], [])
    expect(read('AGENTS.md')).not.toContain('@AGENTS.md')
  })
})

it('hosts are told by what runs, then by the project', () => {
  expect(detectHosts(folder, { CLAUDECODE: '1' })).toEqual(['claude'])
  expect(detectHosts(folder, { CODEX_THREAD_ID: 'x' })).toEqual(['codex'])
  mkdirSync(path('.cursor'))
  mkdirSync(path('.vscode'))
  expect(detectHosts(folder, {})).toEqual(['cursor', 'vscode'])
})

it('any JSON object, laid out in any way, is given back as it was', () => {
  const part = { path: ['mcpServers', 'sluice'], value: { command: 'npx', args: ['sluice'] } }
  const item = { path: ['permissions', 'deny'], value: 'Read(x)', isItem: true }
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }).filter((one) => {
    const at = (name: string): unknown => (Object.hasOwn(one, name) ? one[name] : undefined)
    return at('mcpServers') === undefined && at('permissions') === undefined && !Object.hasOwn(one, '__proto__')
  })
  const indent = fc.constantFrom<string | number | undefined>(undefined, 2, 4, '\t')
  const deny = fc.option(fc.array(fc.string(), { maxLength: 3 }), { nil: undefined })
  fc.assert(
    fc.property(object, indent, deny, fc.constantFrom('', '\n', '\r\n'), (given, space, list, end) => {
      const value = list === undefined ? given : { ...given, permissions: { deny: list } }
      const text = JSON.stringify(value, null, space) + end
      const inserted = insertParts('x.json', text, [part, item])
      const after = JSON.parse(inserted.text) as Record<string, never>
      expect(after).toEqual({
        ...(JSON.parse(JSON.stringify(value)) as object),
        mcpServers: { sluice: part.value },
        permissions: { deny: [...(list ?? []), ...((list ?? []).includes('Read(x)') ? [] : ['Read(x)'])] },
      })
      expect(insertParts('x.json', inserted.text, [part, item]).text).toBe(inserted.text)
      expect(undone(inserted.text, inserted.insertions)).toBe(text)
      expect(JSON.parse(removeParts('x.json', inserted.text, [part]))).not.toHaveProperty('mcpServers')
    }),
    { numRuns: 500 },
  )
})
