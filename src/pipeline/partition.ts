import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { PipelineError } from '../errors/index.ts'
import type { Source } from '../extract/index.ts'
import { dispositionOf } from '../normalize/index.ts'

/** Which load of which part of a pipeline's data. */
export interface PartitionLoad {
  name: string
  /** Loaded once for each value. @default '' */
  run?: string
}

export function partitionLoad(given: string | PartitionLoad): Required<PartitionLoad> {
  const { name, run = '' } = typeof given === 'string' ? { name: given } : given
  if (name.trim() !== '') return { name, run }
  throw new PipelineError('partition: a part needs a name', {
    code: 'WRONG_USE',
    fix: "name it by what it holds: partition: '2025-01-31'",
  })
}

/** Packages and lock of a part on this machine; names may hold anything. */
export const partitionFolder = (dataDir: string, { name }: PartitionLoad): string =>
  join(dataDir, 'partitions', createHash('sha256').update(name).digest('hex').slice(0, 32))

/** Refuses what parts cannot do. */
export function checkPartition(sources: readonly Source[]): void {
  const wrong = (message: string, fix: string): PipelineError =>
    new PipelineError(`partition: ${message}`, { code: 'WRONG_USE', fix })
  if (sources.length !== 1) throw wrong('a part is loaded from one source', 'run each source by itself')
  const replacing = sources[0]!.resources.find(
    ({ options }) => options.selected !== false && dispositionOf(options).disposition === 'replace',
  )
  if (replacing === undefined) return
  throw wrong(
    `resource "${replacing.name}" replaces its table, and each part would take away what the others have loaded`,
    'let it append or merge, or run it without parts',
  )
}
