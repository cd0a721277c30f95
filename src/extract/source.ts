import { PipelineError } from '../errors/index.ts'
import type { InferenceOptions, SchemaContract } from '../schema/index.ts'
import type { ReadLimit, Resource } from './resource.ts'

export interface SourceOptions extends InferenceOptions {
  /** dlt's section for configuration. @default the source's name */
  section?: string
  maxTableNesting?: number
  /** Columns that a table may get, and nested tables: more of them are data used as keys. @default 5000 */
  maxTableColumns?: number
  rootKey?: boolean
  schemaContract?: SchemaContract
}

/** Resources that belong together: one schema, one place in the configuration. */
export class Source {
  readonly name: string
  readonly resources: readonly Resource[]
  readonly options: SourceOptions

  constructor(name: string, resources: readonly Resource[], options: SourceOptions = {}) {
    this.name = name
    this.resources = resources
    this.options = options
  }

  /** The same source with only these resources selected; the others are read where a selected one needs them. */
  withResources(...names: string[]): Source {
    const known = this.resources.map((one) => one.name)
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) {
      throw new PipelineError(`source "${this.name}" has no resource "${unknown}"; it has: ${known.join(', ')}`, {
        code: 'WRONG_USE',
        fix: `choose from: ${known.join(', ')}`,
      })
    }
    const resources = this.resources.map((one) => one.with({ selected: names.includes(one.name) }))
    return new Source(this.name, resources, this.options)
  }

  /** The same source with more resources. */
  adding(...resources: readonly Resource[]): Source {
    return new Source(this.name, [...this.resources, ...resources], this.options)
  }

  /** Every root resource limited: see `Resource.limit`. */
  limit(limit: number | ReadLimit): Source {
    const resources = this.resources.map((one) => (one.upstream === undefined ? one.limit(limit) : one))
    return new Source(this.name, resources, this.options)
  }

  /** The source's own version of a resource that another one is made from, with the options that the source gives it. */
  declared(resource: Resource): Resource {
    return this.resources.find((one) => one.name === resource.name) ?? resource
  }

  /** The resource at the root of a resource's tree. */
  rootOf(resource: Resource): Resource {
    return resource.upstream === undefined ? resource : this.rootOf(this.declared(resource.upstream))
  }

  /** The names of the resources that a run loads. */
  get selected(): string[] {
    return this.resources.filter((one) => one.options.selected !== false).map((one) => one.name)
  }
}

/** Groups resources under one name. */
export const source = (name: string, resources: readonly Resource[], options: SourceOptions = {}): Source =>
  new Source(name, resources, options)
