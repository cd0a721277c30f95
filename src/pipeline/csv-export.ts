import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { QueryResult } from '../destinations/index.ts'

export interface CsvOptions {
  /**
   * What a spreadsheet would take for a formula: `text` puts a `'` before it, so that it runs nothing there; `exact` leaves it
   * as it is. @default 'exact'
   */
  formulas?: 'exact' | 'text'
}

/** Writes a result as CSV with a header, as fast as the disk takes it; returns the number of rows. */
export async function writeCsv(
  path: string,
  { columns, pages }: QueryResult,
  { formulas = 'exact' }: CsvOptions = {},
): Promise<number> {
  const quoted = formulas === 'text' ? (text: string) => quote(defused(text)) : quote
  const names = columns.map(({ name }) => name)
  let rows = 0
  async function* texts(): AsyncGenerator<string> {
    yield `${names.map(quoted).join(',')}\n`
    for await (const page of pages) {
      rows += page.length
      const lines = page.map((row) => names.map((name) => cell(row[name], quoted)).join(','))
      if (lines.length > 0) yield `${lines.join('\n')}\n`
    }
  }
  await pipeline(texts, createWriteStream(path))
  return rows
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`

/** Beginnings that spreadsheets act on; a negative number is only one. */
const defused = (text: string): string => (/^[=+@\t\r]|^-(?!\d+(\.\d+)?$)/.test(text) ? `'${text}` : text)

function cell(value: unknown, quoted: (text: string) => string): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return quoted(Buffer.from(value).toString('base64'))
  return quoted(typeof value === 'object' ? JSON.stringify(value) : String(value))
}
