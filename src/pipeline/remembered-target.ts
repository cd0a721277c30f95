import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipelineDir, pipelinesDir } from '../config/index.ts'
import { failpoint } from '../failpoints/index.ts'
import { removeOrphans } from '../locks/index.ts'

/** Where a pipeline last loaded to. */
export interface RememberedTarget {
  destination: string
  dataset: string
  location: string
}

/** What a pipeline's working data say; `undefined` before its first run. */
export function rememberedTarget(pipelineName: string): RememberedTarget | undefined {
  const path = join(pipelineDir(pipelineName), 'target.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RememberedTarget) : undefined
}

/** All pipelines that have run on this machine, with where they load to. */
export function listPipelines(): ({ name: string } & RememberedTarget)[] {
  const folder = pipelinesDir()
  const names = existsSync(folder) ? readdirSync(folder).sort() : []
  return names.flatMap((name) => {
    const target = rememberedTarget(name)
    return target === undefined ? [] : [{ name, ...target }]
  })
}

/** Keeps where a pipeline loads to, so that its name alone finds the data again. */
export function rememberTarget(dataDir: string, target: RememberedTarget): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, 'target.json')
  // By rename, because other processes read it at any time; parts of a pipeline write it at the same time.
  const draft = `${path}.${process.pid}`
  removeOrphans(dataDir, /^target\.json\.(\d+)$/)
  writeFileSync(draft, JSON.stringify(target, null, 2))
  renameSync(draft, path)
  failpoint('target-remembered')
}
