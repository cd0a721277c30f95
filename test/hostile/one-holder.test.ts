import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { pipeline, resource } from '../../src/index.ts'
import { PackageStore } from '../../src/package/index.ts'
import { destinationOf } from '../crash/loader.ts'
import { freshPipeline } from '../support/api.ts'
import { engineNames } from '../support/destinations.ts'
import { effort } from '../support/effort.ts'
import { running } from '../support/running.ts'
import { seed } from '../support/seed.ts'
import type { RunsAtOnce } from './runs-at-once.ts'

const script = fileURLToPath(new URL('runs-at-once.ts', import.meta.url))

describe('processes that run one pipeline at once load each row once', () => {
  const engines = engineNames as RunsAtOnce['destination'][]
  it.each(engines)('into %s', { tags: ['slow'] }, async (destination) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-at-once-'))
    const place =
      destination === 'postgres'
        ? await running('postgres')
        : join(folder, destination === 'duckdb' ? 'test.duckdb' : 'lake')
    const dataset = `at_once_${process.pid}_${destination}`
    const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data') }
    const processes = Array.from({ length: 3 }, async (_, at) => {
      const runs: RunsAtOnce = {
        destination,
        place,
        dataset,
        runs: effort(4, 40),
        rows: 120,
        seed: seed + at,
        first: at * 1e6,
      }
      const child = spawn(process.execPath, [script, JSON.stringify(runs)], { env })
      onTestFinished(() => void child.kill('SIGKILL'))
      let [output, errors] = ['', '']
      child.stdout.on('data', (text) => (output += text))
      child.stderr.on('data', (text) => (errors += text))
      const [code] = (await once(child, 'close')) as [number]
      expect(code, errors).toBe(0)
      return output.trim().split('\n')
    })
    const reported = (await Promise.all(processes)).flat()
    process.env.SLUICE_DATA_DIR = env.SLUICE_DATA_DIR
    const target = pipeline({ name: 'at_once', dataset, destination: destinationOf({ destination, place }) })
    const ids = (await target.dataset().table('t').select('id').toArray()).map(({ id }) => Number(id))
    const loaded = new Set(ids)
    expect(loaded.size).toBe(ids.length)
    const missing = reported.flatMap((line) => {
      const [first = 0, count] = line.split(' ').map(Number)
      return Array.from({ length: count! }, (_, at) => first + at).filter((id) => !loaded.has(id))
    })
    expect(missing).toEqual([])
    expect(readdirSync(join(target.dataDir, 'packages', 'building'))).toEqual([])
  })
})

describe('a load package', () => {
  it.each([
    ['got rows of another run', (path: string) => appendFileSync(path, '1,"x","y"\n')],
    ['was deleted', (path: string) => rmSync(path)],
  ])('of this run whose file %s is set aside by name, not loaded', async (_, damage) => {
    const target = freshPipeline()
    const ended = target.on((event) => {
      if (event.type !== 'package-sealed') return
      const folder = join(target.dataDir, 'packages', 'sealed', event.loadId)
      damage(
        join(
          folder,
          readdirSync(folder).find((name) => name.endsWith('.csv'))!,
        ),
      )
    })
    await expect(target.run([{ id: 1 }], { tableName: 't' })).rejects.toMatchObject({
      info: { refusedPackages: [{ refusals: [{ code: 'PACKAGE_DAMAGED' }] }] },
    })
    ended()
    await target.run([{ id: 2 }], { tableName: 't' })
    expect((await target.dataset().table('t').toArray()).map(({ id }) => id)).toEqual([2])
  })

  it('whose file is deleted while it is written ends the run: the file is not begun again', async () => {
    const target = freshPipeline()
    const building = join(target.dataDir, 'packages', 'building')
    const rows = resource('t', function* () {
      for (let page = 0; page < 4; page++) {
        yield Array.from({ length: 20_000 }, (_, at) => ({ id: page * 20_000 + at }))
        if (page === 1) for (const run of readdirSync(building)) rmSync(join(building, run, '1.csv'))
      }
    })
    await expect(target.run(rows)).rejects.toThrow('ENOENT')
    expect(readdirSync(building)).toEqual([])
  })

  it('is built in a folder of its own: two stores of one pipeline never write to one file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-building-'))
    const [one, other] = [new PackageStore(folder), new PackageStore(folder)]
    using _one = one.reset()
    using _other = other.reset()
    const paths = [one, other].flatMap((store) => Array.from({ length: 5 }, () => store.nextFilePath()))
    expect(new Set(paths).size).toBe(paths.length)
  })
})

it('a pipeline that runs cannot be dropped: its working data, lock included, stay', async () => {
  const target = freshPipeline()
  const rows = resource('t', function* () {
    expect(() => target.drop()).toThrow(expect.objectContaining({ code: 'PIPELINE_BUSY' }))
    yield [{ id: 1 }]
  })
  await target.run(rows)
  target.drop()
  expect(readdirSync(join(target.dataDir, '..'))).toEqual([])
})
