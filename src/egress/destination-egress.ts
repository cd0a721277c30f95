import { createHash } from 'node:crypto'
import type { FoundValue } from '../config/index.ts'
import { PipelineError } from '../errors/index.ts'
import { permitsSettings } from './allow-list.ts'
import { isForAssistant } from './for-assistant.ts'

/** What a destination was made of: settings by their key below `[destination.<name>]`. */
export type DestinationSettings = ReadonlyMap<string, FoundValue>

/** Settings that say how rows are written, and nothing about where. */
const harmless = new Set([
  'naming',
  'schema.naming',
  'max_identifier_length',
  'replace_strategy',
  'format',
  'compression',
  'layout',
])

/** The settings of a connection that come from somebody else than its credentials do. */
export interface ForeignSettings {
  keys: string[]
  /** Of keys and values: a list that a person allowed holds for these and no others. */
  fingerprint: string
}

/**
 * Settings of a connection that a stranger may have written: for an assistant those of a `config.toml`, else those of the project
 * where credentials come from the home folder. Credentials are sent only where whoever wrote them also wrote the rest.
 */
export function foreignSettings(
  name: string,
  settings: DestinationSettings,
  forAssistant: boolean,
): ForeignSettings | undefined {
  const connection = [...settings].filter(([key]) => !harmless.has(key))
  if (connection.every(([, { value }]) => isLocal(name, value))) return undefined
  const fromHome = connection.some(([, { origin, isKept }]) => origin === 'home' && isKept)
  const foreign = connection.filter(
    ([, { origin, isKept }]) => (forAssistant && !isKept) || (fromHome && origin === 'project'),
  )
  if (foreign.length === 0) return undefined
  const pairs = foreign.map(([key, { value }]) => [key, String(value)]).sort(([a], [b]) => (a! < b! ? -1 : 1))
  return {
    keys: pairs.map(([key]) => key!),
    fingerprint: createHash('sha256').update(JSON.stringify(pairs)).digest('hex'),
  }
}

/** Throws `HOST_NOT_ALLOWED` where credentials would go to an address that somebody else wrote and nobody allowed. */
export function checkDestinationEgress(name: string, settings: DestinationSettings, projectDir = process.cwd()): void {
  const foreign = foreignSettings(name, settings, isForAssistant())
  const entry = `destination.${name}`
  if (foreign === undefined || permitsSettings(projectDir, entry, foreign.fingerprint)) return
  const keys = foreign.keys.join(', ')
  throw new PipelineError(
    `destination "${name}": ${keys} and the credentials come from different files, and no person has allowed this address`,
    {
      code: 'HOST_NOT_ALLOWED',
      fix: `to allow it, a person runs: sluice secrets allow ${entry}; or puts the settings next to the credentials`,
    },
  )
}

/** A path on this machine, for destinations that are files. */
function isLocal(name: string, value: unknown): boolean {
  if (name !== 'duckdb' && name !== 'filesystem') return false
  const path = String(value).replace(/^(duckdb|file):(\/\/)?/i, '')
  return !/^[a-z][a-z\d+.-]+:/i.test(path) && !path.startsWith('\\\\')
}
