import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { csvToParquet, type QueryResult } from '../destinations/index.ts'
import { writeCsv } from './csv-export.ts'

/** Writes a result as a Parquet file, through a CSV file in the temporary folder; returns the number of rows. */
export async function writeParquet(path: string, result: QueryResult): Promise<number> {
  return inPassing(async (folder) => {
    const csv = join(folder, 'rows.csv')
    const rows = await writeCsv(csv, result)
    await csvToParquet(csv, result.columns, path)
    return rows
  })
}

/** A folder that is gone when `use` is through. */
export async function inPassing<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-export-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
