/** @module-tag slow */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { someOf } from '../support/effort.ts'
import { complete } from './crash-source.ts'

const script = fileURLToPath(new URL('disk-full-load.ts', import.meta.url))

/** Runs a command with a small disk mounted at `disk`, which nobody else sees and which ends with the command. */
function withDisk(disk: string, megabytes: number, command: string[]): ReturnType<typeof spawnSync> {
  const mount = `mount -t tmpfs -o size=${megabytes}m,mode=755 tmpfs "$0" && exec "$@"`
  return spawnSync('unshare', ['--mount', 'sh', '-c', mount, disk, ...command], { encoding: 'utf8' })
}

function newDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  // PostgreSQL runs as another user.
  chmodSync(folder, 0o755)
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  return disk
}

// Only root may mount, and only Linux has it; there is no other way to a disk that is really full.
const canMount = process.platform === 'linux' && withDisk(newDisk(), 1, ['true']).status === 0

const cases = someOf(
  [
    ['duckdb', 'destination', 24],
    ['duckdb', 'packages', 8],
    ['filesystem', 'destination', 8],
    ['postgres', 'destination', 220],
  ] as const,
  2,
)

describe.runIf(canMount).each(cases.filter(([name]) => destinationNames.includes(name)))(
  '%s, with the %s on a disk that is full',
  (name, place, megabytes) => {
    it('ends exactly right when there is room again', { timeout: 240_000 }, () => {
      const disk = newDisk()
      const { stdout, stderr } = withDisk(disk, megabytes, [process.execPath, script, disk, name, place])
      expect(stderr).toBe('')
      const results = JSON.parse(String(stdout)) as {
        free: number
        error?: string
        contents: unknown
        again: unknown
      }[]
      expect(results.filter(({ error }) => error !== undefined).length, 'loads that met the full disk').toBeGreaterThan(
        2,
      )
      // A server that meets its full disk may also end connections, and says no more than that.
      const told = results.filter(({ error }) => error?.startsWith('make room on the disk') === true)
      expect(told.length, JSON.stringify(results.map(({ error }) => error))).toBeGreaterThan(2)
      for (const { free, error, contents, again } of results) {
        const where = `${free} KiB free, ${error ?? 'no error'}`
        expect(contents, where).toEqual(complete)
        expect(again, where).toEqual({})
        expect(error ?? '', where).not.toMatch(/^not a PipelineError/)
      }
    })
  },
)

it.runIf(canMount)('the disks of these tests are gone with them', () => {
  expect(execFileSync('mount', { encoding: 'utf8' })).not.toContain('sluice-disk-')
})
