import type { Resource, Source } from '../extract/index.ts'
import type { PackageGroup } from '../package/index.ts'

/** A root table, and the resources that write to it. */
export interface OwnedTable {
  table: string
  resources: readonly string[]
}

/**
 * Which resources of a source go together. One cannot be loaded without another where its rows are made from the other's
 * (a transformer and its parent, a resource and those it is read alongside), or where both write to one table: read again
 * alone, it would lack what the other has passed already.
 */
export function packageGroups(source: Source, tables: readonly OwnedTable[]): PackageGroup[] {
  const groups = new Map<string, { resources: Set<string>; tables: Set<string> }>()
  const join = (resources: readonly string[], own: readonly string[] = []): void => {
    const joined = { resources: new Set(resources), tables: new Set(own) }
    for (const resource of resources) {
      const known = groups.get(resource)
      for (const one of known?.resources ?? []) joined.resources.add(one)
      for (const one of known?.tables ?? []) joined.tables.add(one)
    }
    for (const resource of joined.resources) groups.set(resource, joined)
  }
  const visit = (resource: Resource): void => {
    join([resource.name, ...resource.needs.map(({ name }) => name)])
    for (const one of resource.needs) visit(one)
  }
  for (const resource of source.resources) visit(resource)
  for (const { table, resources } of tables) if (resources.length > 0) join(resources, [table])
  return [...new Set(groups.values())].map(({ resources, tables }) => ({
    resources: [...resources],
    tables: [...tables],
  }))
}
