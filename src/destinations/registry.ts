import { PipelineError } from '../errors/index.ts'
import type { Destination } from './destination.ts'
import type { DestinationSetting, FromSettings } from './settings.ts'

/** The destinations that go by a name; what belongs to one is loaded when it is asked for. */
const known: Record<string, () => Promise<{ fromSettings: FromSettings }>> = {
  postgres: () => import('./postgres/from-settings.ts'),
  redshift: () => import('./redshift/from-settings.ts'),
  snowflake: () => import('./snowflake/from-settings.ts'),
  bigquery: () => import('./bigquery/from-settings.ts'),
  databricks: () => import('./databricks/from-settings.ts'),
  filesystem: () => import('./filesystem/from-settings.ts'),
  duckdb: () => import('./duckdb/from-settings.ts'),
}

/** The destination of a given name; its driver is loaded when it is opened. */
export async function destinationByName(
  name: string,
  setting: DestinationSetting = () => undefined,
): Promise<Destination> {
  const load = Object.hasOwn(known, name) ? known[name] : undefined
  if (load === undefined) {
    const names = Object.keys(known).join(', ')
    throw new PipelineError(`destination "${name}" is not known; there is: ${names}`, {
      code: 'WRONG_USE',
      fix: `use one of: ${names}`,
    })
  }
  return (await load()).fromSettings(setting)
}
