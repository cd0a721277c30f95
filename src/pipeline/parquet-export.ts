import { csvToParquet, inPassing, type QueryResult } from '../destinations/index.ts'
import { writeCsv } from './csv-export.ts'

/** Writes a result as a Parquet file, through a CSV file in the temporary folder; returns the number of rows. */
export function writeParquet(path: string, result: QueryResult): Promise<number> {
  return inPassing('rows.csv', async (csv) => {
    const rows = await writeCsv(csv, result)
    await csvToParquet(csv, result.columns, path)
    return rows
  })
}
