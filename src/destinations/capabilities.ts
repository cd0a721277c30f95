import type { MergeStrategy } from '../schema/index.ts'
import type { CustomNaming, NamingName, ReservedNames, StorageLimits } from '../schema/index.ts'

/**
 * `truncate-and-insert` empties the table and fills it; `insert-from-staging` loads beside it first, so that the table is
 * locked only for the copy; `staging-optimized` loads beside it and exchanges the two.
 */
export type ReplaceStrategy = 'truncate-and-insert' | 'insert-from-staging' | 'staging-optimized'
export const replaceStrategies: readonly ReplaceStrategy[] = [
  'truncate-and-insert',
  'insert-from-staging',
  'staging-optimized',
]

/** What a destination can do, as data that the steps read instead of asking for names. */
export interface Capabilities {
  identifiers: {
    maxLength: number
    naming: NamingName | CustomNaming
    /** What the database keeps for itself, quoted or not; an x is added behind such names, and before such beginnings. */
    reserved?: ReservedNames
  }
  ddl: {
    /** Columns a table may have, where there is a limit. */
    maxColumns?: number
  }
  text: {
    /** The character NUL can be stored. Where it cannot, it is replaced and the run tells. */
    takesNul: boolean
  }
  /** What rows must fit into; refused before they are packaged. @default no limits that rows can meet */
  storage?: StorageLimits
  load: {
    mergeStrategies: readonly MergeStrategy[]
    /** How `replace` fills a table; in each of them readers see the old rows until the new ones are complete. */
    replaceStrategy: ReplaceStrategy
    /**
     * Another process does the work of a load, so that it gains by beginning while rows are still read; see `EarlyLoad`.
     */
    early: boolean
    /** Tables that are staged at the same time, where each waits for a job of a far service. @default 1 */
    stagedAtOnce?: number
  }
}

/** What every destination can be told about names. */
export interface NameOptions {
  maxIdentifierLength?: number
  namingConvention?: NamingName | CustomNaming
}

export interface CapabilityOptions extends NameOptions {
  /** @default 'truncate-and-insert' */
  replaceStrategy?: ReplaceStrategy
}

/** A destination's capabilities, as far as its options do not say otherwise. */
export const withOptions = (
  { identifiers, load, ...rest }: Capabilities,
  options: CapabilityOptions,
): Capabilities => ({
  ...rest,
  identifiers: {
    ...identifiers,
    maxLength: options.maxIdentifierLength ?? identifiers.maxLength,
    naming: options.namingConvention ?? identifiers.naming,
  },
  load: { ...load, replaceStrategy: options.replaceStrategy ?? load.replaceStrategy },
})
