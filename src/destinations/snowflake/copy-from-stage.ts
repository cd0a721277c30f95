import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqlConnection } from '../destination.ts'
import { literal as duckdbLiteral, quote as duckdbQuote } from '../duckdb/dialect.ts'
import { packageRows } from '../duckdb/package-rows.ts'
import { selection, type BulkLoad } from '../sql/sql-destination.ts'
import { literal, rowNumber, snowflakeDialect } from './dialect.ts'

const { quote } = snowflakeDialect
/** A cell without a value; no text is spelled like that. */
const nullMarker = '\ue000\ue001'
const [stage, raw] = [quote('_sluice_files'), quote('_sluice_copy')]

/**
 * Loads files of a package as Snowflake wants it: compressed, PUT into a stage of this connection, and one COPY INTO. The
 * text becomes values on the way from there into the table.
 */
export async function copyFromStage(connection: SqlConnection, scratch: SqlConnection, load: BulkLoad): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-snowflake-'))
  const place = `@${stage}/${encodeURIComponent(`${load.loadId}_${load.table}`)}`
  try {
    const file = join(folder, 'rows.csv.gz')
    const texts = load.cells.map(({ name }) => ({ name, type: 'VARCHAR' }))
    // Any name may be that of a column; the file has none.
    const names = load.cells.map(({ name }, at) => `${duckdbQuote(name)} AS c${at}`).join(', ')
    const quoted = load.cells.map((_cell, at) => `c${at}`).join(', ')
    await scratch.run(
      `COPY (SELECT ${names}, ROW_NUMBER() OVER () FROM ${packageRows(load, texts)}) TO ${duckdbLiteral(file)} ` +
        `(FORMAT csv, HEADER false, COMPRESSION gzip, QUOTE '"', ESCAPE '"', FORCE_QUOTE (${quoted}), NULLSTR '${nullMarker}')`,
    )
    await connection.run(`CREATE TEMPORARY STAGE IF NOT EXISTS ${stage}`)
    await connection.run(
      `PUT ${literal(`file://${file}`)} ${place} AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = GZIP OVERWRITE = TRUE`,
    )
    const cells = load.cells.map(({ name }) => `${quote(name)} VARCHAR`)
    await connection.run(
      `CREATE OR REPLACE TEMPORARY TABLE ${raw} (${[...cells, `${quote(rowNumber)} NUMBER(19,0)`].join(', ')})`,
    )
    await connection.run(
      `COPY INTO ${raw} FROM ${place} FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP FIELD_OPTIONALLY_ENCLOSED_BY = '"' ` +
        `EMPTY_FIELD_AS_NULL = FALSE NULL_IF = ('${nullMarker}')) PURGE = TRUE`,
    )
    const { columns, values } = selection(load)
    await connection.run(
      `INSERT INTO ${load.into} (${[...columns, rowNumber].map(quote).join(', ')}) ` +
        `SELECT ${[...values, quote(rowNumber)].join(', ')} FROM ${raw}`,
    )
    await connection.run(`DROP TABLE ${raw}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
