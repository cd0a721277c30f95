import { lstatSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startDashboard } from '../../src/dashboard/server.ts'
import { sluice } from '../support/command-line.ts'

/** Folders and files that others on the machine could open. */
function openTo(folder: string): string[] {
  const below = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return [folder, ...below].filter((path) => (lstatSync(path).mode & 0o077) !== 0)
}

const source = `name: shop
client: { base_url: "http://127.0.0.1:9" }
resources:
  - name: items
    endpoint: { path: items, paginator: single_page }
`

// A folder that is closed closes what is in it, so what matters is the first command on a machine.
it.each([
  ['doctor'],
  ['doctor', '--destination', 'duckdb'],
  ['pipeline', '--list'],
  ['schedule', 'list'],
  ['secrets', 'check', 'shop.source.yaml'],
  ['run', 'shop.source.yaml', '--destination', 'duckdb'],
])('working data is private when %s %s %s is the first command', async (...args: string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-private-'))
  writeFileSync(join(folder, 'shop.source.yaml'), source)
  // The parent is open, as ~/.local/share is.
  mkdirSync(join(folder, 'share'), { mode: 0o755 })
  const data = join(folder, 'share', 'data')
  const before = process.umask(0o022)
  onTestFinished(() => void process.umask(before))
  await sluice(folder, args, { SLUICE_DATA_DIR: data })
  const isThere = readdirSync(join(folder, 'share')).includes('data')
  if (isThere) expect(lstatSync(data).mode & 0o777).toBe(0o700)
})

it('says that working data of an earlier version is open', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-private-'))
  mkdirSync(join(folder, 'data', 'pipelines'), { recursive: true, mode: 0o755 })
  const { out } = await sluice(folder, ['doctor'])
  expect(out.replace(/\s+/g, ' ')).toContain(`chmod 700 ${join(folder, 'data')}`)
})

it('files of the dashboard are private too', async () => {
  const data = join(mkdtempSync(join(tmpdir(), 'sluice-private-')), 'data')
  process.env.SLUICE_DATA_DIR = data
  const dashboard = await startDashboard({ port: 0 })
  onTestFinished(() => dashboard.close())
  expect(openTo(data)).toEqual([])
})
