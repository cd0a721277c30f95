import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

/**
 * The text format of package files: one line a row, comma between cells, an empty cell is null, text is always quoted
 * with doubled quotes inside, `\n` ends a line. PostgreSQL's COPY and DuckDB's read_csv take it as it is.
 */
export function quoted(text: string): string {
  return text.includes('"') ? `"${text.replaceAll('"', '""')}"` : `"${text}"`
}

/** One file of a package: rows of one table, all with the same columns. */
export interface TableFile {
  table: string
  /** Path of the file, absolute while it is written, relative to the package once that is sealed. */
  path: string
  columns: string[]
  rows: number
  bytes: number
  /** Length of the longest line in bytes, or somewhat more: readers size their buffers by it. */
  longestLine: number
}

const flushBytes = 256 * 1024
const flushRows = 20_000

/**
 * Writes the lines of one table. A column found later makes later lines longer; lines still in memory are padded with
 * nulls, and only when lines with fewer columns are already on disk does a new file begin.
 */
export class DelimitedWriter {
  readonly files: TableFile[] = []
  rows = 0
  /** A line held half of a surrogate pair, which UTF-8 cannot store, or NUL where the destination takes none. */
  replacedCharacters = false
  private lines: string[] = []
  private bufferedLength = 0
  private longestLength = 0
  /** Where in `lines` rows of a certain width begin; almost always one entry. */
  private widths: { from: number; width: number }[] = []
  private readonly table: string
  private readonly columns: readonly string[]
  private readonly nextPath: (table: string) => string
  private readonly takesNul: boolean

  constructor(table: string, columns: readonly string[], nextPath: (table: string) => string, takesNul: boolean) {
    this.takesNul = takesNul
    this.table = table
    this.columns = columns
    this.nextPath = nextPath
  }

  /** Adds one row, its cells already joined; it has as many cells as the table has columns now. */
  add(line: string): void {
    const width = this.columns.length
    if (this.widths.at(-1)?.width !== width) this.widths.push({ from: this.lines.length, width })
    this.lines.push(line)
    this.rows += 1
    this.bufferedLength += line.length
    if (line.length > this.longestLength) this.longestLength = line.length
    if (this.bufferedLength >= flushBytes || this.lines.length >= flushRows) this.flush()
  }

  get bytes(): number {
    return this.files.reduce((sum, file) => sum + file.bytes, this.bufferedLength)
  }

  private flush(): void {
    if (this.lines.length === 0) return
    this.pad()
    const file = this.currentFile()
    // The last line's end comes from an empty line after it: added to the joined text, it would copy all of it again.
    this.lines.push('')
    let text = this.lines.join('\n')
    if (!text.isWellFormed()) {
      text = text.toWellFormed()
      this.replacedCharacters = true
    }
    if (!this.takesNul) text = this.withoutNul(text)
    const bytes = encoded(text)
    append(file.path, bytes, false)
    file.rows += this.lines.length - 1
    file.bytes += bytes.length
    // Three bytes a UTF-16 unit at most; padding adds a comma a column.
    file.longestLine = Math.max(file.longestLine, 3 * this.longestLength + this.columns.length)
    this.lines = []
    this.widths = []
    this.bufferedLength = 0
  }

  /** NUL as itself in text, and as an escape in JSON, which is text here as well. */
  private withoutNul(text: string): string {
    const plain = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text
    const clean = plain.includes('\\u0000') ? plain.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\ufffd') : plain
    this.replacedCharacters ||= clean !== text
    return clean
  }

  private pad(): void {
    const full = this.columns.length
    for (const [index, { from, width }] of this.widths.entries()) {
      if (width === full) return
      const padding = ','.repeat(full - width)
      const to = this.widths[index + 1]?.from ?? this.lines.length
      for (let line = from; line < to; line++) this.lines[line] += padding
    }
  }

  private currentFile(): TableFile {
    const last = this.files.at(-1)
    if (last !== undefined && last.columns.length === this.columns.length) return last
    const file = {
      table: this.table,
      path: this.nextPath(this.table),
      columns: [...this.columns],
      rows: 0,
      bytes: 0,
      longestLine: 0,
    }
    this.files.push(file)
    return file
  }

  /** Writes what is left and returns the files, all of them on disk for good. */
  finish(): TableFile[] {
    this.flush()
    for (const file of this.files) append(file.path, noBytes, true)
    return this.files
  }
}

// A UTF-16 unit takes at most three bytes of UTF-8.
const encodeBuffer = Buffer.allocUnsafeSlow(3 * 2 * flushBytes)

/** The text as UTF-8, in a buffer that the next call uses again. */
function encoded(text: string): Uint8Array {
  if (3 * text.length > encodeBuffer.length) return Buffer.from(text)
  return encodeBuffer.subarray(0, encodeBuffer.write(text))
}

const noBytes = new Uint8Array()

/** Opened for each write: a run with thousands of tables would otherwise run out of descriptors. */
function append(path: string, bytes: Uint8Array, durable: boolean): void {
  const descriptor = openSync(path, 'a')
  try {
    // A write may take less than asked, on a full disk above all.
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset)
    if (durable) fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
