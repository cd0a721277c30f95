import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs'
import { failpoint } from '../failpoints/index.ts'
import type { DataType } from '../schema/index.ts'

/** How the text of a cell is written: numbers, moments and the like as they are, the others in quotes. */
export type CellKind = 'plain' | 'text' | 'json'

export const cellKind = (dataType: DataType): CellKind =>
  dataType === 'json' ? 'json' : dataType === 'text' || dataType === 'binary' ? 'text' : 'plain'

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

export interface DelimitedOptions {
  /** NUL may stay in text. */
  takesNul: boolean
  /** A file that has so many bytes is complete; the next rows begin another. */
  fileBytes: number
}

const flushBytes = 256 * 1024
const flushRows = 20_000
const [comma, doubleQuote, lineEnd] = [44, 34, 10]
/** Up to here, a loop over the characters is faster than a call of the encoder. */
const shortText = 24

/**
 * Writes rows of one table as delimited text: one line a row, comma between cells, an empty cell is null, text always in
 * quotes with doubled quotes inside, `\n` ends a line. PostgreSQL's COPY and DuckDB's read_csv take it as it is. The
 * bytes are written here and now, because strings put together first would be copied three times.
 *
 * A column found later makes later lines longer; lines still in memory are padded with nulls, and only when lines with
 * fewer columns are already on disk does a new file begin.
 */
export class DelimitedWriter {
  readonly files: TableFile[] = []
  rows = 0
  /** A row held half of a surrogate pair, which UTF-8 cannot store, or NUL where the destination takes none. */
  replacedCharacters = false
  private buffer = Buffer.allocUnsafeSlow(4096)
  private used = 0
  /** Where the buffered rows end. */
  private rowEnds: number[] = []
  /** From which buffered row on they have how many cells; almost always one entry. */
  private widths: { from: number; width: number }[] = []
  private longestLine = 0
  private readonly table: string
  private readonly columns: readonly string[]
  private readonly nextPath: (table: string) => string
  private readonly takesNul: boolean
  private readonly fileBytes: number
  private readonly flushBytes: number
  private handedOut = 0

  constructor(
    table: string,
    columns: readonly string[],
    nextPath: (table: string) => string,
    { takesNul, fileBytes }: DelimitedOptions,
  ) {
    this.takesNul = takesNul
    this.fileBytes = fileBytes
    this.flushBytes = Math.min(flushBytes, fileBytes)
    this.table = table
    this.columns = columns
    this.nextPath = nextPath
  }

  /** Adds one row, with as many cells as the table has columns now, and leaves the cells empty for the next. */
  add(cells: (string | undefined)[], kinds: readonly CellKind[]): void {
    const begin = this.used
    const width = cells.length
    if (this.widths.at(-1)?.width !== width) this.widths.push({ from: this.rowEnds.length, width })
    for (let index = 0; index < width; index++) {
      const cell = cells[index]
      if (cell !== undefined) {
        this.write(cell, kinds[index]!)
        cells[index] = undefined
      }
      // There is room: every write leaves some behind it, and so does the beginning of a row.
      if (this.used + 2 > this.buffer.length) this.makeRoom(2)
      this.buffer[this.used++] = comma
    }
    this.buffer[this.used - 1] = lineEnd
    this.rows += 1
    this.rowEnds.push(this.used)
    if (this.used - begin > this.longestLine) this.longestLine = this.used - begin
    if (this.used >= this.flushBytes || this.rowEnds.length >= flushRows) this.flush()
  }

  get bytes(): number {
    return this.files.reduce((sum, file) => sum + file.bytes, this.used)
  }

  private write(text: string, kind: CellKind): void {
    const { length } = text
    // At most three bytes a character, two for a quote, and two quotes and a comma around them.
    const bytes = 3 + (length < 100_000 ? 3 * length : 2 * Buffer.byteLength(text))
    if (this.used + bytes > this.buffer.length) this.makeRoom(bytes)
    const { buffer } = this
    if (kind !== 'plain') buffer[this.used++] = doubleQuote
    const at = this.used
    let read = 0
    if (length <= shortText) {
      for (; read < length; read++) {
        const code = text.charCodeAt(read)
        if (code > 127 || code === doubleQuote || code === 0 || code === 92) break
        buffer[at + read] = code
      }
    }
    this.used = read === length ? at + length : at + buffer.write(this.cleaned(text, kind), at)
    if (kind !== 'plain') buffer[this.used++] = doubleQuote
  }

