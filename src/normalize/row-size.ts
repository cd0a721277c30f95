import { PipelineError } from '../errors/index.ts'
import { plainJson, system, typedColumns, withoutZeros, type Column, type RowLimit } from '../schema/index.ts'
import { sample } from './column-cell.ts'
import type { TableWalker } from './table-walker.ts'

/** A load id with the byte of its length; the files do not carry it. */
const loadIdBytes = 22
/** A compressed value is never smaller. */
const leastCompressed = 13

/** Tables with fewer columns cannot have a row that is too large. */
export const safeColumns = ({ bytes, headerBytes, inlineBytes }: RowLimit): number =>
  Math.floor((bytes - headerBytes) / (inlineBytes + 2))

/** Refuses a row that the destination's page cannot hold, before it is packaged. Only worth its time for wide tables. */
export function refuseLargeRow(walker: TableWalker, limit: RowLimit, row: unknown): void {
  const bytes = leastRowBytes(walker, limit)
  if (bytes <= limit.bytes) return
  const values = walker.cells.filter((cell) => cell !== undefined).length
  const { name } = walker.table
  throw new PipelineError(
    `a row of table "${name}" has ${values.toLocaleString('en')} values that need ${bytes.toLocaleString('en')} bytes, ` +
      `and the destination holds ${limit.bytes.toLocaleString('en')} in a row: ${sample(plainJson(row))}`,
    {
      code: 'VALUE_NOT_STORABLE',
      fix: "keep columns that are rarely asked for as JSON: put them into one object with .map() and give it dataType: 'json' or lower maxTableNesting; or make rows of them",
    },
  )
}

/** What the current row needs at least. A row that turns out to be larger is refused by the destination. */
function leastRowBytes({ table, cells, indexOf }: TableWalker, limit: RowLimit): number {
  const { headerBytes, alignment, fixedBytes } = limit
  let bytes = 0
  let columns = 0
  let hasNull = false
  for (const column of typedColumns(table)) {
    columns += 1
    const cell = cells[indexOf.get(column.name) ?? -1]
    if (column.name === system.loadId) bytes += loadIdBytes
    else if (cell === undefined) hasNull = true
    else {
      const fixed = fixedBytes[column.dataType!]
      bytes = fixed === undefined ? bytes + leastBytes(column, cell, limit) : aligned(bytes, fixed) + fixed
    }
  }
  return aligned(headerBytes + (hasNull ? Math.ceil(columns / 8) : 0), alignment) + bytes
}

const aligned = (bytes: number, to: number): number => Math.ceil(bytes / to) * to

/** A value of variable length with its length, or the pointer to it. */
function leastBytes({ dataType }: Column, cell: string, limit: RowLimit): number {
  switch (dataType) {
    case 'decimal':
    case 'wei':
      return Math.min(3 + 2 * decimalGroups(cell), limit.pointerBytes)
    case 'json':
      // Its binary form may be shorter than its text, but not by so much.
      return cell.length > 3 * limit.inlineBytes ? outside(cell, limit) : 5
    case 'binary':
      return inlineOr(cell.length / 2, cell, limit)
    default:
      return inlineOr(Buffer.byteLength(cell), cell, limit)
  }
}

const inlineOr = (length: number, cell: string, limit: RowLimit): number =>
  length <= limit.inlineBytes ? 1 + length : outside(cell, limit)

/** Text of few different pieces may be compressed to less than a pointer. */
function outside(cell: string, { pointerBytes }: RowLimit): number {
  const pieces = new Set<string>()
  for (let at = 0; at + 3 <= cell.length; at++) {
    if (pieces.add(cell.slice(at, at + 3)).size > 16) return pointerBytes
  }
  return leastCompressed
}

/** Groups of four decimal digits on either side of the point, without those of zeros at both ends. */
function decimalGroups(text: string): number {
  const [, digits = '', decimals = ''] = /^[+-]?(\d*)(?:\.(\d*))?$/.exec(text) ?? []
  const [whole, fraction] = [digits.replace(/^0+/, ''), withoutZeros(decimals)]
  if (whole === '')
    return Math.ceil(fraction.length / 4) - Math.floor((fraction.length - fraction.replace(/^0+/, '').length) / 4)
  if (fraction !== '') return Math.ceil(whole.length / 4) + Math.ceil(fraction.length / 4)
  return Math.ceil(whole.length / 4) - Math.floor((whole.length - withoutZeros(whole).length) / 4)
}
