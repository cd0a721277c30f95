import type { ResultColumn } from '../destination.ts'
import { duckdbDialect, literal, quote } from './dialect.ts'

/**
 * Makes a Parquet file of a CSV file with a header, whose columns have the given types: an empty cell is null, bytes are
 * base64.
 */
export async function csvToParquet(csv: string, columns: readonly ResultColumn[], parquet: string): Promise<void> {
  const { openDuckdb } = await import('./connection.ts')
  const connection = await openDuckdb(':memory:', {})
  try {
    const cells = columns.map((column) => `${literal(column.name)}: ${literal(cellType(column))}`)
    const values = columns.map(({ name, dataType }) =>
      dataType === 'binary' ? `from_base64(${quote(name)}) AS ${quote(name)}` : quote(name),
    )
    await connection.run(
      `COPY (SELECT ${values.join(', ')} FROM read_csv(${literal(csv)}, header = true, auto_detect = false, ` +
        `delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false, ` +
        `columns = {${cells.join(', ')}})) TO ${literal(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    )
  } finally {
    await connection.close()
  }
}

/** Decimals whose digits are not known stay text, where nothing is rounded. */
function cellType(column: ResultColumn): string {
  const { dataType, precision = 99, scale = 0 } = column
  if (dataType === 'binary') return 'VARCHAR'
  if (dataType === 'decimal') return precision > 38 ? 'VARCHAR' : `DECIMAL(${precision},${scale})`
  return duckdbDialect.typeName({ name: column.name, dataType })
}
