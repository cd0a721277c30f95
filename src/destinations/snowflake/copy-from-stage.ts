import type { WithScratch } from '../duckdb/scratch.ts'
import { selection, type BulkLoad } from '../sql/sql-destination.ts'
import { nullMarker, rowNumber, withCompressedRows } from '../duckdb/compressed-rows.ts'
import { literal, snowflakeDialect } from './dialect.ts'

const { quote } = snowflakeDialect
const [stage, raw] = [quote('_sluice_files'), quote('_sluice_copy')]

/**
 * Loads files of a package as Snowflake wants it: compressed, PUT into a stage of this connection, by COPY INTO a temporary
 * table, from where the text becomes values.
 */
export async function copyFromStage(connection: WithScratch, load: BulkLoad): Promise<void> {
  // The slash ends the name: without it a folder is all that begins alike.
  const place = `@${stage}/${encodeURIComponent(`${load.loadId}_${load.table.name}`)}/`
  await withCompressedRows(connection.scratch, load, async (file) => {
    await connection.run(`CREATE TEMPORARY STAGE IF NOT EXISTS ${stage}`)
    await connection.run(
      `PUT ${literal(`file://${file}`)} ${place} AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = GZIP OVERWRITE = TRUE`,
    )
  })
  const cells = load.cells.map(({ name, type }) => `${quote(name)} ${type}`)
  await connection.run(
    `CREATE OR REPLACE TEMPORARY TABLE ${raw} (${[...cells, `${quote(rowNumber)} NUMBER(19,0)`].join(', ')})`,
  )
  await connection.run(
    `COPY INTO ${raw} FROM ${place} FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP FIELD_OPTIONALLY_ENCLOSED_BY = '"' ` +
      `EMPTY_FIELD_AS_NULL = FALSE NULL_IF = (${literal(nullMarker)})) PURGE = TRUE`,
  )
  const { columns, values } = selection(load)
  await connection.run(
    `INSERT INTO ${load.into} (${[...columns, rowNumber].map(quote).join(', ')}) ` +
      `SELECT ${[...values, quote(rowNumber)].join(', ')} FROM ${raw}`,
  )
  await connection.run(`DROP TABLE ${raw}`)
}
