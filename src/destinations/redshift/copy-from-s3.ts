import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { literal, quote } from '../duckdb/dialect.ts'
import { packageRows } from '../duckdb/package-rows.ts'
import type { SqlConnection } from '../destination.ts'
import { selection, type BulkLoad } from '../sql/sql-destination.ts'
import type { StagingArea } from '../staging/staging-area.ts'
import { redshiftDialect, rowNumber } from './dialect.ts'

/** A cell without a value; no text is spelled like that, and Redshift cannot tell an empty text from none by quotes. */
const nullMarker = '\ue000\ue001'

export interface CopyOptions {
  /** The right to read the staged files: `IAM_ROLE '…'`, or keys. */
  authorization: string
  region: string | undefined
}

/**
 * Loads files of a package as Redshift wants it: compressed, in a bucket, one COPY for all of a table. What COPY cannot
 * convert takes the way over a temporary table.
 */
export async function copyFromS3(
  connection: SqlConnection,
  load: BulkLoad,
  { area, scratch, options }: { area: StagingArea; scratch: SqlConnection; options: CopyOptions },
): Promise<void> {
  const place = `${load.loadId}_${load.table}`
  const folder = mkdtempSync(join(tmpdir(), 'sluice-redshift-'))
  try {
    const localFile = join(folder, 'rows.csv.gz')
    await writeRows(scratch, load, localFile)
    const [staged] = await area.put(place, [{ table: load.table, localFile }])
    await copy(connection, load, copyOptions(staged!.url, options))
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await area.remove(place)
  }
}

/** The cells of the files as they are, with the place of each row where the order matters. */
async function writeRows(scratch: SqlConnection, load: BulkLoad, file: string): Promise<void> {
  const texts = load.cells.map(({ name }) => ({ name, type: 'VARCHAR' }))
  const order = load.ordered ? ', ROW_NUMBER() OVER ()' : ''
  const names = load.cells.map(({ name }) => quote(name)).join(', ')
  await scratch.run(
    `COPY (SELECT ${names}${order} FROM ${packageRows(load, texts)}) TO ${literal(file)} ` +
      `(FORMAT csv, HEADER false, COMPRESSION gzip, NULLSTR '${nullMarker}', QUOTE '"', ESCAPE '"')`,
  )
}

async function copy(connection: SqlConnection, load: BulkLoad, options: string): Promise<void> {
  const { quote: name } = redshiftDialect
  const columns = load.cells.map((cell) => name(cell.name))
  const isPlain = load.constant === undefined && load.cells.every((cell) => cell.value === name(cell.name))
  if (isPlain) {
    const order = load.ordered ? [name(rowNumber)] : []
    await connection.run(`COPY ${load.into} (${[...columns, ...order].join(', ')}) ${options}`)
    return
  }
  const cells = load.cells.map((cell) => `${name(cell.name)} ${cell.type}`)
  const order = load.ordered ? [`${name(rowNumber)} bigint`] : []
  await connection.run('DROP TABLE IF EXISTS _sluice_copy')
  await connection.run(`CREATE TEMP TABLE _sluice_copy (${[...cells, ...order].join(', ')})`)
  await connection.run(`COPY _sluice_copy ${options}`)
  const into = selection(load)
  const more = load.ordered ? [rowNumber] : []
  await connection.run(
    `INSERT INTO ${load.into} (${[...into.columns, ...more].map(name).join(', ')}) ` +
      `SELECT ${[...into.values, ...more.map(name)].join(', ')} FROM _sluice_copy`,
  )
  await connection.run('DROP TABLE _sluice_copy')
}

function copyOptions(url: string, { authorization, region }: CopyOptions): string {
  const where = region === undefined ? '' : ` REGION ${literal(region)}`
  return (
    `FROM ${literal(url)} ${authorization}${where} FORMAT CSV GZIP NULL AS '${nullMarker}' ` +
    `DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF`
  )
}
