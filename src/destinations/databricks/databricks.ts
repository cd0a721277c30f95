import { withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type NameOptions } from '../capabilities.ts'
import type { Column } from '../../schema/index.ts'
import type { Destination, SqlConnection } from '../destination.ts'
import { closingWith } from '../duckdb/compressed-rows.ts'
import { withParquetRows } from '../duckdb/parquet-rows.ts'
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

const capabilities: Capabilities = {
  identifiers: { maxLength: 255, naming: 'snake_case', reserved: [] },
  ddl: {},
  text: { takesNul: true },
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
type Loading = DatabricksConnection & { scratch: SqlConnection; area: StagingArea | undefined; volumes: Set<string> }

/** The parts of the destination, for tests that stand between them. */
export function databricksParts(options: DatabricksOptions): SqlDestinationParts {
  return {
    name: 'databricks',
    capabilities: withOptions(capabilities, options),
    dialect: databricksDialect,
    errors: databricksErrors,
    ddlCommits: true,
    async connect(target) {
      const { openDatabricks } = await withDriver(
        'destination "databricks"',
        ['@databricks/sql'],
        () => import('./connection.ts'),
      )
      const { connection, location } = await openDatabricks(options, target)
      const { openDuckdb } = await import('../duckdb/connection.ts')
      const scratch = await openDuckdb(':memory:', {})
      const area = options.staging === undefined ? undefined : await stagingArea(options.staging, target.dataset)
      return {
        connection: Object.assign(closingWith(connection, scratch), { scratch, area, volumes: new Set() }),
        location,
      }
    },
    bulkLoad: (connection, load) =>
      withParquetRows((connection as Loading).scratch, { ...load, asText }, (file) =>
        copyInto(connection as Loading, load, file, options),
      ),
  }
}

const asText = ({ dataType }: Column): boolean => dataType === 'json' || dataType === 'time'

/** One COPY INTO a table, of Parquet in a volume or an external location. */
async function copyInto(
  connection: Loading,
  load: BulkLoad,
  file: string,
  { stagingVolume, stagingCredential }: DatabricksOptions,
): Promise<void> {
  const place = `${load.loadId}_${load.table.name}`
  const copy = (url: string): Promise<void> => {
    const by = stagingCredential === undefined ? '' : ` WITH (CREDENTIAL ${quote(stagingCredential)})`
    // Databricks remembers names; a second try brings the same ones.
    return connection.run(
      `COPY INTO ${load.into} FROM ${literal(url)}${by} FILEFORMAT = PARQUET COPY_OPTIONS ('force' = 'true')`,
    )
  }
  const { area } = connection
  if (area !== undefined) {
    try {
      const [staged] = await area.put(place, [{ table: load.table.name, localFile: file }])
      return await copy(staged!.url)
    } finally {
      await area.remove(place)
    }
  }
  const [dataset] = /^`((?:[^`]|``)+)`/.exec(load.into)!.slice(1)
  const volume = stagingVolume?.split('.') ?? [
    connection.catalog,
    dataset!.replaceAll('``', '`'),
    '_dlt_staging_load_volume',
  ]
  const name = volume.map(quote).join('.')
  if (stagingVolume === undefined && !connection.volumes.has(name)) {
    await connection.run(`CREATE VOLUME IF NOT EXISTS ${name}`)
    connection.volumes.add(name)
  }
  const path = `/Volumes/${[...volume, encodeURIComponent(place)].join('/')}/rows.parquet`
  try {
    await connection.put(file, path)
    await copy(path)
  } finally {
    await connection.remove(path)
  }
}
