import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqlConnection } from '../destination.ts'
import { literal, quote } from './dialect.ts'
import { packageRows } from './package-rows.ts'
import type { BulkLoad } from '../sql/sql-destination.ts'

/** A cell without a value. No text is spelled like that, and warehouses cannot tell an empty text from none by its quotes. */
export const nullMarker = '\ue000\ue001'

/** The place of a row among those that came with it: warehouses keep no order of their own. */
export const rowNumber = '_sluice_row'

/**
 * The cells of a load's files as one compressed CSV file with the number of each row behind them, for warehouses that
 * take such files. It is gone when `use` is through.
 */
export async function withCompressedRows<T>(
  scratch: SqlConnection,
  load: BulkLoad,
  use: (file: string) => Promise<T>,
): Promise<T> {
  return inPassing('rows.csv.gz', async (file) => {
    const texts = load.cells.map(({ name }) => ({ name, type: 'VARCHAR' }))
    // Any name may be that of a column; the file has none.
    const cells = load.cells.map(({ name }, at) => `${quote(name)} AS c${at}`).join(', ')
    const quoted = load.cells.map((_cell, at) => `c${at}`).join(', ')
    await scratch.run(
      `COPY (SELECT ${cells}, ROW_NUMBER() OVER () FROM ${packageRows(load, texts)}) TO ${literal(file)} ` +
        `(FORMAT csv, HEADER false, COMPRESSION gzip, QUOTE '"', ESCAPE '"', FORCE_QUOTE (${quoted}), NULLSTR '${nullMarker}')`,
    )
    return use(file)
  })
}

/** A file in a folder of its own, gone when `use` is through. */
export async function inPassing<T>(name: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rows-'))
  try {
    return await use(join(folder, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