  /** What can be stored of a text, with quotes doubled. */
  private cleaned(text: string, kind: CellKind): string {
    let clean = text.isWellFormed() ? text : text.toWellFormed()
    if (!this.takesNul) {
      if (clean.includes('\0')) clean = clean.replaceAll('\0', '\ufffd')
      // In JSON, which is text here as well, NUL is an escape; one behind an escaped backslash is none.
      if (kind === 'json' && clean.includes('\\u0000')) clean = clean.replace(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1\ufffd')
    }
    if (clean !== text) this.replacedCharacters = true
    return clean.includes('"') ? clean.replaceAll('"', '""') : clean
  }

  private makeRoom(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.used + bytes))
    this.buffer.copy(grown, 0, 0, this.used)
    this.buffer = grown
  }

  private flush(): void {
    const rows = this.rowEnds.length
    if (rows === 0) return
    const lines = this.padded()
    const file = this.currentFile()
    append(file.path, lines, file.bytes === 0 ? createNew : existing)
    file.rows += rows
    file.bytes += lines.length
    // Padding adds a comma a column.
    file.longestLine = Math.max(file.longestLine, this.longestLine + this.columns.length)
    this.used = 0
    this.rowEnds = []
    this.widths = []
    // A long text made it large; the next ones may be short.
    if (this.buffer.length > 4 * flushBytes) this.buffer = Buffer.allocUnsafeSlow(4096)
  }

  /** The buffered lines, all with as many cells as the table has columns now. */
  private padded(): Uint8Array {
    const full = this.columns.length
    if (this.widths.every(({ width }) => width === full)) return this.buffer.subarray(0, this.used)
    const parts: Uint8Array[] = []
    for (const [index, { from, width }] of this.widths.entries()) {
      const end = Buffer.from(`${','.repeat(full - width)}\n`)
      const to = this.widths[index + 1]?.from ?? this.rowEnds.length
      for (let row = from; row < to; row++) {
        parts.push(this.buffer.subarray(row === 0 ? 0 : this.rowEnds[row - 1]!, this.rowEnds[row]! - 1), end)
      }
    }
    return Buffer.concat(parts)
  }

  private currentFile(): TableFile {
    const last = this.files.at(-1)
    const fits = last !== undefined && last.columns.length === this.columns.length && last.bytes < this.fileBytes
    if (fits) return last
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

  /** Files that nothing will be added to any more, each told once. */
  takeComplete(): TableFile[] {
    const last = this.files.at(-1)
    const complete = last !== undefined && last.bytes >= this.fileBytes ? this.files.length : this.files.length - 1
    const taken = this.files.slice(this.handedOut, complete)
    this.handedOut = Math.max(this.handedOut, complete)
    return taken
  }

  /** Writes what is left and returns the files, all of them on disk for good. */
  finish(): TableFile[] {
    this.flush()
    for (const file of this.files) append(file.path, noBytes, existing, true)
    return this.files
  }
}

const noBytes = new Uint8Array()

/** A file that is there already belongs to somebody else. */
const createNew = 'ax'
/** A file that was deleted is not created again, because its first rows would be missing. */
const existing = constants.O_APPEND | constants.O_WRONLY

/** Opened for each write: a run with thousands of tables would otherwise run out of descriptors. */
function append(path: string, bytes: Uint8Array, flags: string | number, durable = false): void {
  const descriptor = openSync(path, flags)
  try {
    // A write may take less than asked, on a full disk above all.
    for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset)
    if (durable) fsyncSync(descriptor)
    failpoint(durable ? 'file-ended' : 'rows-flushed')
  } finally {
    closeSync(descriptor)
  }
}
