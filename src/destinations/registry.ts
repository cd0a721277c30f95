import { PipelineError } from '../errors/index.ts'
import { namingNames, wrongValue, type NamingName } from '../schema/index.ts'
import { replaceStrategies, type ReplaceStrategy } from './capabilities.ts'
import type { Destination } from './destination.ts'
import { compressions, formatNames } from './filesystem/formats.ts'
import type { StagingOptions } from './staging/staging-area.ts'
import type { StoreCredentials } from './stores/index.ts'

/**
 * Reads `[destination.<name>]`: `credentials`, or `credentials.region_name` of a table. `location` is where the pipeline
 * loaded to the last time, for one that is only known by its name.
 */
export type DestinationSetting = (key: string) => string | undefined

const factories: Record<string, (setting: DestinationSetting) => Promise<Destination>> = {
  async postgres(setting) {
    const url = setting('credentials')
    if (url === undefined) throw missing('postgres', 'CREDENTIALS', 'its connection string')
    const { postgres } = await import('./postgres/postgres.ts')
    return postgres({ url, ...names(setting), ...replacing(setting) })
  },
  async redshift(setting) {
    const url = setting('credentials')
    if (url === undefined) throw missing('redshift', 'CREDENTIALS', 'its connection string')
    const { staging } = await stagingFrom(setting)
    if (staging === undefined) throw missing('redshift', 'STAGING__BUCKET_URL', 'the bucket through which rows go')
    const { redshift } = await import('./redshift/redshift.ts')
    const iamRole = setting('staging_iam_role')
    return redshift({ url, staging, ...defined({ iamRole }), ...names(setting) })
  },
  async snowflake(setting) {
    const { snowflake, snowflakeFromUrl } = await import('./snowflake/snowflake.ts')
    const url = setting('credentials')
    const given = url === undefined ? {} : snowflakeFromUrl(url)
    const part = (key: string): string | undefined => setting(`credentials.${key}`)
    const options = {
      ...given,
      ...defined({
        account: part('host'),
        user: part('username'),
        password: part('password'),
        privateKey: part('private_key'),
        privateKeyPassword: part('private_key_passphrase'),
        database: part('database'),
        warehouse: part('warehouse'),
        role: part('role'),
      }),
    }
    const { account, user, database } = options
    if (account === undefined || user === undefined || database === undefined) {
      throw missing('snowflake', 'CREDENTIALS', 'its account, user and database')
    }
    return snowflake({ ...options, account, user, database, ...names(setting) })
  },
  async bigquery(setting) {
    const { bigquery, credentialsFromJson } = await import('./bigquery/bigquery.ts')
    const text = setting('credentials')
    const key = text === undefined ? {} : credentialsFromJson(text)
    const part = (name: string): string | undefined => setting(`credentials.${name}`)
    const credentials = defined({
      clientEmail: part('client_email'),
      privateKey: part('private_key'),
      clientId: part('client_id'),
      clientSecret: part('client_secret'),
      refreshToken: part('refresh_token'),
    })
    const projectId = setting('project_id') ?? part('project_id') ?? key.projectId
    if (projectId === undefined) throw missing('bigquery', 'CREDENTIALS__PROJECT_ID', 'its project')
    return bigquery({
      projectId,
      ...key,
      ...(Object.keys(credentials).length === 0 ? {} : { credentials }),
      ...defined({
        keyFile: part('key_file'),
        accessToken: part('access_token'),
        location: setting('location') ?? part('location'),
        apiEndpoint: setting('api_endpoint'),
      }),
      ...(await stagingFrom(setting)),
      ...names(setting),
    })
  },
  async databricks(setting) {
    const { databricks } = await import('./databricks/databricks.ts')
    const part = (name: string): string | undefined => setting(`credentials.${name}`)
    const [serverHostname, httpPath] = [part('server_hostname'), part('http_path')]
    const given = defined({
      accessToken: part('access_token'),
      clientId: part('client_id'),
      clientSecret: part('client_secret'),
      catalog: part('catalog'),
      stagingVolume: setting('staging_volume_name'),
      stagingCredential: setting('staging_credentials_name'),
    })
    if (serverHostname === undefined || httpPath === undefined) {
      throw missing('databricks', 'CREDENTIALS__SERVER_HOSTNAME', 'its server_hostname and http_path')
    }
    if (given.accessToken === undefined && given.clientSecret === undefined) {
      throw missing('databricks', 'CREDENTIALS__ACCESS_TOKEN', 'an access token, or client id and secret')
    }
    return databricks({ serverHostname, httpPath, ...given, ...(await stagingFrom(setting)), ...names(setting) })
  },
  async filesystem(setting) {
    const bucketUrl = setting('bucket_url') ?? setting('credentials') ?? folderOf(setting('location'))
    if (bucketUrl === undefined) throw missing('filesystem', 'BUCKET_URL', 'its folder or bucket')
    const { filesystem } = await import('./filesystem/filesystem.ts')
    const { credentialsFrom } = await import('./stores/index.ts')
    const given = {
      format: chosen(setting, 'format', formatNames),
      compression: chosen(setting, 'compression', compressions),
      layout: setting('layout'),
    }
    return filesystem({
      bucketUrl,
      credentials: credentialsFrom(bucketUrl, (key) => setting(`credentials.${key}`)),
      ...defined(given),
      ...names(setting),
    })
  },
  async duckdb(setting) {
    const { duckdb } = await import('./duckdb/duckdb.ts')
    const path =
      setting('credentials')?.replace(/^duckdb:(\/\/\/)?/, '') ?? setting('location')?.replace(/^duckdb:/, '')
    return duckdb({ ...defined({ path }), ...names(setting), ...replacing(setting) })
  },
}

