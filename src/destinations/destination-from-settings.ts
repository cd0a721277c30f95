import { Config, config as configReference, type FoundValue } from '../config/index.ts'
import type { Destination } from './destination.ts'
import { destinationByName } from './registry.ts'

/** A destination by its name, with the settings that it was made of. */
export interface ConfiguredDestination {
  destination: Destination
  /** By their keys below `[destination.<name>]`. */
  settings: ReadonlyMap<string, FoundValue>
}

/** Makes a destination of its settings; `location` is where data is when nothing else says so. */
export async function destinationFromSettings(
  name: string,
  config: Config,
  location?: string,
): Promise<ConfiguredDestination> {
  const settings = new Map<string, FoundValue>()
  const destination = await destinationByName(name, (key) => {
    if (key === 'location') return location
    const isNaming = key === 'schema.naming'
    const found = isNaming
      ? config.lookUp(configReference('naming'), { root: 'schema' })
      : config.lookUp(configReference(key), { root: 'destination', name })
    // A table of credentials is read key by key.
    if (found === undefined || typeof found.value === 'object') return undefined
    settings.set(key, found)
    return String(found.value)
  })
  return { destination, settings }
}

/** What a destination of a project is made of, outside of any pipeline. */
export const destinationSettings = async (
  name: string,
  projectDir: string,
): Promise<ConfiguredDestination['settings']> =>
  (await destinationFromSettings(name, new Config({ projectDir }))).settings
