import { typedColumns, type Column } from '../../schema/index.ts'
import type { SqlConnection } from '../destination.ts'
import type { BulkLoad } from '../sql/sql-destination.ts'
import { inPassing, rowNumber } from './compressed-rows.ts'
import { duckdbDialect, literal, quote } from './dialect.ts'
import { packageRows } from './package-rows.ts'

type ParquetLoad = BulkLoad & {
  /** Columns that the warehouse takes as text. */
  asText(column: Column): boolean
}

/**
 * The rows of a load's files as one Parquet file, with all columns of their table in its order and the number of each row
 * behind them. It is gone when `use` is through.
 */
export async function withParquetRows<T>(
  scratch: SqlConnection,
  load: ParquetLoad,
  use: (file: string) => Promise<T>,
): Promise<T> {
  return inPassing('rows.parquet', async (file) => {
    const columns = typedColumns(load.table).map((column) => `${valueOf(load, column)} AS ${quote(column.name)}`)
    const rows = `SELECT ${[...columns, `ROW_NUMBER() OVER () AS ${rowNumber}`].join(', ')} FROM ${packageRows(load, cellsOf(load))}`
    await scratch.run(`COPY (${rows}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`)
    return use(file)
  })
}

const cellsOf = ({ cells, table }: BulkLoad): { name: string; type: string }[] =>
  cells.map(({ name }) => {
    const column = table.columns.get(name)
    return { name, type: column === undefined ? 'VARCHAR' : duckdbDialect.cellType(column.dataType!, column) }
  })

function valueOf(load: ParquetLoad, column: Column): string {
  const { constant, cells } = load
  const type = load.asText(column) ? 'VARCHAR' : duckdbDialect.typeName(column)
  if (constant?.column === column.name) return `CAST(${constant.value} AS ${type})`
  if (!cells.some(({ name }) => name === column.name)) return `CAST(NULL AS ${type})`
  return `CAST(${duckdbDialect.fromText(column, quote(column.name))} AS ${type})`
}
