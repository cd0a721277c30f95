import { PipelineError } from '../errors/index.ts'
import type { Resource, Source } from '../extract/index.ts'
import type { Refusal } from '../package/index.ts'
import type { FailedResource, RefusedPackage } from './load-info.ts'

/** What refused resources mean for their run. */
export interface RefusedResources {
  /** They may fail (`onError: 'continue'`), as if they had failed while they were read. */
  failed: FailedResource[]
  /** The other refusals, which end the run with an error. */
  fatal: RefusedPackage[]
}

/** Resources that are refused together may fail when the roots of all of them may. */
export function byOnError(source: Source, refused: readonly RefusedPackage[]): RefusedResources {
  const rootOf = rootsOf(source)
  const failed = new Map<string, FailedResource>()
  const mayFail = ({ resources, resource, code, message, fix }: Refusal): boolean => {
    const roots = new Set(resources.map(rootOf))
    if (roots.size === 0 || [...roots].some((root) => root?.options.onError !== 'continue')) return false
    const error = new PipelineError(message, {
      code,
      recovery: 'skip',
      fix,
      ...(resource === undefined ? {} : { resource }),
    })
    for (const root of roots) if (!failed.has(root!.name)) failed.set(root!.name, { resource: root!.name, error })
    return true
  }
  const fatal = refused
    .map((one) => ({ ...one, refusals: one.refusals.filter((refusal) => !mayFail(refusal)) }))
    .filter(({ refusals }) => refusals.length > 0)
  return { failed: [...failed.values()], fatal }
}

/** Finds the resource whose `onError` counts for the one of a name: the first of those that it is made from. */
function rootsOf(source: Source): (name: string) => Resource | undefined {
  const known = new Map<string, Resource>()
  const learn = (resource: Resource): void => {
    if (known.has(resource.name)) return
    known.set(resource.name, resource)
    if (resource.upstream !== undefined) learn(resource.upstream)
    for (const other of resource.alongside) learn(other.resource)
  }
  for (const resource of source.resources) learn(resource)
  return (name) => {
    let one = known.get(name)
    while (one?.upstream !== undefined) one = one.upstream
    return one
  }
}
