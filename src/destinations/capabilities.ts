import type { MergeStrategy } from '../schema/index.ts'
import type { NamingName } from '../schema/index.ts'

/** What a destination can do, as data that the steps read instead of asking for names. */
export interface Capabilities {
  identifiers: {
    maxLength: number
    naming: NamingName
  }
  ddl: {
    /** Tables can be created and changed inside the load's transaction. */
    transactional: boolean
  }
  load: {
    mergeStrategies: readonly MergeStrategy[]
  }
}
