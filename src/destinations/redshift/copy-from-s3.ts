import type { WithScratch } from '../duckdb/scratch.ts'
import { selection, type BulkLoad } from '../sql/sql-destination.ts'
import { nullMarker, rowNumber, withCompressedRows } from '../duckdb/compressed-rows.ts'
import type { StagingArea } from '../staging/staging-area.ts'
import { literal, redshiftDialect } from './dialect.ts'

export interface CopyOptions {
  /** The right to read the staged files: `IAM_ROLE '…'`, or keys. */
  authorization: string
  region: string | undefined
}

const { quote } = redshiftDialect
const raw = quote('_sluice_copy')

/**
 * Loads files of a package as Redshift wants it: compressed, in a bucket, by COPY into a temporary table, from where the
 * text becomes values.
 */
export async function copyFromS3(
  connection: WithScratch,
  load: BulkLoad,
  { area, options }: { area: StagingArea; options: CopyOptions },
): Promise<void> {
  const { loadId, table } = load
  await withCompressedRows(connection.scratch, load, (localFile) =>
    area.through({ loadId, table: table.name, localFile }, async (url) => {
      await connection.run(`DROP TABLE IF EXISTS ${raw}`)
      const cells = load.cells.map(({ name, type }) => `${quote(name)} ${type}`)
      await connection.run(`CREATE TEMP TABLE ${raw} (${[...cells, `${quote(rowNumber)} bigint`].join(', ')})`)
      await connection.run(`COPY ${raw} ${copyOptions(url, options)}`)
    }),
  )
  const { columns, values } = selection(load)
  const order = load.ordered ? [quote(rowNumber)] : []
  await connection.run(
    `INSERT INTO ${load.into} (${[...columns.map(quote), ...order].join(', ')}) ` +
      `SELECT ${[...values, ...order].join(', ')} FROM ${raw}`,
  )
  await connection.run(`DROP TABLE ${raw}`)
}

function copyOptions(url: string, { authorization, region }: CopyOptions): string {
  const where = region === undefined ? '' : ` REGION ${literal(region)}`
  return (
    `FROM ${literal(url)} ${authorization}${where} FORMAT CSV GZIP NULL AS ${literal(nullMarker)} ` +
    `DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF`
  )
}
