import { PipelineError } from '../errors/index.ts'
import { namingNames, wrongValue, type NamingName } from '../schema/index.ts'
import type { Destination } from './destination.ts'

/** What a destination takes from configuration: `[destination.<name>]`. */
export interface DestinationConfig {
  credentials?: string
  maxIdentifierLength?: number
  /** `[schema] naming`. */
  namingConvention?: string
}

const factories: Record<string, (config: DestinationConfig) => Promise<Destination>> = {
  async duckdb({ credentials, maxIdentifierLength, namingConvention }) {
    const { duckdb } = await import('./duckdb/duckdb.ts')
    return duckdb({
      ...(credentials === undefined ? {} : { path: credentials.replace(/^duckdb:(\/\/\/)?/, '') }),
      ...(maxIdentifierLength === undefined ? {} : { maxIdentifierLength }),
      ...(namingConvention === undefined ? {} : { namingConvention: namingByName(namingConvention) }),
    })
  },
}

function namingByName(name: string): NamingName {
  const known = namingNames.find((one) => one === name)
  if (known === undefined) throw wrongValue('schema.naming', name, namingNames)
  return known
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
