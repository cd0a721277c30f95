import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

it('ai doctor runs nothing that is in the folder: neither its guard nor its sluice', { tags: ['slow'] }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-doctor-'))
  const ran = join(folder, 'ran')
  const sluice = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') },
    })
  expect(sluice('ai', 'init', '--agent', 'claude').status).toBe(0)
  const guard = join(folder, '.sluice', 'guard.mjs')
  const findings = (): { check: string; ok: boolean; found: string }[] =>
    JSON.parse(sluice('ai', 'doctor', '--json').stdout) as never
  expect(findings().find(({ check }) => check === 'guard of secrets')).toMatchObject({ ok: true })
  const unix = readFileSync(guard, 'utf8')
  writeFileSync(guard, unix.replaceAll('\n', '\r\n'))
  expect(findings().find(({ check }) => check === 'guard of secrets')).toMatchObject({ ok: true })
  writeFileSync(guard, unix)
  const plant = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, 0o755)
  }
  plant(
    guard,
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, 'guard')\n${readFileSync(guard, 'utf8')}`,
  )
  plant(join(folder, 'node_modules', '.bin', 'sluice'), `#!/bin/sh\necho sluice > '${ran}'\n`)
  writeFileSync(join(folder, '.npmrc'), `script-shell=${join(folder, 'node_modules', '.bin', 'sluice')}\n`)
  const [server, guarded] = ['MCP server', 'guard of secrets'].map((name) =>
    findings().find(({ check }) => check === name),
  )
  expect(server).toMatchObject({ ok: false, found: expect.stringContaining('another sluice') as never })
  expect(guarded).toMatchObject({ ok: false, found: expect.stringContaining('was not run') as never })
  expect(existsSync(ran)).toBe(false)
})
