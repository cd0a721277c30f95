import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { mostBytes, PipelineError, readBounded } from '../index.ts'

/** A path of the project, absolute and without links. Throws for one that leads out of it, and for files of secrets. */
export function insideProject(projectDir: string, path: string): string {
  const project = realpathSync(projectDir)
  const real = withoutLinks(resolve(project, path))
  const below = relative(project, real)
  if (below === '..' || below.startsWith(`..${sep}`)) {
    throw new PipelineError(`${path} is not in the project`, {
      code: 'WRONG_USE',
      fix: `give a path below ${project}`,
    })
  }
  if (/(^|\.)secrets\.toml$/i.test(basename(real))) {
    throw new PipelineError(`${path} holds secrets, and is not for assistants`, {
      code: 'WRONG_USE',
      fix: 'ask which secrets are set: sluice secrets list',
    })
  }
  return real
}

/** Links are followed as far as the path exists. */
function withoutLinks(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const above = dirname(path)
  return above === path ? path : join(withoutLinks(above), basename(path))
}

/** The text of a file of the project; `undefined` when there is none. */
export function readProjectFile(projectDir: string, path: string): string | undefined {
  const file = insideProject(projectDir, path)
  return existsSync(file) ? readBounded(file, mostBytes.json) : undefined
}
