import { PipelineError } from '../errors/index.ts'
import { keyColumns, writeDispositionOptions } from '../schema/index.ts'
import type { Resource } from './resource.ts'
import type { Source } from './source.ts'

/**
 * Refuses a resource that takes its rows for the whole table although a resource above it reads only what is new: the rows of all
 * other parents would be deleted, run after run.
 */
export function requireWholeTables(source: Source): void {
  for (const resource of source.resources) {
    const how = takesAll(resource)
    if (how === undefined || resource.options.selected === false) continue
    const partial = above(source, resource).find((one) => readsNewOnly(one) && takesAll(one) !== 'replace')
    const self = resource.remembers ? resource : undefined
    if (partial === undefined && self === undefined) continue
    const reads =
      partial === undefined
        ? 'it reads only rows'
        : `it reads the rows of "${partial.name}", of which a run reads only those`
    throw new PipelineError(
      `resource "${resource.name}": ${how} would delete rows that did not change: ${reads} that are new`,
      {
        code: 'SOURCE_INVALID',
        resource: resource.name,
        fix: 'merge by a primary key, or by a merge key of the parent: includeFromParent: [id] gives each row the id of its parent',
      },
    )
  }
}

/** The disposition by which rows that are not in this run are deleted or retired. */
function takesAll({ options }: Resource): 'replace' | 'scd2' | undefined {
  const { disposition, strategy } = writeDispositionOptions(options.writeDisposition ?? 'append')
  if (disposition === 'replace') return 'replace'
  return disposition === 'merge' && strategy === 'scd2' && keyColumns(options.mergeKey).length === 0
    ? 'scd2'
    : undefined
}

const readsNewOnly = ({ options, endpoint, remembers }: Resource): boolean =>
  options.incremental !== undefined || endpoint?.cursor !== undefined || remembers

/** All resources whose rows this one is made of. */
function above(source: Source, resource: Resource): Resource[] {
  return resource.needs.map((one) => source.declared(one)).flatMap((one) => [one, ...above(source, one)])
}