async function stagingFrom(setting: DestinationSetting): Promise<{ staging?: StagingOptions }> {
  const bucketUrl = setting('staging.bucket_url')
  if (bucketUrl === undefined) return {}
  return {
    staging: { bucketUrl, ...(await bucketCredentials(bucketUrl, (key) => setting(`staging.credentials.${key}`))) },
  }
}

async function bucketCredentials(
  bucketUrl: string,
  setting: DestinationSetting,
): Promise<{ credentials?: StoreCredentials }> {
  const { credentialsFrom } = await import('./stores/index.ts')
  const credentials = credentialsFrom(bucketUrl, setting)
  return credentials === undefined ? {} : { credentials }
}

/** The folder or bucket in which a dataset stands. */
const folderOf = (location: string | undefined): string | undefined => location?.slice(0, location.lastIndexOf('/'))

function names(setting: DestinationSetting): { maxIdentifierLength?: number; namingConvention?: NamingName } {
  const length = setting('max_identifier_length')
  return defined({
    maxIdentifierLength: length === undefined ? undefined : Number(length),
    namingConvention: chosen(setting, 'schema.naming', namingNames),
  })
}

const replacing = (setting: DestinationSetting): { replaceStrategy?: ReplaceStrategy } =>
  defined({ replaceStrategy: chosen(setting, 'replace_strategy', replaceStrategies) })

/** Only what is set: an option that is there but undefined would hide its default. */
function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

function chosen<T extends string>(setting: DestinationSetting, key: string, known: readonly T[]): T | undefined {
  const given = setting(key)
  const found = known.find((one) => one === given)
  if (given !== undefined && found === undefined) throw wrongValue(key, given, known)
  return found
}

const missing = (name: string, key: string, what: string): PipelineError =>
  new PipelineError(`destination "${name}" needs to know ${what}`, {
    code: 'CONFIG_MISSING',
    fix: `set DESTINATION__${name.toUpperCase()}__${key}, or ${key.toLowerCase().replaceAll('__', '.')} under [destination.${name}] in .sluice/secrets.toml`,
  })

const destinationNames = Object.keys(factories)

/** The destination of a given name; its driver is loaded when it is opened. */
export function destinationByName(name: string, setting: DestinationSetting = () => undefined): Promise<Destination> {
  const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
  if (factory === undefined) {
    throw new PipelineError(`destination "${name}" is not known; there is: ${destinationNames.join(', ')}`, {
      code: 'WRONG_USE',
      fix: `use one of: ${destinationNames.join(', ')}`,
    })
  }
  return factory(setting)
}
