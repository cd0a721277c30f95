import type { Config, ConfigPlace } from '../../config/index.ts'
import { Settings } from './auth/index.ts'

const byRun = new WeakMap<Config, Map<string, Settings>>()

/**
 * What a source looks up in a run: one object for its clients and for the lists that are declared outside of its spec, so that
 * everything that becomes part of a request counts as looked up by the source.
 */
export function settingsOf(config: Config, place: ConfigPlace): Settings {
  let ofRun = byRun.get(config)
  if (ofRun === undefined) byRun.set(config, (ofRun = new Map()))
  const key = JSON.stringify([place.root, place.section, place.name])
  let settings = ofRun.get(key)
  if (settings === undefined) ofRun.set(key, (settings = new Settings(config, place)))
  return settings
}
