import { PipelineError } from '../errors/index.ts'
import { namingNames, wrongValue, type NamingName } from '../schema/index.ts'
import { replaceStrategies, type ReplaceStrategy } from './capabilities.ts'
import type { Destination } from './destination.ts'
import type { StagingOptions } from './staging/staging-area.ts'
import { credentialsFrom } from './stores/credentials-from.ts'

/**
 * Reads `[destination.<name>]`: `credentials`, or `credentials.region_name` of a table. `location` is where the pipeline
 * loaded to the last time, for one that is only known by its name.
 */
export type DestinationSetting = (key: string) => string | undefined

/** Makes a destination of its settings. */
export type FromSettings = (setting: DestinationSetting) => Destination

/** A setting without which a destination cannot be reached, and which nothing else can know. */
export interface SettingNeed {
  /** Below `[destination.<name>]`. */
  key: string
  /** What belongs there, in a few plain words. */
  hint: string
  /** The folder that a new project begins with; such a setting is no secret. */
  initial?: string
}

/** The settings below `credentials`. */
export const credentialOf =
  (setting: DestinationSetting): DestinationSetting =>
  (key) =>
    setting(`credentials.${key}`)

/** What every destination can be told about names. */
export function names(setting: DestinationSetting): { maxIdentifierLength?: number; namingConvention?: NamingName } {
  const length = setting('max_identifier_length')
  return defined({
    maxIdentifierLength: length === undefined ? undefined : Number(length),
    namingConvention: chosen(setting, 'schema.naming', namingNames),
  })
}

export const replacing = (setting: DestinationSetting): { replaceStrategy?: ReplaceStrategy } =>
  defined({ replaceStrategy: chosen(setting, 'replace_strategy', replaceStrategies) })

/** The bucket through which rows go, where one is set. */
export function stagingFrom(setting: DestinationSetting): { staging?: StagingOptions } {
  const bucketUrl = setting('staging.bucket_url')
  if (bucketUrl === undefined) return {}
  return {
    staging: { bucketUrl, credentials: credentialsFrom(bucketUrl, (key) => setting(`staging.credentials.${key}`)) },
  }
}

/** Only what is set: an option that is there but undefined would hide its default. */
export function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

/** A setting that is one of a few words. */
export function chosen<T extends string>(setting: DestinationSetting, key: string, known: readonly T[]): T | undefined {
  const given = setting(key)
  const found = known.find((one) => one === given)
  if (given !== undefined && found === undefined) throw wrongValue(key, given, known)
  return found
}

export const missing = (name: string, key: string, what: string): PipelineError =>
  new PipelineError(`destination "${name}" needs to know ${what}`, {
    code: 'CONFIG_MISSING',
    fix: `set DESTINATION__${name.toUpperCase()}__${key}, or run: sluice secrets set destination.${name}.${key.toLowerCase().replaceAll('__', '.')}`,
  })
