import { PipelineError } from '../errors/index.ts'
import { replaceStrategies } from './capabilities.ts'
import { namingNames, wrongValue } from '../schema/index.ts'
import type { Destination } from './destination.ts'

/** What a destination takes from configuration: `[destination.<name>]`. */
export interface DestinationConfig {
  credentials?: string
  bucketUrl?: string
  maxIdentifierLength?: number
  /** `[schema] naming`. */
  namingConvention?: string
  replaceStrategy?: string
}

const factories: Record<string, (config: DestinationConfig) => Promise<Destination>> = {
  async postgres({ credentials, maxIdentifierLength, namingConvention, replaceStrategy }) {
    if (credentials === undefined) throw missing('postgres', 'CREDENTIALS', 'its connection string')
    const { postgres } = await import('./postgres/postgres.ts')
    return postgres({
      url: credentials,
      ...(maxIdentifierLength === undefined ? {} : { maxIdentifierLength }),
      ...(namingConvention === undefined
        ? {}
        : { namingConvention: oneOf('schema.naming', namingConvention, namingNames) }),
      ...(replaceStrategy === undefined
        ? {}
        : { replaceStrategy: oneOf('replace_strategy', replaceStrategy, replaceStrategies) }),
    })
  },
  async filesystem({ credentials, bucketUrl = credentials, maxIdentifierLength, namingConvention }) {
    const { filesystem } = await import('./filesystem/filesystem.ts')
    if (bucketUrl === undefined) throw missing('filesystem', 'BUCKET_URL', 'its folder')
    return filesystem({
      bucketUrl,
      ...(maxIdentifierLength === undefined ? {} : { maxIdentifierLength }),
      ...(namingConvention === undefined
        ? {}
        : { namingConvention: oneOf('schema.naming', namingConvention, namingNames) }),
    })
  },
  async duckdb({ credentials, maxIdentifierLength, namingConvention, replaceStrategy }) {
    const { duckdb } = await import('./duckdb/duckdb.ts')
    return duckdb({
      ...(credentials === undefined ? {} : { path: credentials.replace(/^duckdb:(\/\/\/)?/, '') }),
      ...(maxIdentifierLength === undefined ? {} : { maxIdentifierLength }),
      ...(replaceStrategy === undefined
        ? {}
        : { replaceStrategy: oneOf('replace_strategy', replaceStrategy, replaceStrategies) }),
      ...(namingConvention === undefined
        ? {}
        : { namingConvention: oneOf('schema.naming', namingConvention, namingNames) }),
    })
  },
}

const missing = (name: string, key: string, what: string): PipelineError =>
  new PipelineError(`destination "${name}" needs to know ${what}`, {
    code: 'CONFIG_MISSING',
    fix: `set DESTINATION__${name.toUpperCase()}__${key}, or ${key.toLowerCase()} under [destination.${name}] in .sluice/secrets.toml`,
  })

function oneOf<T extends string>(setting: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given)
  if (found === undefined) throw wrongValue(setting, given, known)
  return found
}

const destinationNames = Object.keys(factories)

/** The destination of a given name; its driver is loaded when it is opened. */
export function destinationByName(name: string, config: DestinationConfig = {}): Promise<Destination> {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (factory === undefined) {
    throw new PipelineError(`destination "${name}" is not known; there is: ${destinationNames.join(', ')}`, {
      code: 'WRONG_USE',
      fix: `use one of: ${destinationNames.join(', ')}`,
    })
  }
  return factory(config)
}
