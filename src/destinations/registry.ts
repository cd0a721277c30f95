import { PipelineError } from '../errors/index.ts'
import type { Destination } from './destination.ts'
import type { DestinationSetting, FromSettings, SettingNeed } from './settings.ts'

interface DestinationSettings {
  fromSettings: FromSettings
  needs: readonly SettingNeed[]
  /** Packages that a project installs beside this one. */
  drivers: readonly string[]
}

/** The destinations that go by a name; what belongs to one is loaded when it is asked for. */
const known: Record<string, () => Promise<DestinationSettings>> = {
  duckdb: () => import('./duckdb/from-settings.ts'),
  postgres: () => import('./postgres/from-settings.ts'),
  bigquery: () => import('./bigquery/from-settings.ts'),
  snowflake: () => import('./snowflake/from-settings.ts'),
  redshift: () => import('./redshift/from-settings.ts'),
  databricks: () => import('./databricks/from-settings.ts'),
  filesystem: () => import('./filesystem/from-settings.ts'),
}

export const destinationNames: readonly string[] = Object.keys(known)

/** What a project has to set and to install before a destination can be reached by its name. */
export async function projectNeeds(name: string): Promise<Pick<DestinationSettings, 'needs' | 'drivers'>> {
  return Object.hasOwn(known, name) ? known[name]!() : { needs: [], drivers: [] }
}

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
