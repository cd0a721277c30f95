import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { redact } from '../errors/index.ts'
import { cellsOfLine } from '../normalize/index.ts'
import type { FailedPackage, Refusal } from '../package/index.ts'
import { failedCommands, type FailedCommands } from './load-info.ts'

/** A failed package as the command line, the dashboard and assistants list it. */
export interface FailedFacts {
  loadId: string
  failedAt: string
  dataset: string
  /** The destination it belongs to, and its address without user and password. */
  name?: string
  address?: string
  /** Rows and tables that were not loaded. */
  rows: number
  tables: { table: string; rows: number; file: string }[]
  refusals: Refusal[]
  commands: FailedCommands
}

export function failedFacts({ manifest, failedAt, refusals, folder }: FailedPackage): FailedFacts {
  // The groups that were not refused have been loaded.
  const isSetAside = (table: string): boolean => refusals.some(({ tables }) => tables?.includes(table) ?? true)
  const files = manifest.files.filter(({ table }) => isSetAside(table))
  return {
    loadId: manifest.loadId,
    failedAt,
    dataset: manifest.dataset,
    ...manifest.destination,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    tables: files.map(({ table, rows, path }) => ({ table, rows, file: join(folder, path) })),
    refusals,
    commands: failedCommands(manifest.pipeline, manifest.loadId),
  }
}

/** A row that a destination refused, as its package holds it. */
export interface RefusedRow {
  table: string
  line: number
  columns: readonly string[]
  text: string
  /** The values by column; absent when the row spans several lines. */
  cells?: (string | null)[]
}

/** The refused rows of a package, where the destination named the line and the table is in one file. */
export function refusedRows({ manifest, refusals, folder }: FailedPackage): RefusedRow[] {
  return refusals.flatMap(({ table, line }) => {
    const [file, ...others] = manifest.files.filter((one) => one.table === table)
    if (table === undefined || line === undefined || file === undefined || others.length > 0) return []
    const found = readFileSync(join(folder, file.path), 'utf8').split('\n')[line - 1]
    if (found === undefined) return []
    const row = { table, line, columns: file.columns, text: redact(found) }
    const cells = cellsOfLine(found)
    if (cells?.length !== file.columns.length) return [row]
    return [{ ...row, cells: cells.map((value) => (value === null ? null : redact(value))) }]
  })
}
