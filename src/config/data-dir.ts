import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { PipelineError } from '../errors/index.ts'

/**
 * The folder of all working data: `SLUICE_DATA_DIR`, or the XDG data folder. An empty variable counts as unset. The guard of
 * secrets (`toolkits/guard/places.mjs`) follows the same rules.
 */
export function dataDir(): string {
  const { SLUICE_DATA_DIR: moved, XDG_DATA_HOME: base } = process.env
  if (moved !== undefined && moved !== '') return resolve(moved)
  return resolve(base === undefined || base === '' ? join(homedir(), '.local', 'share') : base, 'sluice')
}

export const pipelinesDir = (): string => join(dataDir(), 'pipelines')

/** The working folder of one pipeline. Names become folder names, so they are checked. */
export function pipelineDir(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name) || name.endsWith('.')) {
    throw new PipelineError(`"${name.slice(0, 100)}" cannot be the name of a pipeline`, {
      code: 'WRONG_USE',
      fix: 'use letters, digits, _ - and . (at most 100 characters)',
    })
  }
  return join(pipelinesDir(), name)
}
