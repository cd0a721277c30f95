import { literal } from '../duckdb/dialect.ts'

/** How rows are written into files and read back, in DuckDB's words. */
export interface FileFormat {
  extension: string
  /** Options of `COPY … TO`. */
  copyOptions: string
  /** Types that the format cannot hold exactly, and that are therefore written as text. */
  isText(type: string): boolean
  /** Reads files whose columns and types are known; `fileColumn` tells which file a row came from. */
  read(paths: readonly string[], columns: Readonly<Record<string, string>>): string
}

export const formatNames = ['parquet', 'jsonl', 'csv'] as const
export type FormatName = (typeof formatNames)[number]
export const compressions = ['zstd', 'snappy', 'gzip', 'none'] as const
export type Compression = (typeof compressions)[number]

/** Where a row was read, on this machine. */
export const fileColumn = '_sluice_file'
// What folders are called says nothing about columns: those are all in the file.
const options = `filename = '${fileColumn}', hive_partitioning = false`

const typed = (columns: Readonly<Record<string, string>>, isText: (type: string) => boolean): string =>
  Object.entries(columns)
    // What is text in the file becomes its type again by the cast that follows.
    .map(([name, type]) => `${literal(name)}: ${literal(isText(type) ? 'VARCHAR' : type)}`)
    .join(', ')

// A JSON number would be read as a double; bytes have no JSON.
const isJsonText = (type: string): boolean => type === 'BLOB' || type.startsWith('DECIMAL')
const isCsvText = (type: string): boolean => type === 'BLOB'

/** Rows of these may be long; DuckDB's own limits are for small ones. */
const longestRow = 64 * 1024 * 1024

export function fileFormat(
  name: FormatName,
  compression: Compression = name === 'parquet' ? 'zstd' : 'gzip',
): FileFormat {
  const suffix = compression === 'gzip' ? '.gz' : compression === 'zstd' ? '.zst' : ''
  switch (name) {
    case 'parquet':
      return {
        extension: 'parquet',
        copyOptions: `FORMAT parquet, COMPRESSION ${compression === 'none' ? 'uncompressed' : compression}`,
        isText: () => false,
        read: (paths) => `read_parquet([${paths.join(', ')}], ${options})`,
      }
    case 'jsonl':
      return {
        extension: `jsonl${suffix}`,
        copyOptions: `FORMAT json, COMPRESSION ${compression}`,
        isText: isJsonText,
        read: (paths, columns) =>
          `read_json([${paths.join(', ')}], ${options}, format = 'newline_delimited', columns = {${typed(columns, isJsonText)}}, maximum_object_size = ${longestRow})`,
      }
    case 'csv':
      return {
        extension: `csv${suffix}`,
        copyOptions: `FORMAT csv, HEADER, COMPRESSION ${compression}`,
        isText: isCsvText,
        read: (paths, columns) =>
          `read_csv([${paths.join(', ')}], ${options}, columns = {${typed(columns, isCsvText)}}, auto_detect = false, header = true, delim = ',', quote = '"', ` +
          `escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false, max_line_size = ${longestRow}, buffer_size = ${2 * longestRow})`,
      }
  }
}

/** The format of a file that is there: a dataset may hold several, when the option changed from run to run. */
export function formatOfPath(path: string): FileFormat {
  const name =
    (['jsonl', 'csv'] as const).find((one) => new RegExp(`\\.${one}(\\.gz|\\.zst)?$`).test(path)) ?? 'parquet'
  return fileFormat(name)
}
