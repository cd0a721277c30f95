import { PipelineError, withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Destination } from '../destination.ts'
import { sqlDestination, type SqlDestinationParts } from '../sql/sql-destination.ts'
import { withScratch, type WithScratch } from '../duckdb/scratch.ts'
import { copyFromStage } from './copy-from-stage.ts'
import { snowflakeDialect } from './dialect.ts'
import { snowflakeErrors } from './errors.ts'
import { percentDecoded } from '../../masking/index.ts'

export interface SnowflakeOptions extends NameOptions {
  /** `myorg-myaccount`, as in the address of the console. */
  account: string
  user: string
  password?: string
  /** PEM of the private key whose public half the user has; instead of a password. */
  privateKey?: string
  privateKeyPassword?: string
  database: string
  warehouse?: string
  role?: string
  /** Another address than `https://<account>.snowflakecomputing.com`. */
  accessUrl?: string
}

/** The packages that a project installs beside this one. */
export const drivers: readonly string[] = ['snowflake-sdk']

const capabilities: Capabilities = {
  identifiers: { maxLength: 255, naming: 'snake_case' },
  ddl: {},
  text: { takesNul: false },
  storage: { decimalDigits: 38 },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    // By DELETE: TRUNCATE would end the transaction.
    replaceStrategy: 'truncate-and-insert',
    early: false,
  },
}

/** Snowflake as destination; needs the package `snowflake-sdk`. */
export const snowflake = (options: SnowflakeOptions): Destination => sqlDestination(snowflakeParts(options))

/** The parts of the destination, for tests that stand between them. */
export function snowflakeParts(options: SnowflakeOptions): SqlDestinationParts {
  return {
    name: 'snowflake',
    capabilities: withOptions(capabilities, options),
    dialect: snowflakeDialect,
    errors: snowflakeErrors,
    ddlCommits: true,
    async connect({ readOnly }) {
      const { openSnowflake } = await withDriver('destination "snowflake"', drivers, () => import('./connection.ts'))
      const { connection, location } = await openSnowflake(options, readOnly)
      return { connection: await withScratch(connection), location }
    },
    bulkLoad: (connection, load) => copyFromStage(connection as WithScratch, load),
  }
}

/** The parts of dlt's `snowflake://user:password@account/database?warehouse=…&role=…`. */
export function snowflakeFromUrl(url: string): Partial<SnowflakeOptions> {
  if (!URL.canParse(url) || !url.startsWith('snowflake://')) {
    throw new PipelineError('the Snowflake URL cannot be read', {
      code: 'CONFIG_INVALID',
      fix: 'write it as snowflake://user:password@account/database?warehouse=…&role=…, special characters encoded',
    })
  }
  const { username, password, hostname, pathname, searchParams } = new URL(url)
  const [warehouse, role] = [searchParams.get('warehouse'), searchParams.get('role')]
  const database = percentDecoded(pathname.replace(/^\/|\/$/g, ''))
  return {
    account: hostname,
    ...(username === '' ? {} : { user: percentDecoded(username) }),
    ...(password === '' ? {} : { password: percentDecoded(password) }),
    ...(database === '' ? {} : { database }),
    ...(warehouse === null ? {} : { warehouse }),
    ...(role === null ? {} : { role }),
  }
}
