import { PipelineError } from '../errors/index.ts'
import type { Resource, Source } from '../extract/index.ts'
import type { Refusal } from '../package/index.ts'
import type { FailedResource, RefusedPackage } from './load-info.ts'

/** Refused resources of a run, by their effect on it. */
export interface RefusedResources {
  /** Roots with `onError: 'continue'`: reported like resources that failed while they were read. */
  failed: FailedResource[]
  /** The other refusals, which end the run with an error. */
  fatal: RefusedPackage[]
}

/** Resources that are refused together may fail only if the roots of all of them may. */
export function byOnError(source: Source, refused: readonly RefusedPackage[]): RefusedResources {
  const rootByName = rootsByName(source)
  const failed = new Map<string, FailedResource>()
  const mayFail = ({ resources, resource, code, message, fix }: Refusal): boolean => {
    const roots = new Set(resources.map((name) => rootByName.get(name)))
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

/** By the name of a resource the root of its tree, whose `onError` counts. */
function rootsByName(source: Source): Map<string, Resource> {
  const roots = new Map<string, Resource>()
  const visit = (resource: Resource): void => {
    if (roots.has(resource.name)) return
    roots.set(resource.name, source.rootOf(resource))
    for (const one of resource.needs) visit(source.declared(one))
  }
  for (const resource of source.resources) visit(resource)
  return roots
}
