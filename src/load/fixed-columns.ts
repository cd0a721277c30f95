import { createReadStream, createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ColumnFixed } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'
import type { LoadPackage, PackageFile } from '../package/index.ts'
import {
  bumpVersion,
  decimalDigits,
  isMidnight,
  storedSchema,
  type Column,
  type DataType,
  type Schema,
  type Table,
} from '../schema/index.ts'

/** A column that keeps its type, and the variant column that takes the values of other types. */
export interface FixedColumn {
  table: string
  column: string
  type: DataType
  variant: string
}

/** Columns that a load must not widen, found by trying; the load then starts again. */
export class FixedColumns {
  private readonly found = new Map<string, ColumnFixed>()

  /** False when the column is known already, so that leaving it alone did not help. */
  add(error: ColumnFixed): boolean {
    const key = `${error.table}\n${error.column}`
    if (this.found.has(key)) return false
    this.found.set(key, error)
    return true
  }

  get size(): number {
    return this.found.size
  }

  /**
   * The package as it would be had the columns never been widened: they have the type that is stored, and a variant column
   * has the values that do not fit. `schema` is changed; files are written again next to the others.
   */
  async applyTo(
    loading: LoadPackage,
    schema: Schema,
    stored: Schema | undefined,
  ): Promise<[LoadPackage, FixedColumn[]]> {
    const fixed: FixedColumn[] = []
    const files = new Map(loading.manifest.files.map((file) => [file, file]))
    const folder = join(loading.folder, 'fixed')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    for (const error of this.found.values()) {
      const table = schema.tables.get(error.table)!
      const wide = table.columns.get(error.column)!
      const narrow = stored?.tables.get(error.table)?.columns.get(error.column)
      if (narrow?.dataType === undefined) throw dependsOn(error)
      const variant = keepType(table, wide, narrow)
      fixed.push({ table: table.name, column: narrow.name, type: narrow.dataType, variant: variant.name })
      const cannotBeNull = wide.nullable === false
      for (const [file, current] of files) {
        const at = current.columns.indexOf(wide.name)
        if (file.table !== table.name || at < 0) continue
        const path = join('fixed', `${fixed.length}-${file.path}`)
        const split = splitCells(current, { narrow, wide, at, variant: variant.name })
        const moved = await split(join(loading.folder, current.path), join(loading.folder, path))
        if (moved > 0 && cannotBeNull) throw dependsOn(error)
        files.set(file, {
          ...current,
          path,
          columns: columnsWithVariant(current, variant.name),
          longestLine: current.longestLine * 2 + 1,
        })
      }
    }
    bumpVersion(schema)
    const manifest = { ...loading.manifest, schema: storedSchema(schema), files: [...files.values()] }
    return [{ ...loading, manifest }, fixed]
  }
}

/** Gives a column back its stored type; returns the variant column for values of the wider one. */
function keepType(table: Table, wide: Column, narrow: Column): Column {
  const { precision: _p, scale: _s, timezone: _t, ...rest } = wide
  const size = Object.fromEntries(
    (['precision', 'scale', 'timezone', 'integerDigits'] as const).flatMap((key) =>
      narrow[key] === undefined ? [] : [[key, narrow[key]]],
    ),
  )
  table.columns.set(wide.name, { ...rest, ...size, dataType: narrow.dataType!, fixedType: true })
  const name = `${wide.name}__v_${wide.dataType}`
  const known = table.columns.get(name)
  const scale = Math.max(wide.scale ?? 0, known?.scale ?? 0)
  const variant: Column = {
    ...known,
    name,
    dataType: wide.dataType!,
    nullable: true,
    variant: true,
    ...(scale > 0 ? { scale } : {}),
    ...(wide.precision === undefined ? {} : { precision: wide.precision }),
    ...(wide.timezone === undefined ? {} : { timezone: wide.timezone }),
  }
  table.columns.set(name, variant)
  return variant
}

const columnsWithVariant = ({ columns }: PackageFile, variant: string): readonly string[] =>
  columns.includes(variant) ? columns : [...columns, variant]

/** Copies a file; cells that do not fit the narrow type go to the variant's column. Resolves with how many did. */
function splitCells(
  file: PackageFile,
  { narrow, wide, at, variant }: { narrow: Column; wide: Column; at: number; variant: string },
): (from: string, to: string) => Promise<number> {
  const variantAt = file.columns.indexOf(variant)
  let moved = 0
  const changed = (line: string): string => {
    const cells = cellsOf(line)
    const cell = cells[at]!
    const kept = cell === '' ? '' : narrowed(cell, narrow, wide)
    cells[at] = kept ?? ''
    if (variantAt < 0) cells.push('')
    if (kept === undefined) {
      cells[variantAt < 0 ? cells.length - 1 : variantAt] = cell
      moved += 1
    }
    return `${cells.join(',')}\n`
  }
  return async (from, to) => {
    const lines = async function* (chunks: AsyncIterable<string>): AsyncGenerator<string> {
      for await (const line of linesOf(chunks)) yield changed(line)
    }
    await pipeline(createReadStream(from, 'utf8'), lines, createWriteStream(to))
    return moved
  }
}

/** The text of a cell in the narrow type; `undefined` where it does not fit. */
function narrowed(cell: string, narrow: Column, wide: Column): string | undefined {
  switch (narrow.dataType) {
    case 'bigint':
      return wholeNumber(cell)
    case 'date':
      return isMidnight(cell) ? cell.slice(0, 10) : undefined
    case 'decimal': {
      const { integer, fraction } = decimalDigits(cell)
      const scale = narrow.scale ?? (narrow.precision === undefined ? 9 : 0)
      return fraction <= scale && integer <= (narrow.precision ?? 38) - scale ? cell : undefined
    }
    default:
      return narrow.dataType === wide.dataType ? cell : undefined
  }
}

function wholeNumber(cell: string): string | undefined {
  const digits = /^([+-]?\d+)(\.0*)?$/.exec(cell)?.[1]
  if (digits === undefined) return Number.isSafeInteger(Number(cell)) ? String(Number(cell)) : undefined
  const value = BigInt(digits)
  return BigInt.asIntN(64, value) === value ? String(value) : undefined
}

/** Lines of a package's file. A quote inside a quoted cell is doubled, so quotes are even where a line ends. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let line = ''
  let isQuoted = false
  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at]
      if (character === '"') isQuoted = !isQuoted
      else if (character === '\n' && !isQuoted) {
        yield line + chunk.slice(from, at)
        line = ''
        from = at + 1
      }
    }
    line += chunk.slice(from)
  }
}

/** The cells of a line as they are written, quotes included. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  let from = 0
  let isQuoted = false
  for (let at = 0; at <= line.length; at++) {
    const character = line[at]
    if (character === '"') isQuoted = !isQuoted
    else if (character === undefined || (character === ',' && !isQuoted)) {
      cells.push(line.slice(from, at))
      from = at + 1
    }
  }
  return cells
}

const dependsOn = ({ message, table, cause }: ColumnFixed): PipelineError =>
  new PipelineError(`table "${table}": ${message}`, {
    code: 'LOAD_FAILED',
    recovery: 'skip',
    fix: 'drop the views, indexes and constraints that depend on the column, run, and make them again',
    cause,
  })
