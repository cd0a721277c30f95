/** @module-tag slow */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { rows, targetIn } from './refused-load.ts'

const script = fileURLToPath(new URL('refused-load.ts', import.meta.url))

function load(folder: string, env: Record<string, string>): NodeJS.Signals | null {
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const { signal, status, stderr } = spawnSync(process.execPath, [script, join(folder, 'shop.duckdb'), 'discards'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  if (signal === null) expect(status, stderr).toBe(0)
  return signal
}

/** The steps from the refusal on, where a run that has refused packages can be killed. */
const steps = [
  'package-split:1',
  'load-committed:8',
  'refusal-noted:1',
  'package-set-aside:1',
  'package-split:2',
  'package-set-aside:2',
  'failed-moved-out:1',
]

it(
  'ends exactly right when a run with refused packages is killed at any of its steps',
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-refused-'))
    const log = join(folder, 'passed')
    expect(load(folder, { SLUICE_FAILPOINT_LOG: log })).toBe(null)
    const passed = readFileSync(log, 'utf8').split('\n')
    for (const step of steps) {
      const [name, pass] = step.split(':')
      expect(passed.filter((one) => one === name).length, `passes of ${name}`).toBeGreaterThanOrEqual(Number(pass))
    }
    for (const step of steps) {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-refused-'))
      expect(load(folder, { SLUICE_FAILPOINT: step }), step).toBe('SIGKILL')
      const target = targetIn(join(folder, 'shop.duckdb'), { now: undefined })
      for (let run = 0; run < 2; run++) {
        await target.run(rows(6))
        for (const table of ['a', 'b', 'c']) {
          const found = await target.dataset().table<{ id: number }>(table).orderBy('id').toArray()
          expect(
            found.map(({ id }) => id),
            `${table}, killed at ${step}`,
          ).toEqual([1, 2, 3, 4, 5, 6])
        }
      }
      expect(target.pendingPackages(), step).toEqual([])
      for (const { manifest } of target.failedPackages()) target.discardFailedPackage(manifest.loadId)
      const packages = join(target.dataDir, 'packages')
      for (const left of ['building', 'sealed', 'failed']) expect(readdirSync(join(packages, left)), step).toEqual([])
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
