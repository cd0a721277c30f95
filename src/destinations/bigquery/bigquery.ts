import { withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Column } from '../../schema/index.ts'
import type { Destination } from '../destination.ts'
import { withParquetRows } from '../duckdb/parquet-rows.ts'
import { withScratch, type WithScratch } from '../duckdb/scratch.ts'
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

/** The packages that a project installs beside this one. */
export const drivers: readonly string[] = ['@google-cloud/bigquery']

const capabilities: Capabilities = {
  identifiers: {
    maxLength: 300,
    naming: 'snake_case',
    // https://cloud.google.com/bigquery/docs/schemas#column_names
    reserved: {
      prefixes: ['_table_', '_file_', '_partition', '_row_timestamp', '__root__', '_colidentifier'],
    },
  },
  // 10,000, less one that counts the rows while they are staged.
  ddl: { maxColumns: 9_999 },
  text: { takesNul: true },
  storage: { decimalDigits: 76 },
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
type Loading = WithScratch<BigqueryConnection & { area: StagingArea | undefined }>

/** The parts of the destination, for tests that stand between them. */
export function bigqueryParts(options: BigqueryOptions): SqlDestinationParts {
  return {
    name: 'bigquery',
    capabilities: withOptions(capabilities, options),
    dialect: bigqueryDialect,
    errors: bigqueryErrors,
    ddlCommits: true,
    async connect(target) {
      const { openBigquery } = await withDriver('destination "bigquery"', drivers, () => import('./connection.ts'))
      const { connection, location } = openBigquery(options, target)
      const area = options.staging === undefined ? undefined : await stagingArea(options.staging, target.dataset)
      return { connection: await withScratch({ ...connection, area }), location }
    },
    bulkLoad: (connection, load) => loadParquet(connection as Loading, load),
  }
}

/** One load job a table, of Parquet from this machine or from a bucket. */
function loadParquet(connection: Loading, load: BulkLoad): Promise<void> {
  const { loadId, table, intoTable } = load
  const rows = { ...load, asText: ({ dataType }: Column) => dataType === 'json' }
  return withParquetRows(connection.scratch, rows, (localFile) =>
    connection.area === undefined
      ? connection.loadFile(intoTable, table, { file: localFile })
      : connection.area.through({ loadId, table: table.name, localFile }, (url) =>
          connection.loadFile(intoTable, table, { url }),
        ),
  )
}
