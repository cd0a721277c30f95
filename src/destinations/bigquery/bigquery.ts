import { PipelineError, withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Column } from '../../schema/index.ts'
import type { Destination, SqlConnection } from '../destination.ts'
import { closingWith, rowNumber } from '../duckdb/compressed-rows.ts'
import { withParquetRows } from '../duckdb/parquet-rows.ts'
import { sqlDestination, type BulkLoad, type SqlDestinationParts } from '../sql/sql-destination.ts'
import { stagingArea, type StagingArea, type StagingOptions } from '../staging/staging-area.ts'
import type { BigqueryConnection } from './connection.ts'
import { bigqueryDialect } from './dialect.ts'
import { bigqueryErrors } from './errors.ts'

export interface BigqueryOptions extends NameOptions {
  projectId: string
  /** Where datasets are made and jobs run: `EU`, `europe-west1`. @default 'US' */
  location?: string
  /** A service account, or a user's own login. Without it Google's application default credentials are used. */
  credentials?: {
    clientEmail?: string
    privateKey?: string
    clientId?: string
    clientSecret?: string
    refreshToken?: string
  }
  /** Path of a service account's key file. */
  keyFile?: string
  /** A token that something else takes care of, such as `gcloud auth print-access-token`. */
  accessToken?: string | (() => string | Promise<string>)
  /** A bucket on Google Cloud Storage through which the rows go, instead of straight from this machine. */
  staging?: StagingOptions
  /** Another address than Google's. */
  apiEndpoint?: string
}

const capabilities: Capabilities = {
  identifiers: {
    maxLength: 300,
    naming: 'snake_case',
    reserved: ['_partitiontime', '_partitiondate', '_table_suffix', '_file_name', '_row_timestamp', '__root__'],
  },
  // 10,000, less one that counts the rows while they are staged.
  ddl: { maxColumns: 9_999 },
  text: { takesNul: true },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    // By DELETE of all rows, which costs nothing and belongs to the transaction.
    replaceStrategy: 'truncate-and-insert',
    early: false,
    stagedAtOnce: 4,
  },
}

/** Google BigQuery as destination; needs the package `@google-cloud/bigquery`. */
export const bigquery = (options: BigqueryOptions): Destination => sqlDestination(bigqueryParts(options))

/** A connection with what its loads need. */
type Loading = BigqueryConnection & { scratch: SqlConnection; area: StagingArea | undefined }

/** The parts of the destination, for tests that stand between them. */
export function bigqueryParts(options: BigqueryOptions): SqlDestinationParts {
  return {
    name: 'bigquery',
    capabilities: withOptions(capabilities, options),
    dialect: bigqueryDialect,
    errors: bigqueryErrors,
    ddlCommits: true,
    async connect({ dataset }) {
      const { openBigquery } = await withDriver(
        'destination "bigquery"',
        ['@google-cloud/bigquery'],
        () => import('./connection.ts'),
      )
      const { connection, location } = openBigquery(options, dataset)
      const { openDuckdb } = await import('../duckdb/connection.ts')
      const scratch = await openDuckdb(':memory:', {})
      const area = options.staging === undefined ? undefined : await stagingArea(options.staging, dataset)
      return { connection: Object.assign(closingWith(connection, scratch), { scratch, area }), location }
    },
    bulkLoad: (connection, load) => loadParquet(connection as Loading, load),
  }
}

/** One load job a table, of Parquet from this machine or from a bucket. */
async function loadParquet(connection: Loading, load: BulkLoad): Promise<void> {
  const { fieldsOf } = await import('./connection.ts')
  const name = /`([^`]+)`$/.exec(load.into)![1]!
  const fields = fieldsOf(load.table, rowNumber)
  const rows = { ...load, asText: ({ dataType }: Column) => dataType === 'json' }
  await withParquetRows(connection.scratch, rows, async (file) => {
    const { area } = connection
    if (area === undefined) return connection.loadFile(name, fields, { file })
    const place = `${load.loadId}_${load.table.name}`
    try {
      const [staged] = await area.put(place, [{ table: load.table.name, localFile: file }])
      await connection.loadFile(name, fields, { url: staged!.url })
    } finally {
      await area.remove(place)
    }
  })
}

/** A service account's key, as Google writes it, or a user's login. */
export function credentialsFromJson(text: string): Pick<BigqueryOptions, 'credentials'> & { projectId?: string } {
  try {
    const key = JSON.parse(text) as Record<string, string | undefined>
    const given = {
      clientEmail: key.client_email,
      privateKey: key.private_key,
      clientId: key.client_id,
      clientSecret: key.client_secret,
      refreshToken: key.refresh_token,
    }
    const credentials = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    return { credentials, ...(key.project_id === undefined ? {} : { projectId: key.project_id }) }
  } catch (error) {
    throw new PipelineError('the credentials of BigQuery cannot be read', {
      code: 'CONFIG_INVALID',
      fix: 'give the service account\'s key file as Google writes it: {"type": "service_account", …}',
      cause: error,
    })
  }
}
