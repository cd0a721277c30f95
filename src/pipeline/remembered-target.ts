import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipelineDir, pipelinesDir } from '../config/index.ts'
import { removeDrafts, replaceFile } from '../disk/index.ts'
import { failpoint } from '../failpoints/index.ts'

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
  const path = join(dataDir, 'target.json')
  // Other processes read it at any time; parts of a pipeline write it at the same time.
  replaceFile(path, JSON.stringify(target, null, 2))
  removeDrafts(dataDir)
  failpoint('target-remembered')
}
