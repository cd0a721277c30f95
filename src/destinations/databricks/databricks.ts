import { withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Column } from '../../schema/index.ts'
import type { Destination } from '../destination.ts'
import { withParquetRows } from '../duckdb/parquet-rows.ts'
import { withScratch, type WithScratch } from '../duckdb/scratch.ts'
import { sqlDestination, type BulkLoad, type SqlDestinationParts } from '../sql/sql-destination.ts'
import { stagingArea, type StagingArea, type StagingOptions } from '../staging/staging-area.ts'
import type { DatabricksConnection } from './connection.ts'
import { databricksDialect, literal, quote } from './dialect.ts'
import { databricksErrors } from './errors.ts'

export interface DatabricksOptions extends NameOptions {
  /** `dbc-a1b2c3d4-e5f6.cloud.databricks.com`, as the warehouse shows it under "Connection details". */
  serverHostname: string
  /** `/sql/1.0/warehouses/1a2b3c4d5e6f7a8b` */
  httpPath: string
  /** A personal access token. */
  accessToken?: string
  /** Id and secret of a service principal, instead of a token. */
  clientId?: string
  clientSecret?: string
  /** @default the warehouse's own */
  catalog?: string
  /** A volume through which the rows go, `catalog.schema.volume`. @default one of the dataset, which is made */
  stagingVolume?: string
  /** An external location through which the rows go, instead of a volume: `s3://…`, `abfss://…`, `gs://…`. */
  staging?: StagingOptions
  /** Name of a credential by which Databricks reads that location; without it the location must be one of Unity Catalog. */
  stagingCredential?: string
  /** Where the server's certificate is from an authority of one's own. */
  tls?: { ca: string }
}

/** The packages that a project installs beside this one. */
export const drivers: readonly string[] = ['@databricks/sql']

const capabilities: Capabilities = {
  identifiers: { maxLength: 255, naming: 'snake_case' },
  ddl: {},
  text: { takesNul: true },
  storage: { decimalDigits: 38 },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    // By INSERT OVERWRITE: readers see the old rows until the new ones are there.
    replaceStrategy: 'insert-from-staging',
    early: false,
    stagedAtOnce: 4,
  },
}

/** Databricks as destination; needs the package `@databricks/sql`. */
export const databricks = (options: DatabricksOptions): Destination => sqlDestination(databricksParts(options))

/** A connection with what its loads need. */
type Loading = WithScratch<DatabricksConnection & { area: StagingArea | undefined }>

/** The parts of the destination, for tests that stand between them. */
export function databricksParts(options: DatabricksOptions): SqlDestinationParts {
  return {
    name: 'databricks',
    capabilities: withOptions(capabilities, options),
    dialect: databricksDialect,
    errors: databricksErrors,
    ddlCommits: true,
    async connect(target) {
      const { openDatabricks } = await withDriver('destination "databricks"', drivers, () => import('./connection.ts'))
      const { connection, location } = await openDatabricks(options, target)
      const area = options.staging === undefined ? undefined : await stagingArea(options.staging, target.dataset)
      return { connection: await withScratch({ ...connection, area }), location }
    },
    bulkLoad: (connection, load) => loadParquet(connection as Loading, load, options),
  }
}

const asText = ({ dataType }: Column): boolean => dataType === 'json' || dataType === 'time'

/** One COPY INTO a table, of Parquet in an external location or a volume. */
function loadParquet(connection: Loading, load: BulkLoad, options: DatabricksOptions): Promise<void> {
  const { loadId, table } = load
  const copy = (url: string): Promise<void> => {
    const { stagingCredential } = options
    const by = stagingCredential === undefined ? '' : ` WITH (CREDENTIAL ${quote(stagingCredential)})`
    // Databricks remembers names; a second try brings the same ones.
    return connection.run(
      `COPY INTO ${load.into} FROM ${literal(url)}${by} FILEFORMAT = PARQUET COPY_OPTIONS ('force' = 'true')`,
    )
  }
  return withParquetRows(connection.scratch, { ...load, asText }, (localFile) =>
    connection.area === undefined
      ? connection.throughVolume(`${loadId}_${table.name}`, localFile, copy)
      : connection.area.through({ loadId, table: table.name, localFile }, copy),
  )
}
