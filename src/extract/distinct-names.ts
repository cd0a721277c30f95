import { PipelineError } from '../errors/index.ts'
import type { Resource } from './resource.ts'
import type { Source } from './source.ts'

/** Refuses two selected resources of one name that read different data: only one of them would be read. */
export function requireDistinctNames(source: Source): void {
  const known = new Map<string, Resource>()
  for (const resource of source.resources) {
    if (resource.options.selected === false) continue
    const first = known.get(resource.name)
    if (first !== undefined && !first.readsLike(resource))
      throw new PipelineError(`source "${source.name}" has two resources named "${resource.name}"`, {
        code: 'SOURCE_INVALID',
        resource: resource.name,
        fix: 'give each resource its own name, or run each in its own source: inboxes as inboxSource(name)',
      })
    known.set(resource.name, resource)
  }
}
