import { PipelineError } from '../errors/index.ts'
import type { Destination } from './destination.ts'
import type { DestinationSetting, FromSettings } from './settings.ts'

/** The destinations that go by a name; what belongs to one is loaded when it is asked for. */
const known: Record<string, () => Promise<{ fromSettings: FromSettings }>> = {
  duckdb: () => import('./duckdb/from-settings.ts'),
  postgres: () => import('./postgres/from-settings.ts'),
  bigquery: () => import('./bigquery/from-settings.ts'),
  snowflake: () => import('./snowflake/from-settings.ts'),
  redshift: () => import('./redshift/from-settings.ts'),
  databricks: () => import('./databricks/from-settings.ts'),
  filesystem: () => import('./filesystem/from-settings.ts'),
}

export const destinationNames: readonly string[] = Object.keys(known)

/** The destination of a given name; its driver is loaded when it is opened. */
export async function destinationByName(
  name: string,
  setting: DestinationSetting = () => undefined,
): Promise<Destination> {
  const load = Object.hasOwn(known, name) ? known[name] : undefined
  if (load === undefined) {
    const names = destinationNames.join(', ')
    throw new PipelineError(`destination "${name}" is not known; there is: ${names}`, {
      code: 'WRONG_USE',
      fix: `use one of: ${names}`,
    })
  }
  return (await load()).fromSettings(setting)
}
